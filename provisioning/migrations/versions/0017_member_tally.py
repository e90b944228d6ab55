"""How many members each workspace has is kept in pieces that add up, so that no list has to count them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def _note(deed: str, rows: str, sign: str) -> None:
    op.execute(
        f"""
        CREATE FUNCTION member_tally_{deed}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO member_tally (workspace_id, change)
            SELECT workspace_id, {sign}count(*) FROM changed GROUP BY workspace_id;
            RETURN NULL;
        END $$
        """  # noqa: S608 - constants
    )
    op.execute(
        f"CREATE TRIGGER member_tally_{deed} AFTER {deed} ON member REFERENCING {rows} TABLE AS changed "
        f"FOR EACH STATEMENT EXECUTE FUNCTION member_tally_{deed}()"
    )


def upgrade() -> None:
    op.create_table(
        "member_tally",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_member_tally_workspace_workspace_id"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_member_tally"),
    )
    # Nobody joins between the count and the trigger.
    op.execute("LOCK TABLE member IN SHARE ROW EXCLUSIVE MODE")
    counted = "SELECT workspace_id, count(*) FROM member GROUP BY workspace_id"
    op.execute(f"INSERT INTO member_tally (workspace_id, change) {counted}")
    _note("insert", "NEW", "")
    _note("delete", "OLD", "-")


def downgrade() -> None:
    for deed in ("insert", "delete"):
        op.execute(f"DROP FUNCTION member_tally_{deed} CASCADE")
    op.drop_table("member_tally")
