"""How a session was begun, texts that are rotated, workspaces' own limits, and workspaces that are deleted."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_SIGN_IN: dict[str, Any] = {
    "address": sa.Text(),
    "user_agent": sa.Text(),
    "connection_workspace_id": sa.Uuid(),
    "connection_id": sa.Uuid(),
    "acr": sa.Text(),
    "provider_session": sa.Text(),
    "id_token": sa.Text(),
    "former_digest": sa.LargeBinary(),
    "former_until": sa.DateTime(timezone=True),
}
_OF_CONNECTION = sa.text("connection_id IS NOT NULL")
_LIVE = sa.text("ended_at IS NULL AND connection_id IS NOT NULL")


def upgrade() -> None:
    for name, kind in _SIGN_IN.items():
        op.add_column("session", sa.Column(name, kind, nullable=True))
    op.add_column("session", sa.Column("amr", postgresql.JSONB(), server_default="[]", nullable=False))
    op.add_column("session", sa.Column("authenticated_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE session SET authenticated_at = created_at")
    op.alter_column("session", "authenticated_at", server_default=sa.text("clock_timestamp()"), nullable=False)
    op.add_column("session", sa.Column("text_epoch", sa.BigInteger(), server_default="0", nullable=False))
    op.create_check_constraint(
        op.f("ck_session_whole_connection"), "session", "(connection_id IS NULL) = (connection_workspace_id IS NULL)"
    )
    op.create_foreign_key(
        op.f("fk_session_connection_connection_workspace_id_connection_id"),
        "session",
        "connection",
        ["connection_workspace_id", "connection_id"],
        ["workspace_id", "id"],
        ondelete="SET NULL",
    )
    op.create_index("ix_session_connection", "session", ["connection_id"], postgresql_where=_OF_CONNECTION)
    op.create_index(
        "ix_session_live_provider", "session", ["connection_id", "provider_session"], postgresql_where=_LIVE
    )
    op.create_index("ix_session_live_vouched", "session", ["connection_id", "user_id"], postgresql_where=_LIVE)
    op.create_index(
        "uq_session_former_digest",
        "session",
        ["former_digest"],
        unique=True,
        postgresql_where=sa.text("former_digest IS NOT NULL"),
    )
    op.create_index("ix_connection_id", "connection", ["id"])
    op.add_column("user_account", sa.Column("privilege_epoch", sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "session_limit",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("since_epoch", sa.BigInteger(), nullable=False),
        sa.Column("until_epoch", sa.BigInteger(), nullable=True),
        sa.Column("idle_seconds", sa.BigInteger(), nullable=True),
        sa.Column("absolute_seconds", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_session_limit_workspace_workspace_id")
        ),
        sa.PrimaryKeyConstraint("workspace_id", "since_epoch", name=op.f("pk_session_limit")),
    )
    op.add_column("workspace", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint(op.f("uq_workspace_slug"), "workspace", type_="unique")
    op.create_index(
        "uq_workspace_slug", "workspace", ["slug"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )


def downgrade() -> None:
    """Back to sessions that know less. A deleted workspace keeps its row, under a slug that nobody else has."""
    op.execute("UPDATE workspace SET slug = 'deleted-' || id WHERE deleted_at IS NOT NULL")
    op.drop_index("uq_workspace_slug", table_name="workspace")
    op.create_unique_constraint(op.f("uq_workspace_slug"), "workspace", ["slug"])
    op.drop_column("workspace", "deleted_at")
    op.drop_table("session_limit")
    op.drop_column("user_account", "privilege_epoch")
    op.drop_index("ix_connection_id", table_name="connection")
    for name in ("uq_session_former_digest", "ix_session_live_vouched", "ix_session_live_provider"):
        op.drop_index(name, table_name="session")
    op.drop_index("ix_session_connection", table_name="session")
    op.drop_constraint(
        op.f("fk_session_connection_connection_workspace_id_connection_id"), "session", type_="foreignkey"
    )
    op.drop_constraint(op.f("ck_session_whole_connection"), "session", type_="check")
    for name in ("text_epoch", "authenticated_at", "amr", *_SIGN_IN):
        op.drop_column("session", name)
