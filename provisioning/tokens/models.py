"""The tables of API tokens, and of OAuth clients with their secrets, keys and access tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from provisioning.database import Base

_NOW = func.clock_timestamp()


class ApiToken(Base):
    """An API token: who answers for it, from where it may be used, until when, and when it was used last."""

    __tablename__ = "api_token"

    id: Mapped[UUID]
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    name: Mapped[str]
    # The member whose token it is, the activation of theirs under which it was made, and the person they were then: a
    # suspension, a removal or a new address ends it for good. Tokens made by the operator have no owner. The row
    # outlives the member, for the record; the secrets do not.
    member_id: Mapped[UUID | None]
    member_epoch: Mapped[int | None]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    # The token that made it: it ends with that one.
    parent_id: Mapped[UUID | None]
    # CIDR blocks that it may be used from; none: from anywhere.
    ranges: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    expires_at: Mapped[datetime]
    # The nearest number of days before its end of which somebody has been told.
    warned_days: Mapped[int | None]
    last_used_at: Mapped[datetime | None]
    last_used_from: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None]

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        ForeignKeyConstraint(
            ["workspace_id", "parent_id"], ["api_token.workspace_id", "api_token.id"], ondelete="CASCADE"
        ),
        Index("ix_api_token_expiry", "expires_at", postgresql_where=text("ended_at IS NULL")),
        Index("ix_api_token_ended_at", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
        Index("ix_api_token_user_id", "user_id", postgresql_where=text("user_id IS NOT NULL")),
        Index("ix_api_token_parent", "workspace_id", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    )


class ApiTokenSecret(Base):
    """A secret by which a token is known; several may be valid at once, so that one can be rotated without a gap.

    Only a keyed hash of its text is kept. It is gone with the member whose token it is.
    """

    __tablename__ = "api_token_secret"

    workspace_id: Mapped[UUID]
    token_id: Mapped[UUID]
    digest: Mapped[bytes] = mapped_column(unique=True)
    member_id: Mapped[UUID | None]
    # Whether nobody but the member has been shown the text, or the operator who gave it to them.
    in_person: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    # For one that was replaced: the end of the overlap. It never outlives its token.
    expires_at: Mapped[datetime | None]

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "token_id", "digest"),
        ForeignKeyConstraint(
            ["workspace_id", "token_id"], ["api_token.workspace_id", "api_token.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["workspace_id", "member_id"], ["member.workspace_id", "member.id"], ondelete="CASCADE"),
        Index(
            "ix_api_token_secret_member", "workspace_id", "member_id", postgresql_where=text("member_id IS NOT NULL")
        ),
    )


class OAuthClient(Base):
    """A program that asks for access tokens by client credentials (RFC 6749, section 4.4)."""

    __tablename__ = "oauth_client"

    id: Mapped[UUID]
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    name: Mapped[str]
    # The member whose client it is, the activation of theirs under which it was made, and the person they were then: as
    # with an API token.
    member_id: Mapped[UUID | None]
    member_epoch: Mapped[int | None]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    # The API token that made it: it ends with that one, as what a token makes does.
    parent_id: Mapped[UUID | None]
    # How many seconds its access tokens live; without it as long as the service's setting says.
    token_lifetime: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        ForeignKeyConstraint(["workspace_id", "member_id"], ["member.workspace_id", "member.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["workspace_id", "parent_id"], ["api_token.workspace_id", "api_token.id"], ondelete="CASCADE"
        ),
        Index("ix_oauth_client_id", "id"),
        Index("ix_oauth_client_member", "workspace_id", "member_id", postgresql_where=text("member_id IS NOT NULL")),
        Index("ix_oauth_client_user_id", "user_id", postgresql_where=text("user_id IS NOT NULL")),
        Index("ix_oauth_client_parent", "workspace_id", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    )


class OAuthSecret(Base):
    """A secret of an OAuth client; two may be valid at once, so that one can be exchanged without a gap."""

    __tablename__ = "oauth_secret"

    id: Mapped[UUID]
    workspace_id: Mapped[UUID]
    client_id: Mapped[UUID]
    digest: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        ForeignKeyConstraint(
            ["workspace_id", "client_id"], ["oauth_client.workspace_id", "oauth_client.id"], ondelete="CASCADE"
        ),
        Index("ix_oauth_secret_client", "workspace_id", "client_id"),
        Index("ix_oauth_secret_digest", "digest"),
    )


class OAuthKey(Base):
    """A public key by which an OAuth client, or a connection, proves who it is (RFC 7523, section 2.2)."""

    __tablename__ = "oauth_key"

    id: Mapped[UUID]
    workspace_id: Mapped[UUID]
    client_id: Mapped[UUID | None]
    connection_id: Mapped[UUID | None]
    # The public parts alone, as a JWK (RFC 7517) with its `kid` and `alg`.
    jwk: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        CheckConstraint("num_nonnulls(client_id, connection_id) = 1", name="one_holder"),
        ForeignKeyConstraint(
            ["workspace_id", "client_id"], ["oauth_client.workspace_id", "oauth_client.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["workspace_id", "connection_id"], ["connection.workspace_id", "connection.id"], ondelete="CASCADE"
        ),
        Index("ix_oauth_key_client", "workspace_id", "client_id"),
        Index("ix_oauth_key_connection", "workspace_id", "connection_id"),
    )


class AccessToken(Base):
    """An access token of an OAuth client; only a keyed hash of its text is kept."""

    __tablename__ = "access_token"

    id: Mapped[UUID]
    workspace_id: Mapped[UUID]
    client_id: Mapped[UUID]
    digest: Mapped[bytes] = mapped_column(unique=True)
    # What it is for, as names apart by blanks (RFC 6749, section 3.3).
    scope: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime]

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        ForeignKeyConstraint(
            ["workspace_id", "client_id"], ["oauth_client.workspace_id", "oauth_client.id"], ondelete="CASCADE"
        ),
        Index("ix_access_token_client", "workspace_id", "client_id"),
        Index("ix_access_token_expiry", "expires_at"),
    )


class UsedAssertion(Base):
    """The `jti` of a client's assertion that has been taken: it is good once (RFC 7523, section 3)."""

    __tablename__ = "used_assertion"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    # An OAuth client or a connection.
    client_id: Mapped[UUID]
    digest: Mapped[bytes]
    expires_at: Mapped[datetime]

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "client_id", "digest"),
        Index("ix_used_assertion_expiry", "expires_at"),
    )
