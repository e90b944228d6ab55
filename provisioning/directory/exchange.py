"""Members come into a group and leave it by one statement, where nothing else hangs on it.

Whoever holds a group has everybody else who changes it wait: while one statement runs, and not while several travel.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    delete,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from provisioning import outbox
from provisioning.directory import groups
from provisioning.directory.events import GroupMembersChanged
from provisioning.directory.groups import GroupView
from provisioning.directory.memberships import Delta, ids_in, ids_of
from provisioning.directory.models import Group, Member, Membership
from provisioning.outbox import Actor
from provisioning.prepared import Prepared, Row

_WORKSPACE: BindParameter[Any] = bindparam("workspace")
_GROUP: BindParameter[Any] = bindparam("group")
_ADDED, _REMOVED = bindparam("added", type_=ARRAY(Uuid)), bindparam("removed", type_=ARRAY(Uuid))
# PostgreSQL gives up before we do: what waits for a group when we are gone would be done all the same, and who knows
# after what else.
_PATIENCE = "8s"
# The version that the group had when the statement began.
_then = aliased(Group)
_THEN = select(_then.version).where(_then.workspace_id == _WORKSPACE, _then.id == _GROUP).scalar_subquery()


def _unseen(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """A value of which PostgreSQL makes nothing when it plans.

    Else it plans the statement anew for each request: with one id, or so few members, it takes less than with the ids
    and members that are supposed where they aren't known yet, and what the planning takes counts little with it.
    """
    return cast(select(value).scalar_subquery(), value.type)


def _among(ids: BindParameter[Any]) -> Any:
    return func.any(_unseen(ids))


def _sure() -> tuple[CTE, CTE]:
    """The group, held, if all who are named are known and nobody who is to leave is protected; and who is to come.

    The group is held before anybody in it is, as in a transaction: those who are known are looked for by its row. Who
    comes into it while the statement waits for that is seen by no part of it, and could not be taken out.
    """
    pushed = Group.is_pushed_by(bindparam("connection"))
    bounded = func.set_config("lock_timeout", bindparam("patience", type_=Text), true()).is_not(None)
    held = (
        select(Group.workspace_id, Group.id, Group.version)
        .where(Group.workspace_id == _WORKSPACE, Group.id == _GROUP, pushed, bounded)
        .with_for_update(key_share=True)
        .cte("held")
    )
    known = (
        select(Member.id)
        .join(held, Member.workspace_id == held.c.workspace_id)
        .where(Member.id == _among(_ADDED))
        .with_for_update(read=True, key_share=True, of=Member)
        .cte("known")
    )
    leaving = aliased(Member)
    free = select(func.count()).where(
        leaving.workspace_id == _WORKSPACE, leaving.id == _among(_REMOVED), ~leaving.protected
    )
    are_known = select(func.count()).select_from(known).scalar_subquery() == func.cardinality(_ADDED)
    are_free = free.scalar_subquery() == func.cardinality(_REMOVED)
    sees_all = or_(func.cardinality(_REMOVED) == 0, held.c.version == _THEN)
    return select(held).where(are_known, are_free, sees_all).cte("sure"), known


def _statement(*, shows: bool) -> Prepared:
    """The statement: no row where it takes more; else who came, who left, and the group if anybody did.

    What is shown are the members as they were when it began, unless they are too many; and whether nobody else has
    changed the group between then and when it was held.
    """
    sure, known = _sure()
    came = (
        insert(Membership)
        .from_select(
            ["workspace_id", "group_id", "member_id"],
            select(sure.c.workspace_id, sure.c.id, known.c.id).join(known, true()).order_by(known.c.id),
        )
        .on_conflict_do_nothing()
        .returning(Membership.member_id)
        .cte("came")
    )
    here = (Membership.workspace_id == sure.c.workspace_id, Membership.group_id == sure.c.id)
    gone = delete(Membership).where(*here, Membership.member_id == _among(_REMOVED)).returning(Membership.member_id)
    outcome = select(
        sure.c.workspace_id,
        sure.c.id,
        sure.c.version,
        _array(select(came.c.member_id)).label("added"),
        _array(select(gone.cte("gone").c.member_id)).label("removed"),
    ).cte("outcome")
    changed = (
        update(Group)
        .where(Group.workspace_id == outcome.c.workspace_id, Group.id == outcome.c.id)
        .where(func.cardinality(outcome.c.added) + func.cardinality(outcome.c.removed) > 0)
        .values(version=Group.version + 1, modified_at=func.clock_timestamp())
        .returning(*groups.COLUMNS)
        .cte("changed")
    )
    who = func.jsonb_build_object("added", outcome.c.added, "removed", outcome.c.removed)
    before = _before(outcome.c.version) if shows else ()
    return Prepared(
        select(changed, outcome.c.added, outcome.c.removed, *before)
        .select_from(outcome.outerjoin(changed, true()))
        .add_cte(outbox.facts_of(changed, more=who))
    )


def _array(rows: Select[Any]) -> Any:
    return func.array(rows.scalar_subquery(), type_=ARRAY(Uuid))


def _before(held: ColumnElement[int]) -> tuple[Any, Any]:
    """Whether the group is held as it was when the statement began; and its members then, None if they are too many."""
    most = bindparam("most", type_=Integer)
    some = ids_in(_WORKSPACE, _GROUP).limit(_unseen(most + 1)).subquery("some")
    ids = func.coalesce(func.array_agg(some.c.member_id), cast([], ARRAY(Uuid)))
    return held == _THEN, select(case((func.count() <= most, ids))).select_from(some).scalar_subquery()


_EXCHANGE, _EXCHANGE_AND_SHOW = _statement(shows=False), _statement(shows=True)


def exchange(
    connection: Connection,
    *,
    workspace_id: UUID,
    group_id: UUID,
    connection_id: UUID,
    delta: Delta,
    by: Actor,
    most: int = 0,
) -> GroupView | None:
    """Have members come into a pushed group, and leave it, by one statement.

    Args:
        connection: on which the statement stands alone, or in a transaction that holds the group.
        workspace_id: whose group it is.
        group_id: which one.
        connection_id: who pushes it.
        delta: who joins and who leaves, not everybody.
        by: who did it.
        most: of a group with so many members at the most they are told; 0 tells none.

    Returns:
        The group as stored; or None, and nothing is done, where it takes `groups.store`: the connection pushes no such
        group, somebody named is still to come, an owner protects somebody who is to leave, somebody is to leave a group
        that others have just changed, or somebody is to join and to leave.

    Raises:
        DBAPIError: contended, where others hold the group for long.
    """
    added, removed = set(ids_of(delta.added)), set(ids_of(delta.removed))
    if len(added) < len(set(delta.added)) or len(removed) < len(set(delta.removed)) or added & removed:
        return None
    fact = GroupMembersChanged(group_id=group_id, added=(), removed=())
    values = {
        "workspace": workspace_id,
        "group": group_id,
        "connection": connection_id,
        "added": list(added),
        "removed": list(removed),
        "patience": _PATIENCE,
        "most": most + len(removed),
        **outbox.told(connection, fact, workspace_id=workspace_id, by=by),
    }
    row = (_EXCHANGE_AND_SHOW if most else _EXCHANGE).one_or_none(connection, values)
    if row is None:
        return None
    shown = _shown(row, shows=bool(most))
    if shown is None:
        where = {"workspace_id": workspace_id, "group_id": group_id}
        shown = groups.by_id(connection, **where, most=most + 1 if most else 0)
    return shown if len(shown.members or ()) <= most else shown._replace(members=None)


def _shown(row: Row, *, shows: bool) -> GroupView | None:
    """The group as the statement tells it; None where it tells nothing, or others have changed it meanwhile."""
    own = len(groups.COLUMNS)
    if row[0] is None:
        return None
    group, (added, removed, *rest) = groups.view(row[:own]), row[own:]
    if not shows:
        return group
    is_current, before = rest
    if not is_current:
        return None
    if before is None:
        return group
    # By their numbers, which is the order of ids, and is found by comparing integers.
    members = sorted({*before, *added}.difference(removed), key=attrgetter("int"))
    return group._replace(members=tuple(members))
