"""Custom roles, policies that end and say why, and mappings that give several policies or follow a name pattern."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.add_column("workspace", sa.Column("owners_by_mapping", sa.Boolean(), server_default="false", nullable=False))
    op.create_table(
        "role",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("actions", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_role_workspace_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", "key", name=op.f("pk_role")),
    )
    op.add_column("mapping", sa.Column("pattern", sa.Text(), nullable=True))
    op.add_column("mapping", sa.Column("position", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("mapping", sa.Column("version", sa.BigInteger(), server_default="1", nullable=False))
    op.alter_column("mapping", "condition", nullable=True)
    op.create_check_constraint(op.f("ck_mapping_one_rule"), "mapping", "num_nonnulls(condition, pattern) = 1")
    op.add_column("policy", sa.Column("mapping_id", sa.Uuid(), nullable=True))
    op.add_column("policy", sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("policy", sa.Column("reason", sa.Text(), nullable=True))
    op.drop_constraint(op.f("ck_policy_one_subject"), "policy", type_="check")
    op.create_check_constraint(
        op.f("ck_policy_one_subject"), "policy", "num_nonnulls(member_id, group_id, token_id, mapping_id) = 1"
    )
    op.create_foreign_key(
        op.f("fk_policy_mapping_workspace_id_mapping_id"),
        "policy",
        "mapping",
        ["workspace_id", "mapping_id"],
        ["workspace_id", "id"],
        ondelete="CASCADE",
    )
    for column, name in (("mapping_id", "mapping"), ("ends_at", "ends_at")):
        of = [column] if column == "ends_at" else ["workspace_id", column]
        op.create_index(f"ix_policy_{name}", "policy", of, postgresql_where=sa.text(f"{column} IS NOT NULL"))
    _give_mappings_policies()
    op.drop_column("mapping", "role")
    op.drop_column("mapping", "scope")


def _give_mappings_policies() -> None:
    op.execute(
        """
        INSERT INTO policy (id, workspace_id, mapping_id, role, scope, origin, created_at)
        SELECT gen_random_uuid(), workspace_id, id, role, scope, 'manual', created_at FROM mapping
        """
    )
    op.execute(
        """
        UPDATE mapping SET position = ranked.place FROM (
            SELECT workspace_id, id, row_number() OVER (PARTITION BY workspace_id ORDER BY id) AS place FROM mapping
        ) AS ranked
        WHERE mapping.workspace_id = ranked.workspace_id AND mapping.id = ranked.id
        """
    )


def downgrade() -> None:
    """Back to one role a mapping: of several, one is kept; patterns and what ends by itself are dropped."""
    op.execute("DELETE FROM policy WHERE ends_at IS NOT NULL")
    op.execute("DELETE FROM mapping WHERE pattern IS NOT NULL")
    op.add_column("mapping", sa.Column("role", sa.Text(), nullable=True))
    op.add_column("mapping", sa.Column("scope", postgresql.JSONB(), nullable=True))
    op.execute(
        """
        UPDATE mapping SET role = one.role, scope = one.scope FROM (
            SELECT DISTINCT ON (workspace_id, mapping_id) workspace_id, mapping_id, role, scope
            FROM policy WHERE mapping_id IS NOT NULL ORDER BY workspace_id, mapping_id, id
        ) AS one
        WHERE mapping.workspace_id = one.workspace_id AND mapping.id = one.mapping_id
        """
    )
    op.execute("DELETE FROM mapping WHERE role IS NULL")
    op.execute("DELETE FROM policy WHERE mapping_id IS NOT NULL")
    op.alter_column("mapping", "role", nullable=False)
    op.alter_column("mapping", "scope", nullable=False)
    op.drop_index("ix_policy_ends_at", table_name="policy")
    op.drop_index("ix_policy_mapping", table_name="policy")
    op.drop_constraint(op.f("fk_policy_mapping_workspace_id_mapping_id"), "policy", type_="foreignkey")
    op.drop_constraint(op.f("ck_policy_one_subject"), "policy", type_="check")
    op.create_check_constraint(
        op.f("ck_policy_one_subject"), "policy", "num_nonnulls(member_id, group_id, token_id) = 1"
    )
    for column in ("mapping_id", "ends_at", "reason"):
        op.drop_column("policy", column)
    op.drop_constraint(op.f("ck_mapping_one_rule"), "mapping", type_="check")
    for column in ("pattern", "position", "version"):
        op.drop_column("mapping", column)
    op.alter_column("mapping", "condition", nullable=False)
    op.drop_table("role")
    op.drop_column("workspace", "owners_by_mapping")
