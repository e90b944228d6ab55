"""Policies: one role plus what it covers, given to a person, a group, a program, or to whom a mapping means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import and_, delete, func, insert, or_, select
from sqlalchemy.engine import Connection

from provisioning import clock, entropy, outbox
from provisioning.access import custom_roles, rules, scopes
from provisioning.access.events import PolicyCreated, PolicyDeleted, PolicyExpired
from provisioning.access.models import SUBJECTS, Policy
from provisioning.access.roles import OWNER, Catalogue
from provisioning.access.rules import Facts, Scope
from provisioning.outbox import Actor
from provisioning.refusals import Invalid, NotAllowed, NotFound

BY_HAND = "manual"
MOST = 200
_LONGEST_REASON = 500
# Whether a policy counts at this moment: nobody waits for its end to be cleaned up.
COUNTS = or_(Policy.ends_at.is_(None), Policy.ends_at > func.clock_timestamp())


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a policy is given to."""

    kind: Literal["member", "group", "token", "mapping", "invitation", "client"]
    id: UUID

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a policy is to say.

    Args:
        role: its key.
        labels: `key:value` each; what carries all of them is covered.
        resources: `type:id` each; neither labels nor resources: all, later ones too.
        ends_at: when it ends by itself.
        reason: why it is given.
    """

    role: str
    labels: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    ends_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A policy as it is shown."""

    id: UUID
    subject: Subject
    role: str
    scope: Scope
    ends_at: datetime | None
    reason: str | None
    origin: str
    created_at: datetime

    @property
    def says(self) -> tuple[str, Scope, datetime | None, str | None]:
        """What makes two policies of one subject the same."""
        return (self.role, self.scope, self.ends_at, self.reason)


@dataclass(frozen=True, slots=True)
class Giver:
    """Who gives: as facts record them, with the roles of the workspace and what bounds what may be given.

    Args:
        by: who it is.
        roles: all roles of the workspace, its own included.
        facts: what they may do themselves; None for the operator, whom nothing bounds.
        person: the member whose own word it is, where it is certain that nobody else gives it.
    """

    by: Actor
    roles: Catalogue
    facts: Facts | None = None
    person: UUID | None = None


_SUBJECT_IDS = tuple(getattr(Policy, f"{kind}_id") for kind in SUBJECTS)
_VIEW = select(
    Policy.id, Policy.role, Policy.scope, Policy.ends_at, Policy.reason, Policy.origin, Policy.created_at, *_SUBJECT_IDS
)


def _view(row: Any) -> PolicyView:
    identifier, role, scope, ends_at, reason, origin, created_at, *subjects = row
    subject = next(Subject(kind, found) for kind, found in zip(SUBJECTS, subjects, strict=True) if found)  # type: ignore[arg-type]
    return PolicyView(identifier, subject, role, Scope.from_json(scope), ends_at, reason, origin, created_at)


def give(connection: Connection, *, workspace_id: UUID, subject: Subject, terms: Terms, giver: Giver) -> PolicyView:
    """Give a role to somebody; who has it on the very same terms keeps that policy.

    Args:
        connection: in a transaction that holds the subject.
        workspace_id: the workspace of the subject.
        subject: whom it is given to.
        terms: what they are given.
        giver: who does it.

    Raises:
        Invalid: the role, scope, end or reason can't be, or people are to be made owners this way.
        NotAllowed: the giver doesn't have what they would give.
    """
    scope = _read(connection, workspace_id, subject, terms, giver)
    held = of(connection, workspace_id=workspace_id, subject=subject)
    wanted = (terms.role, scope, terms.ends_at, terms.reason)
    same = next((policy for policy in held if policy.says == wanted), None)
    if same is not None:
        return same
    if len(held) >= MOST:
        raise Invalid(f"Nobody has more than {MOST} policies: put people into groups.", field="permissions")
    return _insert(connection, workspace_id, subject, terms, scope, giver.by)


def add(
    connection: Connection, *, workspace_id: UUID, subject: Subject, terms: Sequence[Terms], giver: Giver
) -> list[PolicyView]:
    """Give somebody several roles, as `give` does each."""
    return [give(connection, workspace_id=workspace_id, subject=subject, terms=one, giver=giver) for one in terms]


def replace(
    connection: Connection, *, workspace_id: UUID, subject: Subject, terms: Sequence[Terms], giver: Giver
) -> list[PolicyView]:
    """Give somebody these policies and no others; those that they have already on the very same terms stay.

    Raises:
        Invalid: one of them can't be, or there are too many.
        NotAllowed: the giver doesn't have what they would give.
    """
    if len(terms) > MOST:
        raise Invalid(f"Nobody has more than {MOST} policies: put people into groups.", field="permissions")
    wanted = {}
    for one in terms:
        scope = _read(connection, workspace_id, subject, one, giver)
        wanted[(one.role, scope, one.ends_at, one.reason)] = (one, scope)
    held = of(connection, workspace_id=workspace_id, subject=subject)
    _delete(connection, workspace_id, [policy for policy in held if policy.says not in wanted], giver.by)
    there = {policy.says: policy for policy in held}
    return [
        there.get(says) or _insert(connection, workspace_id, subject, *read, giver.by) for says, read in wanted.items()
    ]


