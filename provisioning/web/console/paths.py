"""The paths by which a person has something, as steps of a picture and as sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from provisioning.access.explaining import Answer, Near, Obstacle
from provisioning.access.resources import Registration
from provisioning.access.rules import ALL, RESOURCES, Grant, Path, Resource
from provisioning.web.console.graph import GROUP, MAPPING, ON, PERSON, RESOURCE, ROLE, Step, Way

_WITHOUT_MAPPING = {
    "membership": "every member",
    "ownership": "owner",
    "policy": "a policy of their own",
    "group": "a policy of the group",
}
# Of the resources that one scope covers so many are drawn.
_MOST = 6


def of_grants(name: str, grants: Iterable[Grant], known: Sequence[Registration]) -> list[Way]:
    """What somebody has, drawn up to the resources.

    Args:
        name: the person's.
        grants: what they have.
        known: the resources that may be drawn, with their labels.
    """
    return [way for grant in dict.fromkeys(grants) for way in _reaching(name, grant, known)]


def _reaching(name: str, grant: Grant, known: Sequence[Registration]) -> Iterator[Way]:
    steps = _to_role(name, grant)
    covered = _covered(grant, known)
    if grant.scope.kind == RESOURCES:
        for text in covered:
            yield Way((*steps, Step(RESOURCE, text)))
        return
    steps = (*steps, Step(ON, _on(grant)))
    if not covered or grant.scope.kind == ALL:
        yield Way(steps)
        return
    for text in covered:
        yield Way((*steps, Step(RESOURCE, text)))


def _covered(grant: Grant, known: Sequence[Registration]) -> list[str]:
    if grant.scope.kind == RESOURCES:
        names = sorted(map(str, grant.scope.resources))
    else:
        reached = (one for one in known if one.type in grant.role.resource_types)
        names = [str(one.reference) for one in reached if grant.scope.covers(_as_resource(one))]
    left_out = len(names) - _MOST
    return names if left_out <= 0 else [*names[:_MOST], f"and {left_out} more"]


def _as_resource(one: Registration) -> Resource:
    return Resource(one.reference, frozenset(one.labels or ()))


def of_answer(name: str, answer: Answer, resource: Resource | None) -> list[Way]:
    """A yes, drawn up to the resource; or what comes nearest to it, broken off where it ends."""
    goal = Step(RESOURCE, "the workspace" if resource is None else str(resource.reference))
    grants = answer.grants or tuple(near.grant for near in answer.near)
    return [
        Way((*_to_role(name, grant), Step(ON, _on(grant)), goal), is_broken=not answer.allowed)
        for grant in dict.fromkeys(grants)
    ]


def _to_role(name: str, grant: Grant) -> tuple[Step, ...]:
    path = grant.path
    steps = [Step(PERSON, name)]
    if path.group is not None:
        steps.append(Step(GROUP, path.group))
    steps.append(Step(MAPPING, path.mapping or _WITHOUT_MAPPING[path.via]))
    return (*steps, Step(ROLE, grant.role.name))


def _on(grant: Grant) -> str:
    if grant.scope.kind == ALL:
        return "everything"
    return " and ".join(sorted(grant.scope.labels or map(str, grant.scope.resources)))


def obstacle(near: Near, resource: Resource | None) -> str:
    """What keeps a role from allowing it, as a sentence."""
    role, on = near.grant.role.name, "the workspace" if resource is None else str(resource.reference)
    if near.obstacle is Obstacle.LABEL:
        carried = ", ".join(sorted(resource.labels)) if resource else ""
        return f"{on} lacks {' and '.join(near.lacking)}; it carries {carried or 'no label'}."
    return {
        Obstacle.TYPE: f"{role} is about other things: {', '.join(sorted(near.grant.role.resource_types))}.",
        Obstacle.LISTED: f"{on} is none of the resources that it was given on.",
        Obstacle.NARROW: "It was given on a part; without a resource, it must be given on everything.",
        Obstacle.ALONE: f"{role} adds to other roles that reach {on}, and no other role does.",
    }[near.obstacle]


def as_path(told: Mapping[str, Any]) -> Path:
    """A path as one list of holders tells it."""
    steps = (told.get(step) for step in ("group", "mapping", "condition", "policy", "ends"))
    return Path(told["via"], *steps)
