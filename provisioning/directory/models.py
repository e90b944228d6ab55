"""The tables of the directory.

The workspace comes first in every key of what belongs to one, and foreign keys carry it along: a row can't point into
another workspace whatever a query forgets.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Interval,
    PrimaryKeyConstraint,
    Sequence,
    text,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from provisioning.database import Base

# One row of numbers for everything that ends sessions: a session born later has the greater number.
SESSION_EPOCHS = Sequence("session_epoch", metadata=Base.metadata, data_type=BigInteger)

_NOW = func.clock_timestamp()
_ZERO = text("0")


class Workspace(Base):
    """A tenant."""

    __tablename__ = "workspace"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str]
    name: Mapped[str]
    hipaa_eligible: Mapped[bool]
    # Raised when eligibility changes, and by deletion: ends the sessions of all who were members then, without
    # touching their rows.
    session_epoch: Mapped[int] = mapped_column(server_default=_ZERO)
    # Whether mappings may give ownership; the operator alone says so.
    owners_by_mapping: Mapped[bool] = mapped_column(server_default=text("false"))
    # How long API tokens live here at the most; none: as long as the service allows.
    longest_token: Mapped[timedelta | None] = mapped_column(Interval)
    # When it was last counted what is not as its identity providers say.
    drift_counted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    # From then on it is there for nobody; the row stays, so that a refusal can name what is gone.
    deleted_at: Mapped[datetime | None]

    __table_args__ = (Index("uq_workspace_slug", "slug", unique=True, postgresql_where=text("deleted_at IS NULL")),)


class User(Base):
    """A person's account, one for each distinct e-mail address, across workspaces."""

    __tablename__ = "user_account"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str | None]
    email_key: Mapped[str | None] = mapped_column(unique=True)
    # Raised by every change that ends this person's sessions; the last such change says why, and where it happened.
    session_epoch: Mapped[int] = mapped_column(server_default=_ZERO)
    epoch_reason: Mapped[str | None]
    epoch_workspace_id: Mapped[UUID | None] = mapped_column(ForeignKey("workspace.id", ondelete="SET NULL"))
    # Raised when they become an owner anywhere or are one no longer: older texts of their sessions are replaced.
    privilege_epoch: Mapped[int] = mapped_column(server_default=_ZERO)
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class Connection(Base):
    """One identity provider's link to one workspace."""

    __tablename__ = "connection"

    id: Mapped[UUID]
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    name: Mapped[str]
    dialect: Mapped[str]
    # Who speaks, judged by what is sent; told to admins.
    learned_dialect: Mapped[str | None]
    # While it is paused, every request is put off.
    paused_at: Mapped[datetime | None]
    # Whether requests are answered as if, and nothing is written but the log.
    dry_run: Mapped[bool] = mapped_column(server_default=text("false"))
    # Whether a group may name people who are still to come.
    awaits_members: Mapped[bool] = mapped_column(server_default=text("true"))
    requests_per_minute: Mapped[int | None]
    # An alarm is raised where this share of a workspace's members loses something within an hour; or it is held.
    alarm_percent: Mapped[int] = mapped_column(server_default=text("20"))
    holds_mass_changes: Mapped[bool] = mapped_column(server_default=text("false"))
    # Raised when its identity provider vouches no more for those whom it signed in: ends their sessions.
    session_epoch: Mapped[int] = mapped_column(server_default=_ZERO)
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        Index("uq_connection_workspace_id_name", "workspace_id", "name", unique=True),
        Index("ix_connection_id", "id"),
    )


class ConnectionToken(Base):
    """A bearer credential of a connection; several may be valid at once, so that one can be rotated without a gap."""

    __tablename__ = "connection_token"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    last_used_from: Mapped[str | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "connection_id"], ["connection.workspace_id", "connection.id"], ondelete="CASCADE"
        ),
        Index("ix_connection_token_connection", "workspace_id", "connection_id"),
    )


class ClientSecret(Base):
    """A secret by which a connection asks for access tokens (RFC 6749, section 2.3.1)."""

    __tablename__ = "client_secret"

    digest: Mapped[bytes]
    workspace_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "connection_id", "digest"),
        ForeignKeyConstraint(
            ["workspace_id", "connection_id"], ["connection.workspace_id", "connection.id"], ondelete="CASCADE"
        ),
    )


