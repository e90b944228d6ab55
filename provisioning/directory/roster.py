"""The roster: team members as they are stored, and how to find or hold one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning.directory import users
from provisioning.directory.models import Group, Member, Membership, User
from provisioning.directory.profile import address
from provisioning.prepared import Prepared
from provisioning.refusals import NotFound
from provisioning.scim.compare import fold


@dataclass(frozen=True, slots=True)
class GroupReference:
    """A group that a member is in."""

    id: UUID
    display_name: str


class MemberView(NamedTuple):
    """A team member as stored, with the groups they are in."""

    id: UUID
    workspace_id: UUID
    user_id: UUID
    connection_id: UUID | None
    origin: str
    owner: bool
    protected: bool
    active: bool
    external_ids: dict[str, str]
    document: dict[str, Any]
    version: int
    created_at: datetime
    modified_at: datetime
    groups: tuple[GroupReference, ...] = ()

    def as_known_to(self, connection_id: UUID | None) -> dict[str, Any]:
        """The document with the externalId that this connection gave."""
        external_id = self.external_ids.get(str(connection_id)) if self.external_ids else None
        return self.document if external_id is None else {**self.document, "externalId": external_id}

    @property
    def user_name(self) -> str:
        """The SCIM userName, as it was pushed."""
        return str(self.document["userName"])

    @property
    def email(self) -> str:
        """The address of the person's account; the userName of somebody who has none."""
        return address(self.document) or self.user_name

    @property
    def display_name(self) -> str:
        """What people see: the displayName, else the userName."""
        return str(self.document.get("displayName") or self.user_name)


COLUMNS = (
    Member.id,
    Member.workspace_id,
    Member.user_id,
    Member.connection_id,
    Member.origin,
    Member.owner,
    Member.protected,
    Member.active,
    Member.external_ids,
    Member.document,
    Member.version,
    Member.created_at,
    Member.modified_at,
)
# Which groups a member is in.
GROUPS = (
    select(
        func.json_agg(
            aggregate_order_by(func.json_build_array(Group.id, Group.display_name), Group.display_name_key, Group.id)
        )
    )
    .join_from(Membership, Group, (Group.workspace_id == Membership.workspace_id) & (Group.id == Membership.group_id))
    .where(Membership.workspace_id == Member.workspace_id, Membership.member_id == Member.id)
    .correlate(Member)
    .scalar_subquery()
)
VIEW: Select[*tuple[Any, ...]] = select(*COLUMNS, GROUPS.label("groups"))
_ONE = VIEW.where(Member.workspace_id == bindparam("workspace"), Member.id == bindparam("member"))
_BY_ID, _HELD = Prepared(_ONE), Prepared(_ONE.with_for_update(of=Member))


def view(row: Sequence[Any]) -> MemberView:
    """A row of `VIEW` as a value."""
    groups = tuple(GroupReference(UUID(identifier), name) for identifier, name in row[-1]) if row[-1] else ()
    return MemberView._make((*row[:-1], groups))


def by_id(connection: Connection, *, workspace_id: UUID, member_id: UUID) -> MemberView:
    """The workspace's member of this id.

    Raises:
        NotFound: the workspace has none.
    """
    return found(_BY_ID.one_or_none(connection, {"workspace": workspace_id, "member": member_id}))


def found(row: Sequence[Any] | None) -> MemberView:
    """The member of a row.

    Raises:
        NotFound: there is none.
    """
    if row is None:
        raise NotFound("There is no such member in this workspace.")
    return view(row)


def lock(connection: Connection, *, workspace_id: UUID, member_id: UUID) -> MemberView:
    """The member, held against every other change until the transaction ends.

    Raises:
        NotFound: the workspace has none of this id.
    """
    return found(_HELD.one_or_none(connection, {"workspace": workspace_id, "member": member_id}))


def by_email(connection: Connection, *, workspace_id: UUID, email: str) -> MemberView:
    """The workspace's member whose account has this address.

    Raises:
        NotFound: the workspace has none.
    """
    account = users.by_email(connection, email)
    if account is not None:
        wanted = VIEW.where(Member.workspace_id == workspace_id, Member.user_id == account[0])
        row = connection.execute(wanted).one_or_none()
        if row is not None:
            return view(row)
    raise NotFound(f"The workspace has no member with the address {email}.")


def by_person(connection: Connection, *, workspace_id: UUID, user_id: UUID) -> MemberView | None:
    """What a person is in a workspace, if they are a member."""
    row = connection.execute(VIEW.where(Member.workspace_id == workspace_id, Member.user_id == user_id)).one_or_none()
    return None if row is None else view(row)


def ids_by_email(connection: Connection, *, workspace_id: UUID, emails: Sequence[str]) -> dict[str, UUID]:
    """Which of these addresses are whose: the workspace's members among them."""
    keys = {email: users.address_key(email) for email in emails}
    wanted = select(User.email_key, Member.id).join(Member, Member.user_id == User.id)
    rows = connection.execute(wanted.where(Member.workspace_id == workspace_id, User.email_key.in_(keys.values())))
    found = {row.email_key: row.id for row in rows}
    return {email: found[key] for email, key in keys.items() if key in found}


def id_by_name(connection: Connection, *, workspace_id: UUID, name: str) -> UUID | None:
    """The member whom a name means, if it means one: by userName, else by the address of the account."""
    named = select(Member.id).where(Member.workspace_id == workspace_id, Member.user_name_key == fold(name))
    found = connection.execute(named).scalar_one_or_none()
    return found or ids_by_email(connection, workspace_id=workspace_id, emails=[name]).get(name)


def addresses(connection: Connection, *, workspace_id: UUID, ids: Sequence[UUID]) -> Sequence[str]:
    """Where letters reach these members, as far as they are active and have an address."""
    wanted = (
        select(User.email)
        .join(Member, Member.user_id == User.id)
        .where(Member.workspace_id == workspace_id, Member.id.in_(ids), Member.active, User.email.is_not(None))
    )
    return [str(email) for email in connection.execute(wanted.order_by(Member.id)).scalars()]


def owners(connection: Connection, *, workspace_id: UUID) -> Sequence[UUID]:
    """The workspace's active owners, in the order in which they came."""
    wanted = select(Member.id).where(Member.workspace_id == workspace_id, Member.owner, Member.active)
    return connection.execute(wanted.order_by(Member.id)).scalars().all()


def names(connection: Connection, *, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, str]:
    """What people call these members, as far as they are there."""
    wanted = select(Member.id, func.coalesce(Member.display_name, Member.user_name))
    rows = connection.execute(wanted.where(Member.workspace_id == workspace_id, Member.id.in_(ids)))
    return {row[0]: row[1] for row in rows}


def of_people(connection: Connection, *, workspace_id: UUID, user_ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, str]]:
    """Of these people, who is a member of the workspace: by which id, and what they are called."""
    wanted = select(Member.user_id, Member.id, func.coalesce(Member.display_name, Member.user_name))
    rows = connection.execute(wanted.where(Member.workspace_id == workspace_id, Member.user_id.in_(user_ids)))
    return {row[0]: (row[1], row[2]) for row in rows}
