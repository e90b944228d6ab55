"""When one connection takes something from many people at once: an alarm, and on demand a hold until somebody looks.

Taking away is suspending or removing a member, or taking one out of a group. Who lost something within the last hour is
counted from the facts, each person once.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.engine import Connection

from provisioning import entropy, outbox
from provisioning.directory import extensions, groups, members, roster
from provisioning.directory.connections import ConnectionView
from provisioning.directory.events import HeldChangesSettled, MassChange
from provisioning.directory.memberships import Delta, ids_in, ids_of
from provisioning.directory.models import HeldChange, Member, Membership
from provisioning.directory.profile import GroupProfile, Profile
from provisioning.outbox import Actor
from provisioning.refusals import NotFound
from provisioning.scim.extensions import Kinds

SUSPEND, REMOVE, TAKE_OUT = "suspend", "remove", "take_out"
# Fewer people than this are no mass, however small the workspace is.
_LEAST = 10
_MOST_NAMED = 1000
# What raises the alarms: by its name those of the last hour are found.
_WATCHER = Actor("system", "mass-changes")


class Held(Exception):
    """What a connection asks for is too much at once: it is to be kept until somebody has looked at it."""

    def __init__(self, kind: str, who: Collection[UUID], group_id: UUID | None = None) -> None:
        super().__init__(f"{kind} of {len(who)}")
        self.kind, self.who, self.group_id = kind, frozenset(who), group_id


# The hour is told by `now()`: only what stands still within a statement is looked up in an index.
_LOST = """
    SELECT e.payload ->> 'member_id' AS member FROM event e
    WHERE e.actor_id = {actor} AND e.actor_kind = 'connection'
        AND e.name IN ('member.suspended', 'member.removed')
        AND e.occurred_at > now() - interval '1 hour'
    UNION
    SELECT jsonb_array_elements_text(e.payload -> 'removed') FROM event e
    WHERE e.actor_id = {actor} AND e.actor_kind = 'connection' AND e.name = 'group.members_changed'
        AND e.occurred_at > now() - interval '1 hour'