class Member(Base):
    """A team member: a user in one workspace. A SCIM User is one of these."""

    __tablename__ = "member"

    id: Mapped[UUID]
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    connection_id: Mapped[UUID | None]
    origin: Mapped[str]
    owner: Mapped[bool] = mapped_column(server_default=text("false"))
    protected: Mapped[bool] = mapped_column(server_default=text("false"))
    active: Mapped[bool]
    # Drawn from SESSION_EPOCHS when the membership last became active: what happened before doesn't concern it.
    active_since_epoch: Mapped[int] = mapped_column(server_default=_ZERO)
    user_name: Mapped[str]
    user_name_key: Mapped[str]
    # What each connection calls the person (RFC 7643, section 3.1): an externalId means nothing to another connection.
    external_ids: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    display_name: Mapped[str | None]
    display_name_key: Mapped[str | None]
    # The SCIM document, without the externalId: the text that is sent, of which nothing is asked.
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    # The document as filters see it: strings folded where the schema has no regard to case.
    search: Mapped[dict[str, Any]]
    # Apart, for it has an index: a change of anything else in `search` then leaves all indexes as they are.
    emails: Mapped[list[Any] | None] = mapped_column(Computed("search -> 'emails'", persisted=True))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    modified_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        ForeignKeyConstraint(["workspace_id", "connection_id"], ["connection.workspace_id", "connection.id"]),
        Index("uq_member_user_name", "workspace_id", "user_name_key", unique=True),
        Index("uq_member_user", "workspace_id", "user_id", unique=True),
        # Without fastupdate a look-up never has to wade through what was inserted lately.
        Index(
            "ix_member_external_ids",
            "external_ids",
            postgresql_using="gin",
            postgresql_ops={"external_ids": "jsonb_path_ops"},
            postgresql_with={"fastupdate": "off"},
        ),
        Index("ix_member_display_name", "workspace_id", "display_name_key"),
        Index("ix_member_user_id", "user_id"),
        # Those whom no connection has pushed: few, where one does.
        Index("ix_member_unknown", "workspace_id", "id", postgresql_where=text("connection_id IS NULL")),
        Index("ix_member_signed_in", "workspace_id", "id", postgresql_where=text("origin = 'sign_in'")),
        # Identity providers look people up by their addresses.
        Index(
            "ix_member_emails",
            "emails",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        ),
    )


class SchemaExtension(Base):
    """A workspace's own extension of a User or Group (RFC 7643, section 3.3)."""

    __tablename__ = "schema_extension"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    urn_key: Mapped[str]
    resource_type: Mapped[str]
    definition: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (PrimaryKeyConstraint("workspace_id", "urn_key"),)


class UniqueValue(Base):
    """A value that only one member of the workspace can have: the key decides, also between two at once."""

    __tablename__ = "unique_value"

    workspace_id: Mapped[UUID]
    attribute: Mapped[str]
    digest: Mapped[bytes]
    member_id: Mapped[UUID]

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "attribute", "digest"),
        ForeignKeyConstraint(["workspace_id", "member_id"], ["member.workspace_id", "member.id"], ondelete="CASCADE"),
        Index("ix_unique_value_member", "workspace_id", "member_id"),
    )


