"""How an identity provider has somebody in a workspace: as a new member, or the suspended one whom it means.

A new one is made by one statement where nothing else hangs on it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, bindparam, func, insert, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from provisioning import entropy, outbox
from provisioning.directory import awaiting, members, roster, users
from provisioning.directory.events import MemberAdded
from provisioning.directory.models import SESSION_EPOCHS, Member, Workspace
from provisioning.directory.profile import Profile
from provisioning.directory.roster import COLUMNS, MemberView
from provisioning.outbox import Actor
from provisioning.prepared import Prepared
from provisioning.scim.definitions import USER
from provisioning.scim.schema import ResourceType


def _meant(workspace: ColumnElement[Any], external_ids: ColumnElement[Any]) -> Select[Any]:
    """Whom an identity provider means again.

    They are looked for by what it calls them alone, which no other connection says: PostgreSQL, left to choose, may
    walk along the whole workspace besides.
    """
    found = select(Member.workspace_id, Member.id, Member.active).where(Member.external_ids.contains(external_ids))
    called = found.cte("called").prefix_with("MATERIALIZED")
    return select(called.c.id).where(called.c.workspace_id == workspace, called.c.active.is_(False))


# Whom an identity provider means again, and its name for them held.
_MEANT = Prepared(
    select(
        _meant(bindparam("workspace_id"), bindparam("external_ids", type_=JSONB)).limit(1).scalar_subquery(),
        awaiting.hold(bindparam("name", type_=Text)),
    )
)


def provision(
    connection: Connection,
    *,
    workspace_id: UUID,
    profile: Profile,
    connection_id: UUID,
    by: Actor,
    kind: ResourceType = USER,
) -> MemberView:
    """Create a member as an identity provider asks for it, or restore the suspended one that it means.

    A person is meant again only by the externalId that the same connection gave them before.

    Raises:
        Conflict: the userName, or the person, is in the workspace already.
        ProtectedMember: an owner has put this member out of the identity provider's reach.
    """
    if profile.external_id is not None:
        wanted = {
            "workspace_id": workspace_id,
            "external_ids": members.external_ids_of({}, profile, connection_id),
            "name": awaiting.key(connection_id, profile.external_id),
        }
        member_id = _MEANT.one(connection, wanted)[0]
        if member_id is not None:
            member = roster.lock(connection, workspace_id=workspace_id, member_id=member_id)
            return members.store(
                connection, member=member, profile=profile, connection_id=connection_id, by=by, kind=kind
            )
    return members.create(
        connection, workspace_id=workspace_id, profile=profile, connection_id=connection_id, by=by, origin=members.SCIM
    )


def _statement() -> Prepared:
    """The account, found or made, and the member: no row where it takes more."""
    columns = {name: bindparam(name, type_=Member.__table__.c[name].type) for name in _MEMBER}
    workspace, name = columns["workspace_id"], bindparam("external_id", type_=Text)
    meant = _meant(workspace, columns["external_ids"]).where(name.is_not(None))
    expected = awaiting.is_expected(workspace, columns["connection_id"], name)
    here = (
        select(Workspace.hipaa_eligible)
        .where(Workspace.id == workspace, Workspace.deleted_at.is_(None), ~meant.exists(), ~expected)
        .with_for_update(read=True, key_share=True, of=Workspace)
        .cte("here")
    )
    account = users.found_or_made(
        here, ends_sessions=columns["active"] & select(here.c.hipaa_eligible).scalar_subquery()
    )
    row = {**columns, "user_id": account.c.id, "active_since_epoch": SESSION_EPOCHS.next_value()}
    made = insert(Member).from_select([*row], select(*row.values())).returning(*COLUMNS).cte("made")
    unawaited = awaiting.nobody_awaits(workspace, columns["connection_id"], name, bindparam("key", type_=Text))
    who = func.jsonb_build_object("user_id", made.c.user_id)
    facts = outbox.facts_of(made, more=who, subject=func.concat("user:", made.c.user_id))
    return Prepared(select(made, unawaited).add_cte(facts))


_MEMBER = ("id", "workspace_id", "connection_id", "origin", "external_ids", *Profile.COLUMNS)
_ENROL = _statement()


def enrol(
    connection: Connection, *, workspace_id: UUID, profile: Profile, connection_id: UUID, by: Actor
) -> MemberView | None:
    """Create a member as an identity provider asks for it, by one statement.

    Args:
        connection: on which the statement stands alone.
        workspace_id: the workspace joined.
        profile: of the new member.
        connection_id: the identity provider that speaks for the member.
        by: who did it.

    Returns:
        The member; or None, and nothing is done, where it takes `provision`: a suspended member is meant again, a group
        awaits the new one, a value is claimed that only one member can have, or sessions of the person are to end.

    Raises:
        Conflict: the userName, or the person, is in the workspace already.
        DBAPIError: contended, where a group begins to await the member just now: it takes `provision`, too.
    """
    if profile.unique:
        return None
    user_id, member_id = entropy.new_id(), entropy.new_id()
    external_id = profile.external_id
    fact = MemberAdded(user_id=user_id, member_id=member_id, active=profile.active, origin=members.SCIM)
    new = {
        "id": member_id,
        "workspace_id": workspace_id,
        "user_id": user_id,
        "email": profile.email,
        "email_key": users.key_of(profile.email),
        "connection_id": connection_id,
        "origin": members.SCIM,
        "external_ids": members.external_ids_of({}, profile, connection_id),
        "external_id": external_id,
        "key": None if external_id is None else awaiting.key(connection_id, external_id),
        **profile.columns(),
        **outbox.told(connection, fact, workspace_id=workspace_id, by=by),
    }
    try:
        row = _ENROL.one_or_none(connection, new)
    except IntegrityError as error:
        raise members.taken(error, profile) from None
    return None if row is None else MemberView._make((*row[:-1], ()))
