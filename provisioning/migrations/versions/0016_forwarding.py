"""Endpoints that are told what happens in a workspace, and how far each of them, and the syslog, has been told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def _moment(name: str, *, needed: bool = False) -> sa.Column[object]:
    default = sa.text("clock_timestamp()") if needed else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not needed)


def upgrade() -> None:
    op.create_table(
        "forwarding_endpoint",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("workspace_id", "id")),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", postgresql.JSONB(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("seal", "seq")),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("batch_seal", "batch_seq")),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        _moment("due_at", needed=True),
        sa.Column("error", sa.Text(), nullable=True),
        *map(_moment, ("failing_since", "alarmed_at", "delivered_at", "disabled_at")),
        sa.Column("disabled_because", sa.Text(), nullable=True),
        _moment("created_at", needed=True),
        sa.CheckConstraint(
            "disabled_because IN ('owner', 'unreachable', 'gone')", name="ck_forwarding_endpoint_disabled_because"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_forwarding_endpoint"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_forwarding_endpoint_workspace_workspace_id"
        ),
    )
    op.create_table(
        "forwarding_secret",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("workspace_id", "endpoint_id", "id")),
        sa.Column("sealed", sa.Text(), nullable=False),
        _moment("created_at", needed=True),
        _moment("expires_at"),
        sa.PrimaryKeyConstraint("workspace_id", "endpoint_id", "id", name="pk_forwarding_secret"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "endpoint_id"],
            ["forwarding_endpoint.workspace_id", "forwarding_endpoint.id"],
            name="fk_forwarding_secret_forwarding_endpoint_workspace_id",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "syslog_place",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("seal", "seq")),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_syslog_place"),
    )


def downgrade() -> None:
    for table in ("syslog_place", "forwarding_secret", "forwarding_endpoint"):
        op.drop_table(table)
