"""Lists of members, of groups and of both: filtered, sorted and cut by PostgreSQL, through somebody's eyes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Numeric, Select, Uuid, bindparam, cast, literal, null, select, union_all
from sqlalchemy.engine import Connection

from provisioning.directory import groups, roster, tally
from provisioning.directory.filters import ANYBODY, Compiler, Order, Viewer, over_groups, over_members
from provisioning.directory.groups import GroupView
from provisioning.directory.models import Group, Member, Membership
from provisioning.directory.paging import Page, Sorting, Walk, Window, fetch
from provisioning.directory.roster import MemberView
from provisioning.prepared import Prepared
from provisioning.scim.compare import fold
from provisioning.scim.errors import InvalidFilter
from provisioning.scim.filter import Comparison, Filter, paths
from provisioning.scim.path import AttributePath


@dataclass(frozen=True, slots=True)
class Selection:
    """What a list is asked for.

    Args:
        window: which part of it.
        condition: a SCIM filter; None for everything.
        order: by what it is sorted, as SCIM names it or by a column; None for the order in which things came.
        viewer: through whose eyes.
    """

    window: Window
    condition: Filter | None = None
    order: Order | Sorting | None = None
    viewer: Viewer = ANYBODY

    @property
    def is_everything(self) -> bool:
        """Whether it is all there are, in the order in which they came, from the first to the last."""
        return self.condition is None and self.order is None and self.window.before is None


# What lists can be narrowed to besides filters, which name only what identity providers know.
OWNERS: ColumnElement[bool] = Member.owner.expression
PROTECTED: ColumnElement[bool] = Member.protected.expression
BY_NO_CONNECTION = Member.connection_id.is_(None)
LINKED = Group.connection_id.is_not(None)
LOCAL = Group.connection_id.is_(None)
# Ids are given out in order: an index leads to the newest.
NEWEST_MEMBERS = Sorting(Member.id.expression, descending=True, never_none=True)
NEWEST_GROUPS = Sorting(Group.id.expression, descending=True, never_none=True)


def pushed_by(connection_id: UUID) -> ColumnElement[bool]:
    """Whether a member is one of those whom a connection pushes."""
    return Member.connection_id == connection_id


_OURS = roster.VIEW.where(Member.workspace_id == bindparam("workspace"))
_MEMBERS = Walk(
    _OURS,
    identifier=Member.id,
    counted=tally.total(bindparam("workspace", type_=Uuid)),
    read=roster.view,
)
# What identity providers ask before everything else they do: for one by the name that only one can have.
_BY_USER_NAME = Prepared(_OURS.where(Member.user_name_key == bindparam("key")))


def _looked_up(selection: Selection, name: str) -> str | None:
    """The folded value of an attribute, where nothing is asked but who has it."""
    if selection.order is not None or selection.window.start_index != 1 or selection.window.is_walked:
        return None
    match selection.condition:
        case Comparison(AttributePath(urn=None, name=asked, sub=None), "eq", str(value)) if asked.lower() == name:
            return fold(value)
    return None


def of_members(
    connection: Connection,
    *,
    workspace_id: UUID,
    selection: Selection,
    meeting: Sequence[ColumnElement[bool]] = (),
) -> Page[MemberView]:
    """Some of the workspace's members, and how many there are.

    Args:
        connection: to read with.
        workspace_id: the workspace.
        selection: which of them.
        meeting: what else must be true of them.

    Raises:
        InvalidFilter: the filter or order names what members can't be found or sorted by.
    """
    name = None if meeting else _looked_up(selection, "username")
    if name is not None:
        rows = _BY_USER_NAME.rows(connection, {"workspace": workspace_id, "key": name})
        return Page(tuple(map(roster.view, rows))[: selection.window.count], len(rows))
    if selection.is_everything and not meeting:
        return _MEMBERS.fetch(connection, {"workspace": workspace_id}, selection.window)
    compiler = over_members(selection.viewer)
    found = _found(roster.VIEW.where(Member.workspace_id == workspace_id, *meeting), compiler, selection)
    return fetch(
        connection,
        found,
        identifier=Member.id,
        window=selection.window,
        sorting=_sorting(compiler, selection),
        read=roster.view,
    )


def people(*, workspace_id: UUID, condition: Filter) -> Select[UUID]:
    """The people behind the members for whom a filter holds, for what is listed by people.

    Raises:
        InvalidFilter: the filter names what members can't be found by.
    """
    return select(Member.user_id).where(Member.workspace_id == workspace_id, over_members(ANYBODY).condition(condition))


def of_group(connection: Connection, *, workspace_id: UUID, group_id: UUID, window: Window) -> Page[MemberView]:
    """Some of a group's members, and how many there are.

    Raises:
        NotFound: the workspace has no such group.
    """
    groups.by_id(connection, workspace_id=workspace_id, group_id=group_id)
    belonging = (Membership.workspace_id == Member.workspace_id) & (Membership.member_id == Member.id)
    inside = roster.VIEW.join(Membership, belonging).where(
        Membership.workspace_id == workspace_id, Membership.group_id == group_id
    )
    return fetch(connection, inside, identifier=Member.id, window=window, sorting=None, read=roster.view)


def of_groups(
    connection: Connection,
    *,
    workspace_id: UUID,
    selection: Selection,
    linked_to: UUID | None = None,
    with_members: bool = False,
    meeting: Sequence[ColumnElement[bool]] = (),
) -> Page[GroupView]:
    """Some of the workspace's groups, and how many there are.

    Args:
        connection: to read with.
        workspace_id: the workspace.
        selection: which of them.
        linked_to: only the groups that this connection pushes.
        with_members: whether their members are told; if not, the table of memberships is not touched for them.
        meeting: what else must be true of them.

    Raises:
        InvalidFilter: the filter or order names what groups can't be found or sorted by.
    """
    compiler = over_groups(selection.viewer)
    wanted = groups.WITH_MEMBERS if with_members else groups.VIEW
    found = _found(wanted.where(*_groups(workspace_id, linked_to), *meeting), compiler, selection)
    return fetch(
        connection,
        found,
        identifier=Group.id,
        window=selection.window,
        sorting=_sorting(compiler, selection),
        read=groups.view,
    )


def of_both(
    connection: Connection, *, workspace_id: UUID, selection: Selection, linked_to: UUID, with_members: bool
) -> Page[MemberView | GroupView]:
    """Members and groups in one list (RFC 7644, section 3.4.2.1): what one of them doesn't have is absent there.

    Raises:
        InvalidFilter: the filter or order names what neither has, or what can't be compared or sorted by.
    """
    _refuse_unknown(selection)
    viewer = selection.viewer
    over = (over_members(viewer, lenient=True), over_groups(viewer, lenient=True))
    parts = (
        select(Member.id, literal(0).label("kind")).where(Member.workspace_id == workspace_id),
        select(Group.id, literal(1).label("kind")).where(*_groups(workspace_id, linked_to)),
    )
    keys = _comparable([_sorting(compiler, selection) for compiler in over])
    halves = [
        _found(part if key is None else part.add_columns(key.label("key")), compiler, selection)
        for part, compiler, key in zip(parts, over, keys, strict=True)
    ]
    both = union_all(*halves).subquery("both")
    sorting = None if selection.order is None else Sorting(both.c.key, selection.order.descending)
    page = fetch(
        connection,
        select(both.c.id, both.c.kind),
        identifier=both.c.id,
        window=selection.window,
        sorting=sorting,
        read=lambda row: (row[0], row[1]),
    )
    found = _by_ids(connection, workspace_id, page.items, with_members=with_members)
    # Who has gone since is left out.
    return Page(tuple(found[item] for item, _ in page.items if item in found), page.total, page.next)


def _groups(workspace_id: UUID, linked_to: UUID | None) -> list[Any]:
    wanted: list[Any] = [Group.workspace_id == workspace_id]
    return wanted if linked_to is None else [*wanted, Group.connection_id == linked_to]


def _found(wanted: Select[*tuple[Any, ...]], compiler: Compiler, selection: Selection) -> Select[*tuple[Any, ...]]:
    return wanted if selection.condition is None else wanted.where(compiler.condition(selection.condition))


def _sorting(compiler: Compiler, selection: Selection) -> Sorting | None:
    return compiler.sorting(selection.order) if isinstance(selection.order, Order) else selection.order


def _comparable(sortings: Sequence[Sorting | None]) -> list[ColumnElement[Any] | None]:
    """The keys of both as of one type: an attribute that only one of them has may be a number there."""
    keys = [None if sorting is None else sorting.key for sorting in sortings]
    numbers = [key for key in keys if key is not None and isinstance(key.type, Numeric)]
    return [
        key if key is None or not numbers or isinstance(key.type, Numeric) else cast(null(), Numeric) for key in keys
    ]


def _refuse_unknown(selection: Selection) -> None:
    named = set() if selection.condition is None else set(paths(selection.condition))
    for path in named | ({selection.order.path} if isinstance(selection.order, Order) else set()):
        if not any(kind.find(path.urn, path.name, path.sub) for kind in selection.viewer.kinds):
            raise InvalidFilter(f"Neither a User nor a Group has an attribute {path}.")


def _by_ids(
    connection: Connection, workspace_id: UUID, wanted: tuple[tuple[UUID, int], ...], *, with_members: bool
) -> dict[UUID, MemberView | GroupView]:
    of_kind: dict[int, list[UUID]] = {0: [], 1: []}
    for identifier, kind in wanted:
        of_kind[kind].append(identifier)
    found: dict[UUID, MemberView | GroupView] = {}
    if of_kind[0]:
        rows = connection.execute(roster.VIEW.where(Member.workspace_id == workspace_id, Member.id.in_(of_kind[0])))
        found |= {row[0]: roster.view(row) for row in rows}
    if of_kind[1]:
        view = groups.WITH_MEMBERS if with_members else groups.VIEW
        rows = connection.execute(view.where(Group.workspace_id == workspace_id, Group.id.in_(of_kind[1])))
        found |= {row[0]: groups.view(row) for row in rows}
    return found
