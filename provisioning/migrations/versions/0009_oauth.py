"""OAuth clients with their secrets, keys and access tokens; policies of clients; the service's own signing keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")
_SUBJECTS = "member_id, group_id, token_id, mapping_id, invitation_id"


def _moment(name: str, **options: object) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, **options)  # type: ignore[arg-type]


def _of(table: str, *, holder: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id", holder],
        [f"{target}.workspace_id", f"{target}.id"],
        name=op.f(f"fk_{table}_{target}_workspace_id_{holder}"),
        ondelete="CASCADE",
    )


def _in_workspace(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f(f"fk_{table}_workspace_workspace_id"))


def upgrade() -> None:
    op.create_table(
        "oauth_client",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("member_epoch", sa.BigInteger(), nullable=True),
        sa.Column("token_lifetime", sa.BigInteger(), nullable=True),
        _moment("created_at", server_default=_NOW),
        _in_workspace("oauth_client"),
        _of("oauth_client", holder="member_id", target="member"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_oauth_client")),
    )
    op.create_index("ix_oauth_client_id", "oauth_client", ["id"])
    op.create_index(
        "ix_oauth_client_member",
        "oauth_client",
        ["workspace_id", "member_id"],
        postgresql_where=sa.text("member_id IS NOT NULL"),
    )
    op.create_table(
        "oauth_secret",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        _moment("created_at", server_default=_NOW),
        _of("oauth_secret", holder="client_id", target="oauth_client"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_oauth_secret")),
    )
    op.create_index("ix_oauth_secret_client", "oauth_secret", ["workspace_id", "client_id"])
    op.create_index("ix_oauth_secret_digest", "oauth_secret", ["digest"])
    op.create_table(
        "oauth_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("jwk", postgresql.JSONB(), nullable=False),
        _moment("created_at", server_default=_NOW),
        sa.CheckConstraint("num_nonnulls(client_id, connection_id) = 1", name=op.f("ck_oauth_key_one_holder")),
        _of("oauth_key", holder="client_id", target="oauth_client"),
        _of("oauth_key", holder="connection_id", target="connection"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_oauth_key")),
    )
    op.create_index("ix_oauth_key_client", "oauth_key", ["workspace_id", "client_id"])
    op.create_index("ix_oauth_key_connection", "oauth_key", ["workspace_id", "connection_id"])
    op.create_table(
        "access_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        _moment("created_at", server_default=_NOW),
        _moment("expires_at"),
        _of("access_token", holder="client_id", target="oauth_client"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_access_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_access_token_digest")),
    )
    op.create_index("ix_access_token_client", "access_token", ["workspace_id", "client_id"])
    op.create_index("ix_access_token_expiry", "access_token", ["expires_at"])
    op.create_table(
        "used_assertion",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        _moment("expires_at"),
        _in_workspace("used_assertion"),
        sa.PrimaryKeyConstraint("workspace_id", "client_id", "digest", name=op.f("pk_used_assertion")),
    )
    op.create_index("ix_used_assertion_expiry", "used_assertion", ["expires_at"])
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("public", postgresql.JSONB(), nullable=False),
        sa.Column("private", sa.Text(), nullable=False),
        _moment("created_at", server_default=_NOW),
        sa.Column("current_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("former_since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_signing_key")),
    )
    _let_clients_have_policies()


def _let_clients_have_policies() -> None:
    op.add_column("policy", sa.Column("client_id", sa.Uuid(), nullable=True))
    op.drop_constraint(op.f("ck_policy_one_subject"), "policy", type_="check")
    op.create_check_constraint(op.f("ck_policy_one_subject"), "policy", f"num_nonnulls({_SUBJECTS}, client_id) = 1")
    op.create_foreign_key(
        op.f("fk_policy_oauth_client_workspace_id_client_id"),
        "policy",
        "oauth_client",
        ["workspace_id", "client_id"],
        ["workspace_id", "id"],
        ondelete="CASCADE",
    )
    op.create_index(
        "ix_policy_client", "policy", ["workspace_id", "client_id"], postgresql_where=sa.text("client_id IS NOT NULL")
    )


def downgrade() -> None:
    op.execute("DELETE FROM policy WHERE client_id IS NOT NULL")
    op.drop_index("ix_policy_client", table_name="policy")
    op.drop_constraint(op.f("fk_policy_oauth_client_workspace_id_client_id"), "policy", type_="foreignkey")
    op.drop_constraint(op.f("ck_policy_one_subject"), "policy", type_="check")
    op.drop_column("policy", "client_id")
    op.create_check_constraint(op.f("ck_policy_one_subject"), "policy", f"num_nonnulls({_SUBJECTS}) = 1")
    for table in ("signing_key", "used_assertion", "access_token", "oauth_key", "oauth_secret", "oauth_client"):
        op.drop_table(table)
