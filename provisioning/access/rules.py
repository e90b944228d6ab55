"""The one engine, pure: what grants allow, on what, and by which path. Asked by every door.

Effective access is the union of all grants; nothing subtracts. An owner may do everything in the workspace.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from provisioning.access.roles import EVERYTHING, Role

ALL, RESOURCES, LABELS = "all", "resources", "labels"


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A resource's name in its workspace: its type, and the id that the product which owns it gave it."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"


@dataclass(frozen=True, slots=True)
class Resource:
    """What access is given to, with its labels as `key:value`."""

    reference: Reference
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scope:
    """What a policy covers: all of its role's types now and later, listed resources, or all that carry the labels."""

    kind: Literal["all", "resources", "labels"] = "all"
    resources: frozenset[Reference] = frozenset()
    labels: frozenset[str] = frozenset()

    def covers(self, resource: Resource) -> bool:
        """Whether the resource lies within; several labels must all be carried."""
        if self.kind == RESOURCES:
            return resource.reference in self.resources
        return self.kind == ALL or self.labels <= resource.labels

    def within(self, other: Scope) -> bool:
        """Whether another scope covers all of this one, now and later."""
        if other.kind == ALL:
            return True
        if self.kind != other.kind:
            return False
        return self.resources <= other.resources if self.kind == RESOURCES else other.labels <= self.labels

    def as_json(self) -> dict[str, Any]:
        """The form in which a scope is stored and shown."""
        if self.kind == RESOURCES:
            return {"kind": self.kind, "resources": sorted(map(str, self.resources))}
        return {"kind": self.kind, "labels": sorted(self.labels)} if self.kind == LABELS else {"kind": self.kind}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Scope:
        """Read what `as_json` wrote."""
        references = frozenset(Reference(*text.split(":", 1)) for text in stored.get("resources", ()))
        return cls(kind=stored["kind"], resources=references, labels=frozenset(stored.get("labels", ())))


@dataclass(frozen=True, slots=True)
class Path:
    """How a grant comes to somebody: by membership or ownership, an own policy, a group's policy or a mapping."""

    via: Literal["membership", "ownership", "policy", "group", "mapping"]
    group: str | None = None
    mapping: str | None = None
    condition: str | None = None
    policy: str | None = None
    ends: str | None = None

    def as_json(self) -> dict[str, str]:
        """What there is of it, for people and programs."""
        named = {name: getattr(self, name) for name in _STEPS}
        return {name: value for name, value in named.items() if value is not None}


_STEPS = ("via", "group", "mapping", "condition", "policy", "ends")


@dataclass(frozen=True, slots=True)
class Grant:
    """One role on one scope, and how it comes about."""

    role: Role
    scope: Scope
    path: Path


@dataclass(frozen=True, slots=True)
class Facts:
    """All that there is to judge one subject by.

    Args:
        grants: what the subject was given.
        within: what bounds it, if something does: of what it was given, only what that allows, too, counts.
    """

    grants: tuple[Grant, ...] = ()
    within: Facts | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no, and every path that leads to yes."""

    allowed: bool
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """One line of somebody's effective access."""

    role: Role
    scope: Scope
    paths: tuple[Path, ...] = field(default=())


def decide(facts: Facts, action: str, resource: Resource | None = None) -> Decision:
    """Judge whether the subject may do something.

    Args:
        facts: about the subject.
        action: such as `source.update`.
        resource: on which; None for what concerns the workspace itself, or the creation of a new resource, which
            takes a grant on all of them.
    """
    if facts.within is not None and not decide(facts.within, action, resource).allowed:
        return Decision(allowed=False)
    paths = tuple(grant.path for grant in allowing(facts, action, resource))
    return Decision(bool(paths), paths)


def allowing(facts: Facts, action: str, resource: Resource | None = None) -> tuple[Grant, ...]:
    """The grants of a subject that allow something, what bounds it left out of account; see `decide`."""
    return tuple(g for g in facts.grants if _allows(g, action, resource) and _reaches(facts, g, resource))


def actions(facts: Facts, resource: Resource | None = None) -> frozenset[str]:
    """Everything that the subject may do on a resource, or in the workspace; `*` for an owner."""
    named = frozenset[str]().union(*(grant.role.actions for grant in facts.grants))
    return frozenset(action for action in named if decide(facts, action, resource).allowed)


def reach(facts: Facts, action: str, resource_type: str) -> tuple[Scope, ...]:
    """The scopes in which the subject may do something on resources of a type; what one covers, `decide` allows.

    That of a subject within bounds can't be said in scopes: none are told.
    """
    if facts.within is not None:
        return ()
    able = [grant for grant in facts.grants if grant.role.allows(action)]
    if any(EVERYTHING in grant.role.actions for grant in able):
        return (Scope(),)
    fit = [grant for grant in able if resource_type in grant.role.resource_types]
    if any(grant.role.modifier for grant in fit):
        # A modifier is given on everything, and counts where any other role reaches.
        fit = [g for g in facts.grants if not g.role.modifier and resource_type in g.role.resource_types]
    return tuple(dict.fromkeys(grant.scope for grant in fit))


NEVER = datetime.max.replace(tzinfo=UTC)


def missing(giver: Facts, role: Role, scope: Scope, until: datetime | None = None) -> str | None:
    """The first action of a role that somebody who would give it on a scope doesn't have there; None: they may.

    Nobody gives what they don't have: each action must be theirs, on all types of the role, on all of the scope, and up
    to the moment at which what they give ends. Without `until` it is asked what they have now.
    """
    return next((action for action in sorted(role.actions) if not _has(giver, action, role, scope, until)), None)


def _has(giver: Facts, action: str, role: Role, scope: Scope, until: datetime | None) -> bool:
    if giver.within is not None and not _has(giver.within, action, role, scope, until):
        return False
    lasting = (held for held in giver.grants if until is None or _lasts(held, until))
    return any(
        EVERYTHING in held.role.actions
        or (
            action in held.role.actions
            and held.role.modifier <= role.modifier
            and role.resource_types <= held.role.resource_types
            and scope.within(held.scope)
        )
        for held in lasting
    )


def _lasts(grant: Grant, until: datetime) -> bool:
    return grant.path.ends is None or until <= datetime.fromisoformat(grant.path.ends)


def _allows(grant: Grant, action: str, resource: Resource | None) -> bool:
    if EVERYTHING in grant.role.actions:
        return True
    if action not in grant.role.actions:
        return False
    if resource is None:
        return grant.scope.kind == ALL
    return resource.reference.type in grant.role.resource_types and grant.scope.covers(resource)


def _reaches(facts: Facts, grant: Grant, resource: Resource | None) -> bool:
    """A modifier counts only where some other role reaches the resource already."""
    if not grant.role.modifier:
        return True
    return resource is not None and any(
        not other.role.modifier
        and resource.reference.type in other.role.resource_types
        and other.scope.covers(resource)
        for other in facts.grants
    )


def effective(facts: Facts) -> tuple[Access, ...]:
    """The subject's access, a line for each role on each scope, with every path to it; sorted by role."""
    lines: dict[tuple[str, str], list[Grant]] = {}
    for grant in facts.grants:
        lines.setdefault((grant.role.key, str(grant.scope.as_json())), []).append(grant)
    return tuple(
        Access(grants[0].role, grants[0].scope, _distinct(g.path for g in grants))
        for _, grants in sorted(lines.items())
    )


def _distinct(paths: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(paths))
