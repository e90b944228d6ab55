"""The tables of identities. The workspace comes first in every key, and foreign keys carry it along."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from provisioning.database import Base

_NOW = func.clock_timestamp()
AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")


def _of_connection() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["workspace_id", "connection_id"], ["connection.workspace_id", "connection.id"], ondelete="CASCADE"
    )


class SignInProvider(Base):
    """How a connection's identity provider signs people in: it as an OpenID provider, we as its client."""

    __tablename__ = "sign_in_provider"

    workspace_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    issuer: Mapped[str]
    client_id: Mapped[str]
    auth_method: Mapped[str]
    # The client's secret or private key, sealed: it has to be shown to the provider, or signed with.
    credential: Mapped[str]
    # The claim that holds what the connection calls externalId.
    external_id_claim: Mapped[str]
    # Whether people who are new here become members by signing in.
    creates_members: Mapped[bool] = mapped_column(server_default=text("false"))
    # How many seconds ago people may have proved who they are, at the most.
    max_age: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "connection_id"),
        _of_connection(),
        CheckConstraint(f"auth_method IN {AUTH_METHODS}", name="auth_method"),
    )


class SignInDomain(Base):
    """A domain whose addresses a connection's identity provider speaks for; the operator alone says so."""

    __tablename__ = "sign_in_domain"

    workspace_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    domain: Mapped[str]

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "connection_id", "domain"),
        _of_connection(),
        Index("ix_sign_in_domain_domain", "domain"),
    )


class Identity(Base):
    """A subject of an issuer (OpenID Connect Core 1.0, section 2), and the member whom a connection means by it."""

    __tablename__ = "identity"

    workspace_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    issuer: Mapped[str]
    subject: Mapped[str]
    member_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "connection_id", "issuer", "subject"),
        _of_connection(),
        ForeignKeyConstraint(["workspace_id", "member_id"], ["member.workspace_id", "member.id"], ondelete="CASCADE"),
        # Nobody is two subjects of one provider: whoever comes with a known address and another subject is refused.
        Index("uq_identity_member", "workspace_id", "member_id", "connection_id", "issuer", unique=True),
    )


class LogoutToken(Base):
    """A logout token that was obeyed (OpenID Connect Back-Channel Logout 1.0, section 2.6): none is obeyed twice."""

    __tablename__ = "logout_token"

    workspace_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    jti: Mapped[str]
    expires_at: Mapped[datetime]

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "connection_id", "jti"),
        _of_connection(),
        Index("ix_logout_token_expires_at", "expires_at"),
    )
