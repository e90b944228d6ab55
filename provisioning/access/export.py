"""Who has what, as a table for auditors: a line for each path by which a member has a role, in CSV (RFC 4180).

Read in batches, so that neither memory nor a transaction grows with the workspace. What a spreadsheet would run as a
formula is text in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import spreadsheet
from provisioning.access import custom_roles, holders
from provisioning.access.roles import Catalogue
from provisioning.access.rules import Scope
from provisioning.directory.models import Connection as ConnectionRow
from provisioning.directory.models import Member

COLUMNS = (
    *("user_id", "name", "email", "state", "member_origin", "member_connection"),
    *("role", "role_name", "scope", "via", "group", "mapping", "condition", "policy_id", "policy_origin", "ends_at"),
)
# So many of them are about the person.
_ABOUT = 6
_AT_ONCE = 500

Reading = Callable[[], AbstractContextManager[Connection]]


def as_csv(reading: Reading, *, workspace_id: UUID, catalogue: Catalogue) -> Iterator[str]:
    """The table, some lines at a time.

    Args:
        reading: opens a connection to read with; none is held between two batches.
        workspace_id: whose people.
        catalogue: the built-in roles.
    """
    yield spreadsheet.written([COLUMNS])
    after: UUID | None = None
    while True:
        with reading() as connection:
            people = _people(connection, workspace_id, after)
            table = _table(connection, workspace_id, catalogue, people)
        if people:
            yield spreadsheet.written(table)
            after = people[-1].id
        if len(people) < _AT_ONCE:
            return


_MEMBERS = select(
    Member.id,
    func.coalesce(Member.display_name, Member.user_name).label("name"),
    Member.user_name.label("email"),
    Member.active,
    Member.origin,
    ConnectionRow.name.label("connection"),
).outerjoin(
    ConnectionRow, (ConnectionRow.workspace_id == Member.workspace_id) & (ConnectionRow.id == Member.connection_id)
)


def _people(connection: Connection, workspace_id: UUID, after: UUID | None) -> Sequence[Any]:
    wanted = _MEMBERS.where(Member.workspace_id == workspace_id).order_by(Member.id).limit(_AT_ONCE)
    return connection.execute(wanted if after is None else wanted.where(Member.id > after)).all()


def _table(
    connection: Connection, workspace_id: UUID, catalogue: Catalogue, people: Sequence[Any]
) -> list[Sequence[Any]]:
    """A line for each path to a role; whoever has none, for they are suspended, has one line all the same."""
    roles = custom_roles.of_workspace(connection, workspace_id=workspace_id, catalogue=catalogue)
    ids = [person.id for person in people]
    had: dict[UUID, list[Sequence[Any]]] = {}
    for line in holders.lines(connection, workspace_id=workspace_id, catalogue=catalogue, ids=ids):
        steps = (line.group_name, line.mapping_name, line.condition, line.policy_id, line.origin, line.ends_at)
        had.setdefault(line.member_id, []).append(
            (line.role, roles[line.role].name, _scope(line.scope), line.via, *steps)
        )
    nothing: list[Sequence[Any]] = [("",) * (len(COLUMNS) - _ABOUT)]
    return [(*_about(person), *line) for person in people for line in had.get(person.id, nothing)]


def _about(person: Any) -> tuple[Any, ...]:
    state = "active" if person.active else "suspended"
    return (person.id, person.name, person.email, state, person.origin, person.connection)


def _scope(stored: dict[str, Any]) -> str:
    scope = Scope.from_json(stored)
    return " and ".join(sorted(scope.labels)) or ", ".join(sorted(map(str, scope.resources))) or "all"
