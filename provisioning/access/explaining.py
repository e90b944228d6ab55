"""Why somebody can or can't do something: the grants that allow it, or what comes nearest to it. Pure, as the engine.

A yes is the engine's own, with the grants that it rests on. A no names, for each grant of a role that has the action,
what keeps it from counting here, and where there is no such grant the roles that would do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from provisioning.access import rules
from provisioning.access.roles import Catalogue, Role
from provisioning.access.rules import ALL, LABELS, Facts, Grant, Resource


class Obstacle(StrEnum):
    """What keeps a role that has the action from allowing it here."""

    # The role is about other types of resource.
    TYPE = "type"
    # It was given on labels of which the resource lacks some.
    LABEL = "label"
    # It was given on listed resources, and this is none of them.
    LISTED = "listed"
    # It was given on a part, and what is asked takes everything: there is no resource yet, or it is the workspace.
    NARROW = "narrow"
    # It adds to roles that reach the resource, and there is none.
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class Near:
    """A grant that would allow it, but for something.

    Args:
        grant: of a role that has the action.
        obstacle: what keeps it from counting.
        lacking: the labels of its scope that the resource doesn't carry.
    """

    grant: Grant
    obstacle: Obstacle
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes or no, and why.

    Args:
        allowed: as the engine decides.
        grants: those that allow it.
        near: for a no, what comes nearest, each once.
        roles: for a no, the roles of the workspace that have the action on such a resource.
    """

    allowed: bool
    grants: tuple[Grant, ...] = ()
    near: tuple[Near, ...] = ()
    roles: tuple[Role, ...] = ()


def explain(facts: Facts, action: str, resource: Resource | None, *, roles: Catalogue) -> Answer:
    """Judge whether somebody may do something, and say why.

    Args:
        facts: about the person.
        action: such as `source.update`.
        resource: on which; None for what concerns the workspace itself, or the creation of a new resource.
        roles: all roles of the workspace.
    """
    if rules.decide(facts, action, resource).allowed:
        return Answer(allowed=True, grants=rules.allowing(facts, action, resource))
    near = tuple(_near(facts.grants, action, resource))
    able = roles.allowing(action, None if resource is None else resource.reference.type)
    return Answer(allowed=False, near=near, roles=tuple(able))


def _near(grants: Iterable[Grant], action: str, resource: Resource | None) -> Iterator[Near]:
    for grant in dict.fromkeys(grants):
        if grant.role.allows(action):
            yield _kept_from(grant, resource)


def _kept_from(grant: Grant, resource: Resource | None) -> Near:
    if resource is None:
        return Near(grant, Obstacle.ALONE if grant.scope.kind == ALL else Obstacle.NARROW)
    if resource.reference.type not in grant.role.resource_types:
        return Near(grant, Obstacle.TYPE)
    if grant.scope.covers(resource):
        return Near(grant, Obstacle.ALONE)
    if grant.scope.kind == LABELS:
        return Near(grant, Obstacle.LABEL, tuple(sorted(grant.scope.labels - resource.labels)))
    return Near(grant, Obstacle.LISTED)
