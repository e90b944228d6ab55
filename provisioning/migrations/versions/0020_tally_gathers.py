"""Who notes the 64th piece of a number of members puts the pieces together, so that none of them pile up meanwhile."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# Pieces that somebody else is at are left to them: nobody who joins waits for another.
_GATHERED = """
    IF newest % 64 = 0 THEN
        WITH loose AS (
            SELECT piece.workspace_id, piece.id FROM member_tally AS piece
            WHERE piece.workspace_id IN (SELECT workspace_id FROM changed) FOR UPDATE OF piece SKIP LOCKED
        ), gone AS (
            DELETE FROM member_tally AS piece USING loose
            WHERE piece.workspace_id = loose.workspace_id AND piece.id = loose.id
            RETURNING piece.workspace_id, piece.change
        )
        INSERT INTO member_tally (workspace_id, change)
        SELECT workspace_id, sum(change) FROM gone GROUP BY workspace_id;
    END IF;
"""


def _note(deed: str, sign: str, gathered: str) -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION member_tally_{deed}() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE newest bigint;
        BEGIN
            WITH noted AS (
                INSERT INTO member_tally (workspace_id, change)
                SELECT workspace_id, {sign}count(*) FROM changed GROUP BY workspace_id RETURNING id
            )
            SELECT max(id) INTO newest FROM noted;
            {gathered}
            RETURN NULL;
        END $$
        """  # noqa: S608 - constants
    )


def upgrade() -> None:
    _note("insert", "", _GATHERED)
    _note("delete", "-", _GATHERED)


def downgrade() -> None:
    _note("insert", "", "")
    _note("delete", "-", "")
