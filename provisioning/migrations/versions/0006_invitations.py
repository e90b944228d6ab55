"""Invitations, the groups that they are going to be in, and the policies that are held for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")
_SUBJECTS = "member_id, group_id, token_id, mapping_id"


def upgrade() -> None:
    op.create_table(
        "invitation",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("owner", sa.Boolean(), nullable=False),
        sa.Column("inviter", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("delivery", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("delivery IN ('waiting', 'sent', 'refused')", name=op.f("ck_invitation_delivery")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_invitation_workspace_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_invitation")),
    )
    op.create_index("uq_invitation_email", "invitation", ["workspace_id", "email_key"], unique=True)
    op.create_index("ix_invitation_digest", "invitation", ["digest"], postgresql_where=sa.text("digest IS NOT NULL"))
    op.create_index("ix_invitation_expires_at", "invitation", ["expires_at"])
    op.create_table(
        "invitation_group",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "invitation_id"],
            ["invitation.workspace_id", "invitation.id"],
            name=op.f("fk_invitation_group_invitation_workspace_id_invitation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "group_id"],
            ["user_group.workspace_id", "user_group.id"],
            name=op.f("fk_invitation_group_user_group_workspace_id_group_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "invitation_id", "group_id", name=op.f("pk_invitation_group")),
    )
    op.create_index("ix_invitation_group_group", "invitation_group", ["workspace_id", "group_id"])
    op.add_column("policy", sa.Column("invitation_id", sa.Uuid(), nullable=True))
    op.drop_constraint(op.f("ck_policy_one_subject"), "policy", type_="check")
    op.create_check_constraint(op.f("ck_policy_one_subject"), "policy", f"num_nonnulls({_SUBJECTS}, invitation_id) = 1")
    op.create_foreign_key(
        op.f("fk_policy_invitation_workspace_id_invitation_id"),
        "policy",
        "invitation",
        ["workspace_id", "invitation_id"],
        ["workspace_id", "id"],
        ondelete="CASCADE",
    )
    held = sa.text("invitation_id IS NOT NULL")
    op.create_index("ix_policy_invitation", "policy", ["workspace_id", "invitation_id"], postgresql_where=held)


def downgrade() -> None:
    """Nobody is invited any more, and what was held for them is dropped."""
    op.execute("DELETE FROM policy WHERE invitation_id IS NOT NULL")
    op.drop_index("ix_policy_invitation", table_name="policy")
    op.drop_constraint(op.f("fk_policy_invitation_workspace_id_invitation_id"), "policy", type_="foreignkey")
    op.drop_constraint(op.f("ck_policy_one_subject"), "policy", type_="check")
    op.create_check_constraint(op.f("ck_policy_one_subject"), "policy", f"num_nonnulls({_SUBJECTS}) = 1")
    op.drop_column("policy", "invitation_id")
    op.drop_table("invitation_group")
    op.drop_table("invitation")