class Group(Base):
    """A user group: linked when an identity provider pushes it (then it is a SCIM Group), else local."""

    __tablename__ = "user_group"

    id: Mapped[UUID]
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    connection_id: Mapped[UUID | None]
    external_id: Mapped[str | None]
    display_name: Mapped[str]
    display_name_key: Mapped[str]
    # The SCIM document, without the members: the text that is sent, of which nothing is asked.
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    # The document as filters see it: strings folded where the schema has no regard to case.
    search: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    modified_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        ForeignKeyConstraint(["workspace_id", "connection_id"], ["connection.workspace_id", "connection.id"]),
        # Names are unique among the groups of one connection, and among the local ones: a pushed group is never
        # taken for a local one that happens to be called the same.
        Index(
            "uq_user_group_linked_name",
            "workspace_id",
            "connection_id",
            "display_name_key",
            unique=True,
            postgresql_where=text("connection_id IS NOT NULL"),
        ),
        Index(
            "uq_user_group_local_name",
            "workspace_id",
            "display_name_key",
            unique=True,
            postgresql_where=text("connection_id IS NULL"),
        ),
        Index(
            "ix_user_group_external_id", "workspace_id", "external_id", postgresql_where=text("external_id IS NOT NULL")
        ),
    )

    @classmethod
    def is_pushed_by(cls, connection_id: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a connection, which there must be, pushes a group that is looked for by its id.

        PostgreSQL asks no index for it: left to choose, it may walk along all groups of the connection.
        """
        return cls.connection_id.is_not_distinct_from(connection_id)


class LostGroup(Base):
    """A group that its identity provider pushes no more: what it was, for those who rested something on its id."""

    __tablename__ = "lost_group"

    workspace_id: Mapped[UUID]
    id: Mapped[UUID]
    connection_id: Mapped[UUID]
    external_id: Mapped[str | None]
    display_name: Mapped[str]
    lost_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        ForeignKeyConstraint(
            ["workspace_id", "connection_id"], ["connection.workspace_id", "connection.id"], ondelete="CASCADE"
        ),
        Index("ix_lost_group_lost_at", "lost_at"),
    )


class AwaitedMember(Base):
    """Somebody whom an identity provider named in a group before it has pushed them."""

    __tablename__ = "awaited_member"

    workspace_id: Mapped[UUID]
    group_id: Mapped[UUID]
    # What the group calls them; the externalId by which they will be known.
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "group_id", "name"),
        ForeignKeyConstraint(
            ["workspace_id", "group_id"], ["user_group.workspace_id", "user_group.id"], ondelete="CASCADE"
        ),
        Index("ix_awaited_member_name", "workspace_id", "name"),
    )


class HeldChange(Base):
    """Something that a connection asked for and that waits for somebody to look at it."""

    __tablename__ = "held_change"

    workspace_id: Mapped[UUID]
    id: Mapped[UUID]
    connection_id: Mapped[UUID]
    kind: Mapped[str]
    member_id: Mapped[UUID]
    group_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        ForeignKeyConstraint(
            ["workspace_id", "connection_id"], ["connection.workspace_id", "connection.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["workspace_id", "member_id"], ["member.workspace_id", "member.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["workspace_id", "group_id"], ["user_group.workspace_id", "user_group.id"], ondelete="CASCADE"
        ),
        Index("ix_held_change_connection", "workspace_id", "connection_id", "id"),
        Index("ix_held_change_member", "workspace_id", "member_id"),
        Index("ix_held_change_group", "workspace_id", "group_id"),
    )


class MemberTally(Base):
    """By how many the members of a workspace became more, or fewer: see `tally`."""

    __tablename__ = "member_tally"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    id: Mapped[int] = mapped_column(Identity(always=True))
    change: Mapped[int]

    __table_args__ = (PrimaryKeyConstraint("workspace_id", "id"),)


class Membership(Base):
    """A team member's place in a user group."""

    __tablename__ = "membership"

    workspace_id: Mapped[UUID]
    group_id: Mapped[UUID]
    member_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "group_id", "member_id"),
        ForeignKeyConstraint(
            ["workspace_id", "group_id"], ["user_group.workspace_id", "user_group.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["workspace_id", "member_id"], ["member.workspace_id", "member.id"], ondelete="CASCADE"),
        Index("ix_membership_member", "workspace_id", "member_id"),
    )


class Invitation(Base):
    """Somebody who may become a team member by answering a letter; gone when they have, or when it is taken back."""

    __tablename__ = "invitation"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    id: Mapped[UUID]
    email: Mapped[str]
    email_key: Mapped[str]
    # Whether they become an owner.
    owner: Mapped[bool]
    # Who invites, as facts record them.
    inviter: Mapped[str]
    # Of the secret in the newest letter; none until it is written.
    digest: Mapped[bytes | None]
    delivery: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    expires_at: Mapped[datetime]

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        CheckConstraint("delivery IN ('waiting', 'sent', 'refused')", name="delivery"),
        Index("uq_invitation_email", "workspace_id", "email_key", unique=True),
        Index("ix_invitation_digest", "digest", postgresql_where=text("digest IS NOT NULL")),
        Index("ix_invitation_expires_at", "expires_at"),
    )


class InvitationGroup(Base):
    """A local group that somebody is going to be in when they have accepted."""

    __tablename__ = "invitation_group"

    workspace_id: Mapped[UUID]
    invitation_id: Mapped[UUID]
    group_id: Mapped[UUID]

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "invitation_id", "group_id"),
        ForeignKeyConstraint(
            ["workspace_id", "invitation_id"], ["invitation.workspace_id", "invitation.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["workspace_id", "group_id"], ["user_group.workspace_id", "user_group.id"], ondelete="CASCADE"
        ),
        Index("ix_invitation_group_group", "workspace_id", "group_id"),
    )