"""
_RECENT = text(_LOST.format(actor=":actor"))
_WATCH = text(
    f"""
    SELECT c.workspace_id, c.id, c.alarm_percent, array_agg(lost.member) AS lost,
        (SELECT count(*) FROM member m WHERE m.workspace_id = c.workspace_id) AS members
    FROM connection c CROSS JOIN LATERAL ({_LOST.format(actor="c.id::text")}) lost
    WHERE 'connection:' || c.id <> ALL (ARRAY(
        SELECT told.subject FROM event told WHERE told.actor_id = :watcher AND told.name = :alarm
            AND told.occurred_at > now() - interval '1 hour'
    ))
    GROUP BY c.workspace_id, c.id, c.alarm_percent
    HAVING count(*) >= :least
    """  # noqa: S608 - nothing in it comes from outside
)


def _most(people: int, percent: int) -> int:
    """How many people may lose something within an hour."""
    return max(_LEAST, math.ceil(people * percent / 100))


def watch(connection: Connection) -> int:
    """Raise an alarm for each connection that took something from too many; once an hour each.

    Returns:
        How many alarms were raised.
    """
    raised = 0
    for row in connection.execute(_WATCH, {"alarm": MassChange.name, "least": _LEAST, "watcher": _WATCHER.id}).all():
        if len(row.lost) < _most(row.members, row.alarm_percent):
            continue
        fact = MassChange(
            connection_id=row.id, count=len(row.lost), of=row.members, members=tuple(sorted(row.lost)[:_MOST_NAMED])
        )
        outbox.append(connection, fact, workspace_id=row.workspace_id, by=_WATCHER)
        raised += 1
    return raised


def require_few(
    connection: Connection, *, of: ConnectionView, kind: str, who: Collection[UUID], group_id: UUID | None = None
) -> None:
    """Look whether a connection may take something from these people, too, where it is asked to be careful.

    Raises:
        Held: together with those of the last hour they are too many.
    """
    if not of.holds_mass_changes or not who:
        return
    lost = set(connection.execute(_RECENT, {"actor": str(of.id)}).scalars()) | {str(one) for one in who}
    people = connection.execute(select(func.count()).where(Member.workspace_id == of.workspace_id)).scalar_one()
    if len(lost) >= _most(people, of.alarm_percent):
        raise Held(kind, who, group_id)


def leaving(connection: Connection, *, workspace_id: UUID, group_id: UUID, delta: Delta) -> frozenset[UUID]:
    """Whom a change takes out of a group."""
    inside = ids_in(workspace_id, group_id)
    if not delta.cleared:
        inside = inside.where(Membership.member_id.in_(ids_of(delta.removed)))
    staying = set(ids_of(delta.added))
    return frozenset(connection.execute(inside).scalars()) - staying


def keep(connection: Connection, held: Held, *, of: ConnectionView) -> None:
    """Keep what was held; the same thing asked for again is kept once."""
    there = select(HeldChange.member_id).where(
        HeldChange.workspace_id == of.workspace_id,
        HeldChange.connection_id == of.id,
        HeldChange.kind == held.kind,
        HeldChange.group_id.is_not_distinct_from(held.group_id),
    )
    new = held.who - set(connection.execute(there).scalars())
    key = {"workspace_id": of.workspace_id, "connection_id": of.id, "kind": held.kind, "group_id": held.group_id}
    if new:
        rows = [{"id": entropy.new_id(), "member_id": member, **key} for member in sorted(new)]
        connection.execute(insert(HeldChange), rows)


@dataclass(frozen=True, slots=True)
class HeldView:
    """Something that a connection asked for and that waits for somebody to look at it."""

    id: UUID
    kind: str
    member_id: UUID
    group_id: UUID | None
    created_at: datetime


def count_held(connection: Connection, *, workspace_id: UUID, connection_id: UUID) -> int:
    """How much waits."""
    here = (HeldChange.workspace_id == workspace_id, HeldChange.connection_id == connection_id)
    return connection.execute(select(func.count()).select_from(HeldChange).where(*here)).scalar_one()


def held(
    connection: Connection, *, workspace_id: UUID, connection_id: UUID, most: int | None = None
) -> Sequence[HeldView]:
    """What waits, in the order in which it was asked for.

    Args:
        connection: to read with.
        workspace_id: the workspace.
        connection_id: whose changes they are.
        most: so many at the most; None for all of them.
    """
    wanted = (
        select(HeldChange.id, HeldChange.kind, HeldChange.member_id, HeldChange.group_id, HeldChange.created_at)
        .where(HeldChange.workspace_id == workspace_id, HeldChange.connection_id == connection_id)
        .order_by(HeldChange.id)
        .limit(most)
    )
    return [HeldView(*row) for row in connection.execute(wanted)]


def settle(connection: Connection, *, workspace_id: UUID, connection_id: UUID, confirmed: bool, by: Actor) -> int:
    """Do what waits, or drop it, and return how much that was.

    Args:
        connection: in a transaction.
        workspace_id: the workspace.
        connection_id: whose changes they are.
        confirmed: whether they are to be done.
        by: who has looked at them.
    """
    waiting = held(connection, workspace_id=workspace_id, connection_id=connection_id)
    if not waiting:
        return 0
    kinds = extensions.kinds(connection, workspace_id=workspace_id)
    for change in waiting if confirmed else ():
        _do(connection, change, workspace_id=workspace_id, asked_by=connection_id, kinds=kinds, by=by)
    here = (HeldChange.workspace_id == workspace_id, HeldChange.connection_id == connection_id)
    gone = delete(HeldChange).where(*here, HeldChange.id.in_([change.id for change in waiting]))
    fact = HeldChangesSettled(connection_id=connection_id, confirmed=confirmed, count=len(waiting))
    connection.execute(outbox.together(connection, gone, fact, workspace_id=workspace_id, by=by))
    return len(waiting)


def _do(
    connection: Connection, change: HeldView, *, workspace_id: UUID, asked_by: UUID, kinds: Kinds, by: Actor
) -> None:
    """What has become of itself in the meantime is left as it is."""
    try:
        if change.kind == TAKE_OUT and change.group_id is not None:
            group = groups.lock(connection, workspace_id=workspace_id, group_id=change.group_id)
            delta = Delta(removed=(str(change.member_id),))
            profile = GroupProfile.of(group.document, kinds.group)
            groups.store(connection, group=group, profile=profile, delta=delta, by=by)
            return
        member = roster.lock(connection, workspace_id=workspace_id, member_id=change.member_id)
        if change.kind == REMOVE:
            members.remove(connection, member=member, by=by, asked_by=asked_by)
        elif member.active:
            suspended = Profile.of({**member.document, "active": False}, kinds.user)
            members.store(connection, member=member, profile=suspended, connection_id=None, by=by, kind=kinds.user)
    except NotFound:
        return
