"""What if: who would gain and who would lose which role on which resources, told before anything is saved.

A change is made in a transaction that is never committed, and the access of everybody is compared before and after it:
so a preview says what would really happen, whatever the change is, and holds for the moment in which it was asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypedDict
from uuid import UUID

from sqlalchemy import bindparam, column, func, literal, select, table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection

from provisioning.access import custom_roles, holders
from provisioning.access.roles import Catalogue
from provisioning.database import reading
from provisioning.directory.models import Member

_BEFORE, _AFTER = 0, 1
# Dropped with the transaction: what is in them is never written anywhere.
_TABLES = (
    "CREATE TEMP TABLE access_line (stage int, member_id uuid, role text, scope jsonb) ON COMMIT DROP",
    "CREATE TEMP TABLE access_reach (stage int, role text, scope jsonb, resource text) ON COMMIT DROP",
    "CREATE TEMP TABLE access_kind (member_id uuid, kind bigint) ON COMMIT DROP",
    "CREATE TEMP TABLE access_change (kind bigint, role text, resource text, change text) ON COMMIT DROP",
)
_ACCESS_LINE = table("access_line", *map(column, ("stage", "member_id", "role", "scope")))
_REACH = text(
    """
    WITH held AS (SELECT DISTINCT role, scope FROM access_line WHERE stage = :stage),
    carrying AS (
        SELECT resource_type, resource_id, jsonb_agg(key || ':' || value) AS labels
        FROM resource_label WHERE workspace_id = :workspace GROUP BY resource_type, resource_id
    )
    INSERT INTO access_reach
    SELECT :stage, role, scope, '*' FROM held WHERE scope ->> 'kind' = 'all'
    UNION ALL
    SELECT :stage, role, scope, listed FROM held, jsonb_array_elements_text(scope -> 'resources') AS listed
    UNION ALL
    SELECT :stage, held.role, scope, resource_type || ':' || resource_id
    FROM held JOIN carrying ON carrying.labels @> (scope -> 'labels')
    WHERE :types -> held.role ? resource_type
    """
).bindparams(bindparam("types", type_=JSONB))
# Nobody else does that for tables that are gone with the transaction, and a plan for few rows takes minutes with many.
_LOOK_OVER = text("ANALYZE access_line, access_reach")
# Those whom the change may concern are told apart by what they have before and after it: most of them have the same.
_KINDS = text(
    """
    INSERT INTO access_kind
    WITH affected AS (
        SELECT member_id FROM access_line GROUP BY member_id, role, scope HAVING count(*) < 2
        UNION
        SELECT member_id FROM access_line JOIN (
            SELECT DISTINCT role, scope FROM access_reach GROUP BY role, scope, resource HAVING count(*) < 2
        ) AS shifted USING (role, scope)
        UNION
        SELECT member_id FROM access_line WHERE role = ANY(:roles)
    ), told AS (
        SELECT member_id, jsonb_agg(jsonb_build_array(stage, role, scope) ORDER BY stage, role, scope) AS has
        FROM affected JOIN access_line USING (member_id) GROUP BY member_id
    )
    SELECT member_id, dense_rank() OVER (ORDER BY has) FROM told
    """
)
# So one of each kind is compared, resource by resource, whether ten people are like that or 100,000.
_CHANGES = text(
    """
    INSERT INTO access_change
    WITH line AS (
        SELECT DISTINCT stage, kind, role, resource
        FROM (SELECT DISTINCT ON (kind) kind, member_id FROM access_kind) AS one
        JOIN access_line USING (member_id) JOIN access_reach USING (stage, role, scope)
    ), effective AS (
        SELECT line.*, bool_or(resource = '*') OVER (PARTITION BY stage, kind, role) AS has_all FROM line
    ), compared AS (
        SELECT kind, role, resource, bool_or(stage = 0) AS before, bool_or(stage = 1) AS after
        FROM effective WHERE resource = '*' OR NOT has_all GROUP BY kind, role, resource
    )
    SELECT kind, role, resource,
           CASE WHEN NOT before THEN 'gains' WHEN NOT after THEN 'loses' ELSE 'changes' END AS change
    FROM compared WHERE before <> after OR role = ANY(:roles)
    """
)
_COUNTS = text(
    """
    SELECT coalesce(sum(people * gains), 0), coalesce(sum(people * losses), 0),
           coalesce(sum(people) FILTER (WHERE gains > 0), 0), coalesce(sum(people) FILTER (WHERE losses > 0), 0),
           coalesce(sum(people), 0), coalesce(sum(people * changes), 0)
    FROM (SELECT kind, count(*) AS people FROM access_kind GROUP BY kind) AS alike JOIN (
        SELECT kind, count(*) AS changes, count(*) FILTER (WHERE change = 'gains') AS gains,
               count(*) FILTER (WHERE change = 'loses') AS losses
        FROM access_change GROUP BY kind
    ) AS changed USING (kind)
    """
)
_PAGE = text(
    """
    WITH placed AS (
        SELECT member_id, kind, changes, sum(changes) OVER (ORDER BY member_id) - changes AS before
        FROM access_kind JOIN (SELECT kind, count(*) AS changes FROM access_change GROUP BY kind) AS one USING (kind)
    ), line AS (
        SELECT member_id, role, resource, change,
               before + row_number() OVER (PARTITION BY member_id ORDER BY role, resource, change) AS place
        FROM placed JOIN access_change USING (kind)
        WHERE before < :start + :count AND before + changes > :start
    )
    SELECT member_id, role, resource, change FROM line WHERE place > :start AND place <= :start + :count ORDER BY place
    """
)


@dataclass(frozen=True, slots=True)
class Line:
    """One person's gain or loss of a role on a resource (`type:id`), or on all of its kind, now and later (`*`).

    `changes` means that the role is theirs before and after, and allows something else.
    """

    user_id: UUID
    name: str
    email: str
    change: Literal["gains", "loses", "changes"]
    role: str
    resource: str


@dataclass(frozen=True, slots=True)
class RoleChange:
    """What a role would allow more and less."""

    role: str
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do: how many lines and people, and some of the lines."""

    gains: int
    losses: int
    people_gaining: int
    people_losing: int
    people_affected: int
    people_unchanged: int
    total: int
    lines: tuple[Line, ...]
    roles: tuple[RoleChange, ...]


