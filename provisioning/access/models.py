"""The tables of access. The workspace comes first in every key, and foreign keys carry it along."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from provisioning.database import Base

_NOW = func.clock_timestamp()


class Label(Base):
    """A `key:value` that sources and spaces may carry, and that policies may ask for."""

    __tablename__ = "label"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    key: Mapped[str]
    value: Mapped[str]
    description: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (PrimaryKeyConstraint("workspace_id", "key", "value"),)


class ResourceRow(Base):
    """A resource, as registered by the product that owns it."""

    __tablename__ = "resource"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    type: Mapped[str]
    id: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (PrimaryKeyConstraint("workspace_id", "type", "id"),)


class ResourceLabel(Base):
    """A label on a resource: one value a key."""

    __tablename__ = "resource_label"

    workspace_id: Mapped[UUID]
    resource_type: Mapped[str]
    resource_id: Mapped[str]
    key: Mapped[str]
    value: Mapped[str]

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "resource_type", "resource_id", "key"),
        ForeignKeyConstraint(
            ["workspace_id", "resource_type", "resource_id"],
            ["resource.workspace_id", "resource.type", "resource.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(["workspace_id", "key", "value"], ["label.workspace_id", "label.key", "label.value"]),
        Index("ix_resource_label_label", "workspace_id", "key", "value"),
    )


class CustomRole(Base):
    """A role of a workspace's own, composed of actions; the built-in ones are data, and not in any table."""

    __tablename__ = "role"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    key: Mapped[str]
    name: Mapped[str]
    description: Mapped[str]
    actions: Mapped[list[Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (PrimaryKeyConstraint("workspace_id", "key"),)


class MappingRow(Base):
    """An admin's rule: a SCIM filter over what the identity provider pushes, or a pattern that groups' names follow."""

    __tablename__ = "mapping"

    id: Mapped[UUID]
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    name: Mapped[str]
    # What the rule is about: a SCIM `Group` or a `User`.
    resource_type: Mapped[str]
    condition: Mapped[str | None]
    pattern: Mapped[str | None]
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    # Where it stands in the list that admins keep; access is a union, and the same in any order.
    position: Mapped[int] = mapped_column(server_default=text("0"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    # Whether two have said that it gives ownership; until then that part of it counts for nothing.
    owners_confirmed: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        CheckConstraint("resource_type IN ('Group', 'User')", name="resource_type"),
        CheckConstraint("num_nonnulls(condition, pattern) = 1", name="one_rule"),
    )


class MappingProposal(Base):
    """What a mapping is to be that would give ownership then: it waits for a second owner's word."""

    __tablename__ = "mapping_proposal"

    id: Mapped[UUID]
    workspace_id: Mapped[UUID]
    mapping_id: Mapped[UUID]
    # The owner who asks; none: the operator.
    asker_id: Mapped[UUID | None]
    # What the mapping was when it was asked for: another mapping is not what anybody confirms.
    version: Mapped[int]
    was: Mapped[dict[str, Any]]
    wanted: Mapped[dict[str, Any]]
    state: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    expires_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    answer: Mapped[str | None]

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        ForeignKeyConstraint(
            ["workspace_id", "mapping_id"], ["mapping.workspace_id", "mapping.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["workspace_id", "asker_id"], ["member.workspace_id", "member.id"], ondelete="CASCADE"),
        CheckConstraint("state IN ('open', 'confirmed', 'declined', 'expired')", name="state"),
        Index("ix_mapping_proposal_mapping", "workspace_id", "mapping_id"),
        Index("ix_mapping_proposal_asker", "workspace_id", "asker_id"),
        Index("ix_mapping_proposal_expires_at", "expires_at", postgresql_where=text("state = 'open'")),
    )


class AccessRequest(Base):
    """What a member asks for, and what became of it: `open`, `approved`, `denied`, or `granted` in another way."""

    __tablename__ = "access_request"

    id: Mapped[UUID]
    workspace_id: Mapped[UUID]
    member_id: Mapped[UUID]
    role: Mapped[str]
    scope: Mapped[dict[str, Any]]
    reason: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    settled_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    policy_id: Mapped[UUID | None]

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        ForeignKeyConstraint(["workspace_id", "member_id"], ["member.workspace_id", "member.id"], ondelete="CASCADE"),
        CheckConstraint("state IN ('open', 'approved', 'denied', 'granted')", name="state"),
        Index("ix_access_request_member", "workspace_id", "member_id"),
        Index("ix_access_request_open", "workspace_id", postgresql_where=text("state = 'open'")),
    )


SUBJECTS = ("member", "group", "token", "mapping", "invitation", "client")
_TABLES = ("member", "user_group", "api_token", "mapping", "invitation", "oauth_client")


class Policy(Base):
    """One role plus what it covers, given to a person, a group, a program or an invitation, or to whom a mapping means.

    One whose end has come counts no more from that moment on, whether or not anybody has cleaned it up.
    """

    __tablename__ = "policy"

    id: Mapped[UUID]
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    member_id: Mapped[UUID | None]
    group_id: Mapped[UUID | None]
    token_id: Mapped[UUID | None]
    mapping_id: Mapped[UUID | None]
    # Held until it is accepted; then it is the member's.
    invitation_id: Mapped[UUID | None]
    client_id: Mapped[UUID | None]
    role: Mapped[str]
    scope: Mapped[dict[str, Any]]
    ends_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    origin: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        CheckConstraint(f"num_nonnulls({', '.join(f'{subject}_id' for subject in SUBJECTS)}) = 1", name="one_subject"),
        *(
            ForeignKeyConstraint(
                ["workspace_id", f"{subject}_id"], [f"{table}.workspace_id", f"{table}.id"], ondelete="CASCADE"
            )
            for subject, table in zip(SUBJECTS, _TABLES, strict=True)
        ),
        *(
            Index(
                f"ix_policy_{subject}",
                "workspace_id",
                f"{subject}_id",
                postgresql_where=text(f"{subject}_id IS NOT NULL"),
            )
            for subject in SUBJECTS
        ),
        Index("ix_policy_ends_at", "ends_at", postgresql_where=text("ends_at IS NOT NULL")),
    )
