"""first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("session_epoch", data_type=sa.BigInteger())))
    op.create_table(
        "event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column(
            "occurred_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("seq", name=op.f("uq_event_seq")),
    )
    op.create_index(
        "ix_event_undone",
        "event",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
    )
    op.create_index(
        "ix_event_undone_subject",
        "event",
        ["subject", "seq"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index("ix_event_workspace_id_seq", "event", ["workspace_id", "seq"], unique=False)
    op.create_table(
        "workspace",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hipaa_eligible", sa.Boolean(), nullable=False),
        sa.Column("session_epoch", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace")),
        sa.UniqueConstraint("slug", name=op.f("uq_workspace_slug")),
    )
    op.create_table(
        "connection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_connection_workspace_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_connection")),
    )
    op.create_index("uq_connection_workspace_id_name", "connection", ["workspace_id", "name"], unique=True)
    op.create_table(
        "label",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_label_workspace_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", "key", "value", name=op.f("pk_label")),
    )
    op.create_table(
        "mapping",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("scope", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("resource_type IN ('Group', 'User')", name=op.f("ck_mapping_resource_type")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_mapping_workspace_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_mapping")),
    )
    op.create_table(
        "resource",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_resource_workspace_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", "type", "id", name=op.f("pk_resource")),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("email_key", sa.Text(), nullable=True),
        sa.Column("session_epoch", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("epoch_reason", sa.Text(), nullable=True),
        sa.Column("epoch_workspace_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["epoch_workspace_id"],
            ["workspace.id"],
            name=op.f("fk_user_account_workspace_epoch_workspace_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email_key", name=op.f("uq_user_account_email_key")),
    )
    op.create_table(
        "connection_token",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "connection_id"],
            ["connection.workspace_id", "connection.id"],
            name=op.f("fk_connection_token_connection_workspace_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_connection_token")),
    )
    op.create_index(
        "ix_connection_token_connection", "connection_token", ["workspace_id", "connection_id"], unique=False
    )
    op.create_table(
        "member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("owner", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("protected", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("active_since_epoch", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("user_name_key", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("display_name_key", sa.Text(), nullable=True),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("search", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column(
            "modified_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_member_user_account_user_id")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "connection_id"],
            ["connection.workspace_id", "connection.id"],
            name=op.f("fk_member_connection_workspace_id_connection_id"),
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_member_workspace_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_member")),
    )
    op.create_index("ix_member_display_name", "member", ["workspace_id", "display_name_key"], unique=False)
    op.create_index(
        "ix_member_external_id",
        "member",
        ["workspace_id", "external_id"],
        unique=False,
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_index("ix_member_emails", "member", [sa.text("(search -> 'emails')")], postgresql_using="gin")
    op.create_index("ix_member_user_id", "member", ["user_id"], unique=False)
    op.create_index("uq_member_user", "member", ["workspace_id", "user_id"], unique=True)
    op.create_index("uq_member_user_name", "member", ["workspace_id", "user_name_key"], unique=True)
    op.create_table(
        "resource_label",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "key", "value"],
            ["label.workspace_id", "label.key", "label.value"],
            name=op.f("fk_resource_label_label_workspace_id_key_value"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "resource_type", "resource_id"],
            ["resource.workspace_id", "resource.type", "resource.id"],
            name=op.f("fk_resource_label_resource_workspace_id_resource_type_resource_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "resource_type", "resource_id", "key", name=op.f("pk_resource_label")),
    )
    op.create_index("ix_resource_label_label", "resource_label", ["workspace_id", "key", "value"], unique=False)
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("reach_id", sa.Uuid(), nullable=True),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column(
            "last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.Column("ended_workspace_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("policy IN ('standard', 'hipaa')", name=op.f("ck_session_policy")),
        sa.ForeignKeyConstraint(
            ["ended_workspace_id"],
            ["workspace.id"],
            name=op.f("fk_session_workspace_ended_workspace_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["reach_id"], ["workspace.id"], name=op.f("fk_session_workspace_reach_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_session_user_account_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("digest", name=op.f("uq_session_digest")),
    )
    op.create_index(
        "ix_session_live_created",
        "session",
        ["policy", "created_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_session_live_seen",
        "session",
        ["policy", "last_seen_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_session_live_user", "session", ["user_id"], unique=False, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index("ix_session_user", "session", ["user_id", "id"], unique=False)
    op.create_table(
        "sign_in_link",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_sign_in_link_user_account_user_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_link")),
    )
    op.create_table(
        "user_group",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("display_name_key", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("search", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column(
            "modified_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "connection_id"],
            ["connection.workspace_id", "connection.id"],
            name=op.f("fk_user_group_connection_workspace_id_connection_id"),
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_user_group_workspace_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_user_group")),
    )
    op.create_index(
        "ix_user_group_external_id",
        "user_group",
        ["workspace_id", "external_id"],
        unique=False,
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_index(
        "uq_user_group_linked_name",
        "user_group",
        ["workspace_id", "connection_id", "display_name_key"],
        unique=True,
        postgresql_where=sa.text("connection_id IS NOT NULL"),
    )
    op.create_index(
        "uq_user_group_local_name",
        "user_group",
        ["workspace_id", "display_name_key"],
        unique=True,
        postgresql_where=sa.text("connection_id IS NULL"),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("member_epoch", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "member_id"],
            ["member.workspace_id", "member.id"],
            name=op.f("fk_api_token_member_workspace_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_api_token_workspace_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_token_digest")),
    )
    op.create_index(
        "ix_api_token_expiry", "api_token", ["expires_at"], unique=False, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index(
        "ix_api_token_member",
        "api_token",
        ["workspace_id", "member_id"],
        unique=False,
        postgresql_where=sa.text("member_id IS NOT NULL"),
    )
    op.create_table(
        "membership",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "group_id"],
            ["user_group.workspace_id", "user_group.id"],
            name=op.f("fk_membership_user_group_workspace_id_group_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "member_id"],
            ["member.workspace_id", "member.id"],
            name=op.f("fk_membership_member_workspace_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "group_id", "member_id", name=op.f("pk_membership")),
    )
    op.create_index("ix_membership_member", "membership", ["workspace_id", "member_id"], unique=False)
    op.create_table(
        "policy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("scope", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("num_nonnulls(member_id, group_id, token_id) = 1", name=op.f("ck_policy_one_subject")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "group_id"],
            ["user_group.workspace_id", "user_group.id"],
            name=op.f("fk_policy_user_group_workspace_id_group_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "member_id"],
            ["member.workspace_id", "member.id"],
            name=op.f("fk_policy_member_workspace_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "token_id"],
            ["api_token.workspace_id", "api_token.id"],
            name=op.f("fk_policy_api_token_workspace_id_token_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_policy_workspace_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_policy")),
    )
    op.create_index(
        "ix_policy_group",
        "policy",
        ["workspace_id", "group_id"],
        unique=False,
        postgresql_where=sa.text("group_id IS NOT NULL"),
    )
    op.create_index(
        "ix_policy_member",
        "policy",
        ["workspace_id", "member_id"],
        unique=False,
        postgresql_where=sa.text("member_id IS NOT NULL"),
    )
    op.create_index(
        "ix_policy_token",
        "policy",
        ["workspace_id", "token_id"],
        unique=False,
        postgresql_where=sa.text("token_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_policy_token", table_name="policy", postgresql_where=sa.text("token_id IS NOT NULL"))
    op.drop_index("ix_policy_member", table_name="policy", postgresql_where=sa.text("member_id IS NOT NULL"))
    op.drop_index("ix_policy_group", table_name="policy", postgresql_where=sa.text("group_id IS NOT NULL"))
    op.drop_table("policy")
    op.drop_index("ix_membership_member", table_name="membership")
    op.drop_table("membership")
    op.drop_index("ix_api_token_member", table_name="api_token", postgresql_where=sa.text("member_id IS NOT NULL"))
    op.drop_index("ix_api_token_expiry", table_name="api_token", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_table("api_token")
    op.drop_index(
        "uq_user_group_local_name", table_name="user_group", postgresql_where=sa.text("connection_id IS NULL")
    )
    op.drop_index(
        "uq_user_group_linked_name", table_name="user_group", postgresql_where=sa.text("connection_id IS NOT NULL")
    )
    op.drop_index(
        "ix_user_group_external_id", table_name="user_group", postgresql_where=sa.text("external_id IS NOT NULL")
    )
    op.drop_table("user_group")
    op.drop_table("sign_in_link")
    op.drop_index("ix_session_user", table_name="session")
    op.drop_index("ix_session_live_user", table_name="session", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_index("ix_session_live_seen", table_name="session", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_index("ix_session_live_created", table_name="session", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_table("session")
    op.drop_index("ix_resource_label_label", table_name="resource_label")
    op.drop_table("resource_label")
    op.drop_index("uq_member_user_name", table_name="member")
    op.drop_index("uq_member_user", table_name="member")
    op.drop_index("ix_member_user_id", table_name="member")
    op.drop_index("ix_member_external_id", table_name="member", postgresql_where=sa.text("external_id IS NOT NULL"))
    op.drop_index("ix_member_emails", table_name="member", postgresql_using="gin")
    op.drop_index("ix_member_display_name", table_name="member")
    op.drop_table("member")
    op.drop_index("ix_connection_token_connection", table_name="connection_token")
    op.drop_table("connection_token")
    op.drop_table("user_account")
    op.drop_table("resource")
    op.drop_table("mapping")
    op.drop_table("label")
    op.drop_index("uq_connection_workspace_id_name", table_name="connection")
    op.drop_table("connection")
    op.drop_table("workspace")
    op.drop_index("ix_event_workspace_id_seq", table_name="event")
    op.drop_index("ix_event_undone_subject", table_name="event", postgresql_where=sa.text("done_at IS NULL"))
    op.drop_index(
        "ix_event_undone", table_name="event", postgresql_where=sa.text("done_at IS NULL AND parked_at IS NULL")
    )
    op.drop_table("event")
    op.execute(sa.schema.DropSequence(sa.Sequence("session_epoch")))
