"""OAuth clients remember which person their owner was, and which token made them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("oauth_client", sa.Column("user_id", sa.Uuid(), nullable=True))
    op.add_column("oauth_client", sa.Column("parent_id", sa.Uuid(), nullable=True))
    op.execute(
        """
        UPDATE oauth_client SET user_id = member.user_id FROM member
        WHERE member.workspace_id = oauth_client.workspace_id AND member.id = oauth_client.member_id
        """
    )
    op.create_foreign_key(
        "fk_oauth_client_user_account_user_id",
        "oauth_client",
        "user_account",
        ["user_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_foreign_key(
        "fk_oauth_client_api_token_workspace_id_parent_id",
        "oauth_client",
        "api_token",
        ["workspace_id", "parent_id"],
        ["workspace_id", "id"],
        ondelete="CASCADE",
    )
    op.create_index(
        "ix_oauth_client_user_id", "oauth_client", ["user_id"], postgresql_where=sa.text("user_id IS NOT NULL")
    )
    op.create_index(
        "ix_oauth_client_parent",
        "oauth_client",
        ["workspace_id", "parent_id"],
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_constraint("fk_oauth_client_api_token_workspace_id_parent_id", "oauth_client", type_="foreignkey")
    op.drop_constraint("fk_oauth_client_user_account_user_id", "oauth_client", type_="foreignkey")
    op.drop_index("ix_oauth_client_parent", "oauth_client")
    op.drop_index("ix_oauth_client_user_id", "oauth_client")
    op.drop_column("oauth_client", "parent_id")
    op.drop_column("oauth_client", "user_id")