def _read(connection: Connection, workspace_id: UUID, subject: Subject, terms: Terms, giver: Giver) -> Scope:
    role = giver.roles.require(terms.role)
    if role.key == OWNER and subject.kind in {"member", "group", "invitation"}:
        raise Invalid("Ownership is not given by policies: appoint owners by hand.", field="role")
    if terms.ends_at is not None and terms.ends_at <= clock.now():
        raise Invalid("A policy ends in the future.", field="endsAt")
    if terms.reason is not None and (len(terms.reason) > _LONGEST_REASON or "\0" in terms.reason):
        raise Invalid(f"A reason has up to {_LONGEST_REASON} characters.", field="reason")
    custom_roles.hold(connection, workspace_id=workspace_id, role=role)
    scope = scopes.read(
        connection, workspace_id=workspace_id, role=role, labels=terms.labels, resources=terms.resources
    )
    lacking = None if giver.facts is None else rules.missing(giver.facts, role, scope)
    if lacking is not None:
        raise NotAllowed(f"You can't give what you don't have: {lacking}.", action=lacking)
    later = None if giver.facts is None else rules.missing(giver.facts, role, scope, terms.ends_at or rules.NEVER)
    if later is not None:
        sentence = f"You can't give for longer than you have it: your {later} ends. Say when this ends, and not later."
        raise NotAllowed(sentence, action=later)
    return scope


def _insert(
    connection: Connection, workspace_id: UUID, subject: Subject, terms: Terms, scope: Scope, by: Actor
) -> PolicyView:
    new = (
        insert(Policy)
        .values(
            id=entropy.new_id(),
            workspace_id=workspace_id,
            **{f"{subject.kind}_id": subject.id},
            role=terms.role,
            scope=scope.as_json(),
            ends_at=terms.ends_at,
            reason=terms.reason,
            origin=BY_HAND,
        )
        .returning(*_VIEW.selected_columns)
    )
    given = _view(connection.execute(new).one())
    fact = PolicyCreated(
        policy_id=given.id,
        given_to=str(subject),
        role=terms.role,
        scope=scope.as_json(),
        ends_at=terms.ends_at,
        why=terms.reason,
    )
    outbox.append(connection, fact, workspace_id=workspace_id, by=by)
    return given


def _about(policy: PolicyView) -> dict[str, Any]:
    return {
        "policy_id": policy.id,
        "given_to": str(policy.subject),
        "role": policy.role,
        "scope": policy.scope.as_json(),
    }


def _delete(connection: Connection, workspace_id: UUID, gone: Sequence[PolicyView], by: Actor) -> None:
    if gone:
        ids = [policy.id for policy in gone]
        connection.execute(delete(Policy).where(Policy.workspace_id == workspace_id, Policy.id.in_(ids)))
        facts = [PolicyDeleted(**_about(policy)) for policy in gone]
        outbox.append(connection, *facts, workspace_id=workspace_id, by=by)


def of(connection: Connection, *, workspace_id: UUID, subject: Subject) -> list[PolicyView]:
    """A subject's policies that count, oldest first."""
    return of_many(connection, workspace_id=workspace_id, kind=subject.kind, ids=[subject.id])[subject.id]


def of_many(
    connection: Connection, *, workspace_id: UUID, kind: str, ids: Iterable[UUID]
) -> dict[UUID, list[PolicyView]]:
    """The policies that count of several subjects of one kind, oldest first; each has a list, if an empty one."""
    wanted = list(ids)
    column = getattr(Policy, f"{kind}_id")
    rows = connection.execute(
        _VIEW.where(Policy.workspace_id == workspace_id, column.in_(wanted), COUNTS).order_by(
            Policy.created_at, Policy.id
        )
    )
    found: dict[UUID, list[PolicyView]] = {identifier: [] for identifier in wanted}
    for policy in map(_view, rows):
        found[policy.subject.id].append(policy)
    return found


def by_id(connection: Connection, *, workspace_id: UUID, policy_id: UUID) -> PolicyView:
    """The workspace's policy of this id, while it counts.

    Raises:
        NotFound: the workspace has none.
    """
    row = connection.execute(
        _VIEW.where(Policy.workspace_id == workspace_id, Policy.id == policy_id, COUNTS)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such policy in this workspace.")
    return _view(row)


def count_by_subject(connection: Connection, *, workspace_id: UUID, role: str) -> dict[str, int]:
    """How many policies give a role, for each kind of subject that has some."""
    counts = [func.count(column) for column in _SUBJECT_IDS]
    row = connection.execute(select(*counts).where(Policy.workspace_id == workspace_id, Policy.role == role)).one()
    return {kind: count for kind, count in zip(SUBJECTS, row, strict=True) if count}


def remove(connection: Connection, *, workspace_id: UUID, policy_id: UUID, by: Actor) -> None:
    """Take one policy away.

    Raises:
        NotFound: the workspace has none of this id.
    """
    _delete(connection, workspace_id, [by_id(connection, workspace_id=workspace_id, policy_id=policy_id)], by)


def delete_expired(connection: Connection, *, most: int, by: Actor) -> int:
    """Delete policies whose end has come. No check waits for this.

    Args:
        connection: in a transaction of its own.
        most: how many at once, so that no lock is held for long.
        by: who does it.

    Returns:
        How many there were; fewer than `most` when none are left.
    """
    over = (
        select(Policy.workspace_id, Policy.id)
        .where(Policy.ends_at <= func.clock_timestamp())
        .order_by(Policy.ends_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("over")
    )
    gone = delete(Policy).where(and_(Policy.workspace_id == over.c.workspace_id, Policy.id == over.c.id))
    rows = connection.execute(gone.returning(Policy.workspace_id, *_VIEW.selected_columns)).all()
    told = [(workspace_id, PolicyExpired(**_about(_view(row)))) for workspace_id, *row in rows]
    outbox.append_each(connection, told, by=by)
    return len(rows)
