"""API tokens: secrets of their own, so that one can be rotated; owners, parents, address ranges, last use, warnings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")
_MEMBER = "fk_api_token_member_workspace_id_member_id"


def upgrade() -> None:
    op.add_column("connection_token", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("connection_token", sa.Column("last_used_from", sa.Text(), nullable=True))
    op.add_column("workspace", sa.Column("longest_token", sa.Interval(), nullable=True))
    op.create_table(
        "api_token_secret",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        *(
            sa.ForeignKeyConstraint(
                ["workspace_id", column],
                [f"{table}.workspace_id", f"{table}.id"],
                name=op.f(f"fk_api_token_secret_{table}_workspace_id_{column}"),
                ondelete="CASCADE",
            )
            for column, table in (("token_id", "api_token"), ("member_id", "member"))
        ),
        sa.PrimaryKeyConstraint("workspace_id", "token_id", "digest", name=op.f("pk_api_token_secret")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_token_secret_digest")),
    )
    op.create_index(
        "ix_api_token_secret_member",
        "api_token_secret",
        ["workspace_id", "member_id"],
        postgresql_where=sa.text("member_id IS NOT NULL"),
    )
    op.execute(
        "INSERT INTO api_token_secret (workspace_id, token_id, digest, member_id, created_at)"
        " SELECT workspace_id, id, digest, member_id, created_at FROM api_token"
    )
    for name in ("user_id", "parent_id"):
        op.add_column("api_token", sa.Column(name, sa.Uuid(), nullable=True))
    op.add_column("api_token", sa.Column("ranges", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column("api_token", sa.Column("warned_days", sa.BigInteger(), nullable=True))
    op.add_column("api_token", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_token", sa.Column("last_used_from", sa.Text(), nullable=True))
    op.execute(
        "UPDATE api_token SET user_id = member.user_id FROM member"
        " WHERE member.workspace_id = api_token.workspace_id AND member.id = api_token.member_id"
    )
    op.drop_index("ix_api_token_member", table_name="api_token")
    op.drop_constraint(op.f(_MEMBER), "api_token", type_="foreignkey")
    op.drop_column("api_token", "digest")
    op.create_foreign_key(
        op.f("fk_api_token_user_account_user_id"), "api_token", "user_account", ["user_id"], ["id"], ondelete="CASCADE"
    )
    op.create_foreign_key(
        op.f("fk_api_token_api_token_workspace_id_parent_id"),
        "api_token",
        "api_token",
        ["workspace_id", "parent_id"],
        ["workspace_id", "id"],
        ondelete="CASCADE",
    )
    for name, columns in (
        ("ended_at", ["ended_at"]),
        ("user_id", ["user_id"]),
        ("parent", ["workspace_id", "parent_id"]),
    ):
        where = sa.text(f"{columns[-1]} IS NOT NULL")
        op.create_index(f"ix_api_token_{name}", "api_token", columns, postgresql_where=where)


def downgrade() -> None:
    op.add_column("api_token", sa.Column("digest", sa.LargeBinary(), nullable=True))
    op.execute(
        "UPDATE api_token SET digest = secret.digest FROM api_token_secret secret"
        " WHERE secret.workspace_id = api_token.workspace_id AND secret.token_id = api_token.id"
        " AND secret.expires_at IS NULL"
    )
    op.execute(
        "DELETE FROM api_token WHERE digest IS NULL OR (member_id IS NOT NULL AND NOT EXISTS ("
        "SELECT FROM member WHERE member.workspace_id = api_token.workspace_id AND member.id = api_token.member_id))"
    )
    op.alter_column("api_token", "digest", nullable=False)
    op.create_unique_constraint(op.f("uq_api_token_digest"), "api_token", ["digest"])
    op.drop_table("api_token_secret")
    for name in ("ended_at", "user_id", "parent"):
        op.drop_index(f"ix_api_token_{name}", table_name="api_token")
    op.drop_constraint(op.f("fk_api_token_api_token_workspace_id_parent_id"), "api_token", type_="foreignkey")
    op.drop_constraint(op.f("fk_api_token_user_account_user_id"), "api_token", type_="foreignkey")
    for name in ("user_id", "parent_id", "ranges", "warned_days", "last_used_at", "last_used_from"):
        op.drop_column("api_token", name)
    op.create_foreign_key(
        op.f(_MEMBER), "api_token", "member", ["workspace_id", "member_id"], ["workspace_id", "id"], ondelete="CASCADE"
    )
    op.create_index(
        "ix_api_token_member",
        "api_token",
        ["workspace_id", "member_id"],
        postgresql_where=sa.text("member_id IS NOT NULL"),
    )
    op.drop_column("workspace", "longest_token")
    op.drop_column("connection_token", "last_used_from")
    op.drop_column("connection_token", "last_used_at")
