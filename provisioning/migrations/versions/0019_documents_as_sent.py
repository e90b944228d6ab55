"""Documents are kept as the text that is sent, and addresses, which have an index, in a column of their own."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_EMAILS = "CREATE INDEX ix_member_emails ON member USING gin ({}) WITH (fastupdate=off)"


def upgrade() -> None:
    op.execute("DROP INDEX ix_member_emails")
    # All at once: the table is written anew, and so is every index. Pages keep room for the next version of their rows.
    op.execute(
        """
        ALTER TABLE member
            ALTER COLUMN document TYPE json USING document::text::json,
            ADD COLUMN emails jsonb GENERATED ALWAYS AS (search -> 'emails') STORED,
            SET (fillfactor = 90)
        """
    )
    op.execute(_EMAILS.format("emails"))
    op.execute("ALTER TABLE user_group ALTER COLUMN document TYPE json USING document::text::json")


def downgrade() -> None:
    op.execute("ALTER TABLE user_group ALTER COLUMN document TYPE jsonb USING document::text::jsonb")
    op.execute("DROP INDEX ix_member_emails")
    op.execute(
        """
        ALTER TABLE member
            ALTER COLUMN document TYPE jsonb USING document::text::jsonb,
            DROP COLUMN emails,
            RESET (fillfactor)
        """
    )
    op.execute(_EMAILS.format("(search -> 'emails')"))
