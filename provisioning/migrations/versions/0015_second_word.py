"""Ownership by a mapping takes the word of two; what drifts is found by what each connection has said last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.add_column("api_token_secret", sa.Column("in_person", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("mapping", sa.Column("owners_confirmed", sa.Boolean(), server_default=sa.false(), nullable=False))
    # What counts already goes on: it was written when the operator's word alone was asked for.
    op.execute(
        """
        UPDATE mapping SET owners_confirmed = true FROM workspace
        WHERE workspace.id = mapping.workspace_id AND workspace.owners_by_mapping AND mapping.enabled
            AND (mapping.pattern LIKE '%{role}%' AND mapping.pattern NOT LIKE '%{label.%' OR EXISTS (
                SELECT 1 FROM policy WHERE policy.workspace_id = mapping.workspace_id
                    AND policy.mapping_id = mapping.id AND policy.role = 'workspace-owner'
            ))
        """
    )
    op.create_table(
        "mapping_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("mapping_id", sa.Uuid(), nullable=False),
        sa.Column("asker_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("was", postgresql.JSONB(), nullable=False),
        sa.Column("wanted", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'confirmed', 'declined', 'expired')", name=op.f("ck_mapping_proposal_state")
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "mapping_id"],
            ["mapping.workspace_id", "mapping.id"],
            name=op.f("fk_mapping_proposal_mapping_workspace_id_mapping_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "asker_id"],
            ["member.workspace_id", "member.id"],
            name=op.f("fk_mapping_proposal_member_workspace_id_asker_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_mapping_proposal")),
    )
    op.create_index("ix_mapping_proposal_mapping", "mapping_proposal", ["workspace_id", "mapping_id"])
    op.create_index("ix_mapping_proposal_asker", "mapping_proposal", ["workspace_id", "asker_id"])
    op.create_index(
        "ix_mapping_proposal_expires_at", "mapping_proposal", ["expires_at"], postgresql_where=sa.text("state = 'open'")
    )
    op.add_column("workspace", sa.Column("drift_counted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_event_membership",
        "event",
        ["workspace_id", "subject", "seq"],
        postgresql_include=["name", "actor_id"],
        postgresql_where=sa.text("name IN ('member.added', 'member.activated', 'member.suspended', 'member.removed')"),
    )
    op.create_index(
        "ix_member_unknown", "member", ["workspace_id", "id"], postgresql_where=sa.text("connection_id IS NULL")
    )
    op.create_index(
        "ix_member_signed_in", "member", ["workspace_id", "id"], postgresql_where=sa.text("origin = 'sign_in'")
    )
    op.create_index(
        "ix_journal_entry_protected",
        "journal_entry",
        ["workspace_id", "connection_id", "resource_id", "at"],
        postgresql_where=sa.text("scim_type = 'mutability'"),
    )


def downgrade() -> None:
    op.drop_index("ix_journal_entry_protected", "journal_entry")
    op.drop_index("ix_member_signed_in", "member")
    op.drop_index("ix_member_unknown", "member")
    op.drop_index("ix_event_membership", "event")
    op.drop_column("workspace", "drift_counted_at")
    op.drop_table("mapping_proposal")
    op.drop_column("mapping", "owners_confirmed")
    op.drop_column("api_token_secret", "in_person")
