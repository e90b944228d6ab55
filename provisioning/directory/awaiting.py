"""Members whom an identity provider names in a group before it has pushed them: awaited, and joined when they come.

Who comes is known by the externalId that the same connection gives them. Both sides hold the name before they look for
each other, so that neither misses the other.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Delete, delete, exists, func, literal, select, text
from sqlalchemy.engine import Connection

from provisioning import outbox
from provisioning.directory.events import GroupMembersAwaited, GroupMembersChanged
from provisioning.directory.models import AwaitedMember, Group
from provisioning.outbox import Actor

_PRESENT = text(
    """
    SELECT name, m.id FROM unnest(CAST(:names AS text[])) AS name
    JOIN member m ON m.workspace_id = :workspace
        AND m.external_ids @> jsonb_build_object(CAST(:connection AS text), name)
    """
)
_AWAIT = text(
    """
    INSERT INTO awaited_member (workspace_id, group_id, name)
    SELECT :workspace, :group, name FROM unnest(CAST(:names AS text[])) AS name
    ON CONFLICT DO NOTHING RETURNING name
    """
)


# Of the advisory locks of two numbers, those of the first are ours.
_KIND = 1
_HOLD = text("SELECT pg_advisory_xact_lock(:kind, hashtext(key)) FROM unnest(CAST(:keys AS text[])) AS key")


def expect(
    connection: Connection,
    *,
    workspace_id: UUID,
    group_id: UUID,
    connection_id: UUID,
    names: Collection[str],
    by: Actor,
) -> tuple[UUID, ...]:
    """Find those who are there already under the names that the connection gave them, and await the others.

    Returns:
        The ids of those who are there.
    """
    connection.execute(_HOLD, {"keys": sorted(key(connection_id, name) for name in names), "kind": _KIND})
    parameters = {"workspace": workspace_id, "connection": str(connection_id), "names": list(names)}
    present = {row.name: row.id for row in connection.execute(_PRESENT, parameters)}
    missing = [name for name in names if name not in present]
    if missing:
        awaited = {"workspace": workspace_id, "group": group_id, "names": missing}
        if new := tuple(connection.execute(_AWAIT, awaited).scalars()):
            fact = GroupMembersAwaited(group_id=group_id, names=new)
            outbox.append(connection, fact, workspace_id=workspace_id, by=by)
    return tuple(present.values())


def hold(name: ColumnElement[str]) -> ColumnElement[None]:
    """Hold a name, by its `key`, until the transaction ends: to be asked along with something else."""
    return func.pg_advisory_xact_lock(_KIND, func.hashtext(name))


def key(connection_id: UUID, name: str) -> str:
    """Under which a connection's name for somebody is held."""
    return f"{connection_id} {name}"


def is_expected(
    workspace_id: ColumnElement[Any], connection_id: ColumnElement[Any], name: ColumnElement[Any]
) -> ColumnElement[bool]:
    """Whether any group of the connection awaits somebody of this name: to be asked along with something else."""
    return exists().where(
        AwaitedMember.workspace_id == workspace_id,
        AwaitedMember.name == name,
        Group.workspace_id == AwaitedMember.workspace_id,
        Group.id == AwaitedMember.group_id,
        Group.is_pushed_by(connection_id),
    )


def nobody_awaits(
    workspace_id: ColumnElement[Any],
    connection_id: ColumnElement[Any],
    name: ColumnElement[Any],
    held_as: ColumnElement[Any],
) -> ColumnElement[bool]:
    """That no group of the connection awaits somebody of this name, whom the statement makes that asks.

    It is asked of what is committed when it is asked, the name held, and not of what was when the statement began. If
    somebody is awaited, or another holds the name, the statement fails with `lock_not_available`.
    """
    return func.nobody_awaits(workspace_id, connection_id, name, held_as)


_ARRIVE = text(
    """
    WITH awaiting AS (
        DELETE FROM awaited_member a USING user_group g
        WHERE a.workspace_id = :workspace AND a.name = :name
            AND g.workspace_id = a.workspace_id AND g.id = a.group_id
            AND g.connection_id IS NOT DISTINCT FROM :connection
        RETURNING a.group_id
    ), joined AS (
        INSERT INTO membership (workspace_id, group_id, member_id)
        SELECT :workspace, group_id, :member FROM awaiting
        ON CONFLICT DO NOTHING RETURNING group_id
    )
    UPDATE user_group SET version = version + 1, modified_at = clock_timestamp()
    WHERE workspace_id = :workspace AND id IN (SELECT group_id FROM joined)
    RETURNING id
    """
)


def arrive(
    connection: Connection, *, workspace_id: UUID, connection_id: UUID, name: str, member_id: UUID, by: Actor
) -> bool:
    """Put somebody who has come into the groups that await them.

    Returns:
        Whether any did.
    """
    connection.execute(select(hold(literal(key(connection_id, name)))))
    parameters = {"workspace": workspace_id, "connection": connection_id, "name": name, "member": member_id}
    joined = connection.execute(_ARRIVE, parameters).scalars()
    facts = [GroupMembersChanged(group_id=group, added=(member_id,), removed=()) for group in joined]
    outbox.append(connection, *facts, workspace_id=workspace_id, by=by)
    return bool(facts)


def forgotten(workspace_id: Any, group_id: Any) -> Delete:
    """The deletion of all awaited members of a group."""
    return delete(AwaitedMember).where(AwaitedMember.workspace_id == workspace_id, AwaitedMember.group_id == group_id)
