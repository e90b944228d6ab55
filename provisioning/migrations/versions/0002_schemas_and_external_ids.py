"""Schema extensions of a workspace's own; an externalId for each connection that knows a member."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.create_table(
        "schema_extension",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("urn_key", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_schema_extension_workspace_workspace_id")
        ),
        sa.PrimaryKeyConstraint("workspace_id", "urn_key", name=op.f("pk_schema_extension")),
    )
    op.create_table(
        "unique_value",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "member_id"],
            ["member.workspace_id", "member.id"],
            name=op.f("fk_unique_value_member_workspace_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "attribute", "digest", name=op.f("pk_unique_value")),
    )
    op.create_index("ix_unique_value_member", "unique_value", ["workspace_id", "member_id"])
    op.create_table(
        "awaited_member",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "group_id"],
            ["user_group.workspace_id", "user_group.id"],
            name=op.f("fk_awaited_member_user_group_workspace_id_group_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "group_id", "name", name=op.f("pk_awaited_member")),
    )
    op.create_index("ix_awaited_member_name", "awaited_member", ["workspace_id", "name"])
    op.add_column(
        "member",
        sa.Column(
            "external_ids", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
    )
    op.execute(
        """
        UPDATE member SET
            external_ids = CASE WHEN external_id IS NULL OR connection_id IS NULL THEN '{}'
                ELSE jsonb_build_object(connection_id::text, external_id) END,
            document = document - 'externalId',
            search = search - 'externalId'
        """
    )
    op.drop_index("ix_member_external_id", table_name="member")
    op.drop_column("member", "external_id")
    op.create_index(
        "ix_member_external_ids",
        "member",
        ["external_ids"],
        postgresql_using="gin",
        postgresql_ops={"external_ids": "jsonb_path_ops"},
        postgresql_with={"fastupdate": "off"},
    )
    op.execute("ALTER INDEX ix_member_emails SET (fastupdate = off)")


def downgrade() -> None:
    op.execute("ALTER INDEX ix_member_emails RESET (fastupdate)")
    op.drop_index("ix_member_external_ids", table_name="member")
    op.add_column("member", sa.Column("external_id", sa.Text(), nullable=True))
    op.execute(
        """
        UPDATE member SET
            external_id = external_ids ->> connection_id::text,
            document = document || jsonb_strip_nulls(
                jsonb_build_object('externalId', external_ids ->> connection_id::text)
            )
        """
    )
    op.create_index(
        "ix_member_external_id",
        "member",
        ["workspace_id", "external_id"],
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.drop_column("member", "external_ids")
    op.drop_table("awaited_member")
    op.drop_table("unique_value")
    op.drop_table("schema_extension")
