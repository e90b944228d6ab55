"""Thousands of people who come at once, by SQL."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from provisioning.database import Connection

_JOIN = text(
    """
    WITH person AS (
        INSERT INTO user_account (id, email, email_key)
        SELECT gen_random_uuid(), n || :at, n || :at FROM generate_series(1, :count) AS n RETURNING id, email
    )
    INSERT INTO member (workspace_id, id, user_id, origin, active, user_name, user_name_key, document, search)
    SELECT :workspace, gen_random_uuid(), id, 'scim', true, email, email,
           jsonb_build_object('userName', email), jsonb_build_object('userName', email)
    FROM person
    RETURNING id
    """
)


def join(connection: Connection, *, workspace_id: UUID, slug: str, count: int) -> list[UUID]:
    """Have so many people join a workspace of this name, and return their ids as members."""
    values = {"workspace": workspace_id, "at": f"@{slug}.example", "count": count}
    return list(connection.execute(_JOIN, values).scalars())
