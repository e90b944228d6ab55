"""Who is in which user group: what takes members out, brings them in, and awaits those who are still to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, Uuid, bindparam, delete, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection

from provisioning.directory import awaiting
from provisioning.directory.conditions import as_id
from provisioning.directory.models import AwaitedMember, Group, Member, Membership
from provisioning.outbox import Actor
from provisioning.prepared import Prepared
from provisioning.refusals import Invalid, ProtectedMember


@dataclass(frozen=True, slots=True)
class Delta:
    """A change of membership: first everybody out if `cleared`, then `removed` out, then `added` in.

    People are named by their id, or by the externalId that the group's connection gave them or is going to give.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    cleared: bool = False


class _Group(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def workspace_id(self) -> UUID: ...
    @property
    def connection_id(self) -> UUID | None: ...


def leave(connection: Connection, *, group: _Group, delta: Delta, by: Actor) -> tuple[UUID, ...]:
    """Take members out; those that are to stay in are left alone, so that a replacement touches only the difference.

    Args:
        connection: in the transaction that locked the group.
        group: whose members they are.
        delta: who leaves.
        by: who did it.

    Returns:
        The ids of those who were there.

    Raises:
        ProtectedMember: the identity provider would take out a member whom an owner protects.
    """
    if not delta.cleared and not delta.removed:
        return ()
    names = delta.added if delta.cleared else delta.removed
    values = {"workspace": group.workspace_id, "group": group.id, "ids": ids_of(names), "names": list(names)}
    rows = (_EMPTY if delta.cleared else _TAKE_OUT).rows(connection, values)
    if by.kind == "connection" and any(is_protected for _, is_protected in rows):
        raise ProtectedMember("An owner of this workspace protects a member whom this would take out of the group.")
    return tuple(member_id for member_id, _ in rows)


def inside(workspace: Any, group: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The condition of being in one group.

    It is written as a range of groups, from this one to this one, of which PostgreSQL supposes that it holds few: of a
    value it supposes what it has counted, and where most of a workspace was in one group then, it takes the same for
    each, and walks through the whole workspace instead of the group.
    """
    return Membership.workspace_id == workspace, Membership.group_id.between(group, group)


def ids_in(workspace: Any, group: Any) -> Select[UUID]:
    """The ids of the members of one group, in their order, which only the index of groups has, too."""
    return (
        select(Membership.member_id)
        .where(*inside(workspace, group))
        .order_by(Membership.group_id, Membership.member_id)
    )


# Told along with whom a deletion has taken out, at the cost of no statement.
_PROTECTED = (
    select(Member.protected)
    .where(Member.workspace_id == Membership.workspace_id, Member.id == Membership.member_id)
    .correlate(Membership)
    .scalar_subquery()
    .label("protected")
)


def _leaving(*, named: bool) -> Prepared:
    """The deletion of some members of a group, and of those whom it awaits: of those who are named, or all but them."""
    here: tuple[Any, Any] = (bindparam("workspace"), bindparam("group"))
    ids, names = bindparam("ids", type_=ARRAY(Uuid)), bindparam("names", type_=ARRAY(Text))
    leaving = delete(Membership).where(
        *inside(*here),
        Membership.member_id == func.any(ids) if named else Membership.member_id != func.all(ids),
    )
    forgotten = awaiting.forgotten(*here).where(
        AwaitedMember.name == func.any(names) if named else AwaitedMember.name != func.all(names)
    )
    return Prepared(leaving.add_cte(forgotten.cte("forgotten")).returning(Membership.member_id, _PROTECTED))


_TAKE_OUT, _EMPTY = _leaving(named=True), _leaving(named=False)


def ids_of(names: Sequence[str]) -> list[UUID]:
    """Those of some names that are ids."""
    return [identifier for name in names if (identifier := as_id(name)) is not None]


# Adds whom the workspace knows and tells them, so that somebody unknown is noticed in the same round trip.
_ADD = Prepared(
    text(
        """
    WITH known AS (
        SELECT id FROM member WHERE workspace_id = :workspace AND id = ANY(:members) FOR KEY SHARE
    ), added AS (
        INSERT INTO membership (workspace_id, group_id, member_id)
        SELECT :workspace, :group, id FROM known ORDER BY id
        ON CONFLICT DO NOTHING RETURNING member_id
    )
    SELECT ARRAY(SELECT id FROM known), ARRAY(SELECT member_id FROM added)
    """
    )
)


def join(connection: Connection, *, group: _Group, members: Sequence[str], by: Actor, awaits: bool) -> tuple[UUID, ...]:
    """Add members, and await those who are still to come.

    Args:
        connection: in the transaction that locked the group, or made it.
        group: which they join.
        members: ids of the workspace's members, or externalIds of the group's connection.
        by: who did it.
        awaits: whether members may be named who are still to come.

    Returns:
        The ids of those who were not there yet.

    Raises:
        Invalid: nobody pushes the group, and somebody who is to join is not a member of the workspace.
    """
    named = {name: as_id(name) for name in members}
    known, added = _add_known(connection, group, {identifier for identifier in named.values() if identifier})
    unknown = [name for name, identifier in named.items() if identifier not in known]
    if not unknown:
        return added
    if group.connection_id is None or not awaits:
        raise Invalid(f"There is no User {unknown[0][:64]} in this workspace.", field="members")
    _refuse_groups(connection, group.workspace_id, unknown)
    present = awaiting.expect(
        connection,
        workspace_id=group.workspace_id,
        group_id=group.id,
        connection_id=group.connection_id,
        names=unknown,
        by=by,
    )
    return (*added, *_add_known(connection, group, set(present))[1]) if present else added


def _refuse_groups(connection: Connection, workspace_id: UUID, names: Sequence[str]) -> None:
    """Who is unknown may still come, but a group never becomes a person: it would be awaited for ever."""
    ids = ids_of(names)
    if not ids:
        return
    groups = select(Group.id).where(Group.workspace_id == workspace_id, Group.id == func.any(ids)).limit(1)
    found = connection.execute(groups).scalar_one_or_none()
    if found is not None:
        raise Invalid(f"{found} is a group: only people can be members of a group.", field="members")


def _add_known(connection: Connection, group: _Group, ids: set[UUID]) -> tuple[frozenset[UUID], tuple[UUID, ...]]:
    """Add those of these whom the workspace knows; who that is, and who of them is new in the group."""
    parameters = {"workspace": group.workspace_id, "group": group.id, "members": list(ids)}
    known, added = _ADD.one(connection, parameters)
    return frozenset(known), tuple(added)
