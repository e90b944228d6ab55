"""Signing in through identity providers: their settings, their domains, and whose their subjects are."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")
_KEY = ("workspace_id", "connection_id")


def _of_connection(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_connection_workspace_id_connection_id"
    return sa.ForeignKeyConstraint(_KEY, ["connection.workspace_id", "connection.id"], name=name, ondelete="CASCADE")


def _keys() -> list[sa.Column[UUID]]:
    return [sa.Column(name, sa.Uuid(), nullable=False) for name in _KEY]


def upgrade() -> None:
    op.add_column("connection", sa.Column("session_epoch", sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "sign_in_provider",
        *_keys(),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("auth_method", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("external_id_claim", sa.Text(), nullable=False),
        sa.Column("creates_members", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("max_age", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint(*_KEY, name="pk_sign_in_provider"),
        sa.CheckConstraint(
            "auth_method IN ('client_secret_basic', 'client_secret_post', 'private_key_jwt')",
            name=op.f("ck_sign_in_provider_auth_method"),
        ),
        _of_connection("sign_in_provider"),
    )
    op.create_table(
        "sign_in_domain",
        *_keys(),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(*_KEY, "domain", name="pk_sign_in_domain"),
        _of_connection("sign_in_domain"),
    )
    op.create_index("ix_sign_in_domain_domain", "sign_in_domain", ["domain"])
    op.create_table(
        "identity",
        *_keys(),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint(*_KEY, "issuer", "subject", name="pk_identity"),
        _of_connection("identity"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "member_id"],
            ["member.workspace_id", "member.id"],
            name="fk_identity_member_workspace_id_member_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "uq_identity_member", "identity", ["workspace_id", "member_id", "connection_id", "issuer"], unique=True
    )
    op.create_table(
        "logout_token",
        *_keys(),
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(*_KEY, "jti", name="pk_logout_token"),
        _of_connection("logout_token"),
    )
    op.create_index("ix_logout_token_expires_at", "logout_token", ["expires_at"])
