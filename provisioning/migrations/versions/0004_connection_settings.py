"""What admins set for a connection: paused, rehearsing, strict about members, how fast, how careful; held changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SWITCHES = {"dry_run": False, "awaits_members": True, "holds_mass_changes": False}


def upgrade() -> None:
    op.add_column("connection", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    for name, default in _SWITCHES.items():
        default_text = sa.text(str(default).lower())
        op.add_column("connection", sa.Column(name, sa.Boolean(), server_default=default_text, nullable=False))
    op.add_column("connection", sa.Column("requests_per_minute", sa.BigInteger(), nullable=True))
    op.add_column("connection", sa.Column("alarm_percent", sa.BigInteger(), server_default="20", nullable=False))
    op.add_column("connection", sa.Column("learned_dialect", sa.Text(), nullable=True))
    op.create_table(
        "client_secret",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "connection_id"],
            ["connection.workspace_id", "connection.id"],
            name=op.f("fk_client_secret_connection_workspace_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "connection_id", "digest", name=op.f("pk_client_secret")),
    )
    op.create_table(
        "held_change",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        *(
            sa.ForeignKeyConstraint(
                ["workspace_id", f"{column}_id"],
                [f"{table}.workspace_id", f"{table}.id"],
                name=op.f(f"fk_held_change_{table}_workspace_id_{column}_id"),
                ondelete="CASCADE",
            )
            for column, table in (("connection", "connection"), ("member", "member"), ("group", "user_group"))
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_held_change")),
    )
    op.create_index("ix_held_change_connection", "held_change", ["workspace_id", "connection_id", "id"])
    op.create_index("ix_held_change_member", "held_change", ["workspace_id", "member_id"])
    op.create_index("ix_held_change_group", "held_change", ["workspace_id", "group_id"])
    op.create_index("ix_event_actor_id_occurred_at", "event", ["actor_id", "occurred_at"])


def downgrade() -> None:
    op.drop_index("ix_event_actor_id_occurred_at", table_name="event")
    op.drop_table("held_change")
    op.drop_table("client_secret")
    for name in ("paused_at", *_SWITCHES, "requests_per_minute", "alarm_percent", "learned_dialect"):
        op.drop_column("connection", name)