class _Where(TypedDict):
    workspace_id: UUID
    catalogue: Catalogue


class Comparison:
    """Compares a workspace's access before and after what is done on a connection that is rolled back in the end.

    Args:
        connection: in the transaction that is rolled back.
        workspace_id: where.
        catalogue: the built-in roles.
    """

    def __init__(self, connection: Connection, *, workspace_id: UUID, catalogue: Catalogue) -> None:
        self._connection = connection
        self._where: _Where = {"workspace_id": workspace_id, "catalogue": catalogue}
        for statement in _TABLES:
            connection.execute(text(statement))
        self._roles_before = self._note(_BEFORE)

    def _note(self, stage: int) -> Catalogue:
        """Write down who has what at this moment."""
        roles = custom_roles.of_workspace(self._connection, **self._where)
        every = holders.everybody(self._connection, **self._where).subquery()
        lines = select(literal(stage), every.c.member_id, every.c.role, every.c.scope).distinct()
        self._connection.execute(_ACCESS_LINE.insert().from_select(_ACCESS_LINE.c.keys(), lines))
        types = {role.key: sorted(role.resource_types) for role in roles}
        self._connection.execute(_REACH, {"stage": stage, "workspace": self._where["workspace_id"], "types": types})
        self._connection.execute(_LOOK_OVER)
        return roles

    def difference(self, *, start: int, count: int) -> Preview:
        """What has changed since this comparison began.

        Args:
            start: the place of the first line that is told, from 1.
            count: how many lines are told.
        """
        roles = tuple(_changed(self._roles_before, self._note(_AFTER)))
        changed = {"roles": [role.role for role in roles]}
        for statement in (_KINDS, _CHANGES):
            self._connection.execute(statement, changed)
        counts = self._connection.execute(_COUNTS).one()
        gains, losses, gaining, losing, affected, total = map(int, counts)
        rows = self._connection.execute(_PAGE, {"start": start - 1, "count": count}).all()
        people = self._people({row.member_id for row in rows})
        lines = tuple(Line(row.member_id, *people[row.member_id], row.change, row.role, row.resource) for row in rows)
        everybody = self._connection.execute(text("SELECT count(DISTINCT member_id) FROM access_line")).scalar_one()
        return Preview(gains, losses, gaining, losing, affected, everybody - affected, total, lines, roles)

    def _people(self, ids: set[UUID]) -> dict[UUID, tuple[str, str]]:
        """What people are called: also those who would be gone, whom only others still see."""
        found = _names(self._connection, self._where["workspace_id"], ids)
        if ids - found.keys():
            with reading() as outside:
                found |= _names(outside, self._where["workspace_id"], ids - found.keys())
        return found


def _names(connection: Connection, workspace_id: UUID, ids: set[UUID]) -> dict[UUID, tuple[str, str]]:
    wanted = select(Member.id, func.coalesce(Member.display_name, Member.user_name), Member.user_name)
    rows = connection.execute(wanted.where(Member.workspace_id == workspace_id, Member.id.in_(ids)))
    return {identifier: (name, email) for identifier, name, email in rows}


def _changed(before: Catalogue, after: Catalogue) -> Iterator[RoleChange]:
    """The roles that are there before and after, and allow something else."""
    for role in after:
        was = before.get(role.key)
        if was is not None and was.actions != role.actions:
            yield RoleChange(
                role.key, tuple(sorted(role.actions - was.actions)), tuple(sorted(was.actions - role.actions))
            )
