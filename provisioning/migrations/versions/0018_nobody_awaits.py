"""A member is made by one statement, which finds out while it runs whether a group awaits them."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What a function does that may change something sees what was committed before it, and not before the statement.
    # The first number of the lock is the kind under which `directory/awaiting` holds names.
    op.execute(
        """
        CREATE FUNCTION nobody_awaits(workspace uuid, connection uuid, named text, key text) RETURNS boolean
        LANGUAGE plpgsql VOLATILE STRICT AS $$
        BEGIN
            IF NOT pg_try_advisory_xact_lock(1, hashtext(key)) OR EXISTS (
                SELECT FROM awaited_member a
                JOIN user_group g ON g.workspace_id = a.workspace_id AND g.id = a.group_id
                WHERE a.workspace_id = workspace AND a.name = named AND g.connection_id IS NOT DISTINCT FROM connection
            ) THEN
                RAISE lock_not_available USING MESSAGE = 'somebody is awaited under this name, or the name is held';
            END IF;
            RETURN true;
        END $$
        """
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION nobody_awaits")
