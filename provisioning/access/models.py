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


class Policy(Base):
    """One role plus what it covers, given to a team member, a user group or an API token."""

    __tablename__ = "policy"

    id: Mapped[UUID]
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    member_id: Mapped[UUID | None]
    group_id: Mapped[UUID | None]
    token_id: Mapped[UUID | None]
    role: Mapped[str]
    scope: Mapped[dict[str, Any]]
    origin: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        CheckConstraint("num_nonnulls(member_id, group_id, token_id) = 1", name="one_subject"),
        ForeignKeyConstraint(["workspace_id", "member_id"], ["member.workspace_id", "member.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["workspace_id", "group_id"], ["user_group.workspace_id", "user_group.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["workspace_id", "token_id"], ["api_token.workspace_id", "api_token.id"], ondelete="CASCADE"
        ),
        Index("ix_policy_member", "workspace_id", "member_id", postgresql_where=text("member_id IS NOT NULL")),
        Index("ix_policy_group", "workspace_id", "group_id", postgresql_where=text("group_id IS NOT NULL")),
        Index("ix_policy_token", "workspace_id", "token_id", postgresql_where=text("token_id IS NOT NULL")),
    )


class MappingRow(Base):
    """An admin's rule: a SCIM filter over what the identity provider pushes, and the policies that it gives."""

    __tablename__ = "mapping"

    id: Mapped[UUID]
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    name: Mapped[str]
    # What the condition is about: a SCIM `Group` or a `User`.
    resource_type: Mapped[str]
    condition: Mapped[str]
    role: Mapped[str]
    scope: Mapped[dict[str, Any]]
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        CheckConstraint("resource_type IN ('Group', 'User')", name="resource_type"),
    )
