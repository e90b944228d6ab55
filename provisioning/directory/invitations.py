"""Invitations: somebody may become a team member by answering a letter that only they can read.

An invitation is there for as long as it waits. Accepting it, taking it back and cleaning it up delete it, and the fact
remains; so nothing can be done with it twice. Its secret is made when its letter is written, and known to nobody else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import func

from provisioning import entropy, outbox
from provisioning.directory import users
from provisioning.directory.events import (
    InvitationAccepted,
    InvitationCreated,
    InvitationExpired,
    InvitationResent,
    InvitationRevoked,
)
from provisioning.directory.models import Group, Invitation, InvitationGroup, Member, User, Workspace
from provisioning.directory.paging import Page, Window, fetch
from provisioning.directory.roster import GroupReference, MemberView
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, Invalid, NotFound, TooManyRequests, Unauthenticated

# What can stand in a mail's header as it is (RFC 5322, section 3.4.1), without quotes and comments.
_ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]\\]+@[^@\s<>,;:\"()\[\]\\]+")
_LONGEST_ADDRESS = 254
# So long after a letter another one may be asked for.
LETTER_PAUSE = timedelta(minutes=1)
_NAMELESS = "An owner of the workspace"
GONE = "This invitation has been used already, was taken back or replaced by a newer letter, or is too old."


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation as it is shown; nothing leads from it to its secret.

    `delivery` tells of its newest letter: `waiting` for the mail server, `sent`, or `refused` by it for good.
    """

    id: UUID
    workspace_id: UUID
    email: str
    owner: bool
    inviter: str
    delivery: str
    sent_at: datetime | None
    created_at: datetime
    expires_at: datetime
    expired: bool
    groups: tuple[GroupReference, ...] = ()

    @property
    def state(self) -> str:
        """Whether it can be accepted: `pending`, or `expired`."""
        return "expired" if self.expired else "pending"


_PENDING = Invitation.expires_at > func.clock_timestamp()
_COLUMNS = (
    Invitation.id,
    Invitation.workspace_id,
    Invitation.email,
    Invitation.owner,
    Invitation.inviter,
    Invitation.delivery,
    Invitation.sent_at,
    Invitation.created_at,
    Invitation.expires_at,
    ~_PENDING,
)
_GROUPS = (
    select(
        func.json_agg(aggregate_order_by(func.json_build_array(Group.id, Group.display_name), Group.display_name_key))
    )
    .join_from(
        InvitationGroup,
        Group,
        (Group.workspace_id == InvitationGroup.workspace_id) & (Group.id == InvitationGroup.group_id),
    )
    .where(InvitationGroup.workspace_id == Invitation.workspace_id, InvitationGroup.invitation_id == Invitation.id)
    .correlate(Invitation)
    .scalar_subquery()
)
_VIEW: Select[*tuple[Any, ...]] = select(*_COLUMNS, _GROUPS.label("groups"))


def _bare(row: Sequence[Any]) -> InvitationView:
    """A row of the columns alone, whose groups nobody asked for."""
    return InvitationView(*row)


def _view(row: Sequence[Any]) -> InvitationView:
    groups = tuple(GroupReference(UUID(identifier), name) for identifier, name in row[-1] or ())
    return replace(_bare(row[:-1]), groups=groups)


def create(
    connection: Connection, *, workspace_id: UUID, email: str, owner: bool, lifetime: timedelta, by: Actor
) -> InvitationView:
    """Invite somebody. Whether the address has an account in other workspaces is not looked at.

    Args:
        connection: in a transaction.
        workspace_id: where.
        email: whom.
        owner: whether they become an owner.
        lifetime: how long they may take.
        by: who invites.

    Raises:
        Invalid: this is no address that a letter can be sent to.
        Conflict: the person is a member of this workspace, or invited to it already.
    """
    email = email.strip()
    if not _ADDRESS.fullmatch(email) or not email.isprintable() or len(email) > _LONGEST_ADDRESS:
        raise Invalid(f"{email[:64]!r} is no address that a letter can be sent to.", field="email")
    _refuse_member(connection, workspace_id=workspace_id, email=email)
    key = users.address_key(email)
    here = (Invitation.workspace_id == workspace_id, Invitation.email_key == key)
    late = connection.execute(delete(Invitation).where(*here, ~_PENDING).returning(Invitation.id, Invitation.email))
    facts = [InvitationExpired(invitation_id=row.id, email=row.email) for row in late]
    outbox.append(connection, *facts, workspace_id=workspace_id, by=by)
    identifier = entropy.new_id()
    new = insert(Invitation).values(
        id=identifier,
        workspace_id=workspace_id,
        email=email,
        email_key=key,
        owner=owner,
        inviter=_named(by),
        expires_at=func.clock_timestamp() + lifetime,
    )
    fact = InvitationCreated(invitation_id=identifier, email=email, owner=owner)
    made = outbox.together(connection, new.returning(*_COLUMNS), fact, workspace_id=workspace_id, by=by)
    try:
        return _bare(connection.execute(made).one())
    except IntegrityError:
        raise Conflict(f"{email} is invited to this workspace already: send it again instead.", field="email") from None


def _named(by: Actor) -> str:
    return f"{by.kind}:{by.id}" if by.id else by.kind


def _refuse_member(connection: Connection, *, workspace_id: UUID, email: str) -> None:
    known = select(Member.active).join(User, User.id == Member.user_id)
    known = known.where(Member.workspace_id == workspace_id, User.email_key == users.address_key(email))
    active = connection.execute(known).scalar_one_or_none()
    if active is not None:
        state = "a member" if active else "a suspended member"
        raise Conflict(f"{email} is {state} of this workspace already.", field="email")


def every(connection: Connection, *, workspace_id: UUID, window: Window) -> Page[InvitationView]:
    """Some of the workspace's invitations, the expired ones too, and how many there are."""
    wanted = _VIEW.where(Invitation.workspace_id == workspace_id)
    return fetch(connection, wanted, identifier=Invitation.id, window=window, sorting=None, read=_view)


def pending_addresses(
    connection: Connection, *, workspace_id: UUID, window: Window, group_id: UUID | None = None
) -> Page[str]:
    """Some of the addresses whose invitations can be accepted, and how many there are.

    Args:
        connection: to read with.
        workspace_id: where.
        window: which part of the list.
        group_id: only those who are going to be in this group.
    """
    wanted = select(Invitation.id, Invitation.email).where(Invitation.workspace_id == workspace_id, _PENDING)
    if group_id is not None:
        going = select(InvitationGroup.invitation_id).where(
            InvitationGroup.workspace_id == workspace_id, InvitationGroup.group_id == group_id
        )
        wanted = wanted.where(Invitation.id.in_(going))
    return fetch(
        connection, wanted, identifier=Invitation.id, window=window, sorting=None, read=lambda row: str(row[1])
    )


def ids_by_email(connection: Connection, *, workspace_id: UUID, emails: Sequence[str]) -> dict[str, UUID]:
    """Which of these addresses are invited, those whose invitation has expired too."""
    keys = {email: users.address_key(email) for email in emails}
    wanted = select(Invitation.email_key, Invitation.id).where(
        Invitation.workspace_id == workspace_id, Invitation.email_key.in_(keys.values())
    )
    found = {row.email_key: row.id for row in connection.execute(wanted)}
    return {email: found[key] for email, key in keys.items() if key in found}


def hold(connection: Connection, *, workspace_id: UUID, ids: Sequence[UUID]) -> Sequence[UUID]:
    """Keep invitations there until the transaction ends; those of them that are there."""
    if not ids:
        return ()
    wanted = select(Invitation.id).where(Invitation.workspace_id == workspace_id, Invitation.id.in_(ids))
    held = wanted.order_by(Invitation.id).with_for_update(read=True, key_share=True)
    return connection.execute(held).scalars().all()


def by_id(connection: Connection, *, workspace_id: UUID, invitation_id: UUID) -> InvitationView:
    """The workspace's invitation of this id.

    Raises:
        NotFound: the workspace has none.
    """
    return _one(connection, _VIEW.where(Invitation.workspace_id == workspace_id, Invitation.id == invitation_id))


def lock(connection: Connection, *, workspace_id: UUID, invitation_id: UUID) -> InvitationView:
    """The invitation, held against every other change until the transaction ends.

    Raises:
        NotFound: the workspace has none of this id.
    """
    wanted = _VIEW.where(Invitation.workspace_id == workspace_id, Invitation.id == invitation_id)
    return _one(connection, wanted.with_for_update(of=Invitation))


def lock_by_email(connection: Connection, *, workspace_id: UUID, email: str) -> InvitationView:
    """The invitation of an address, held as `lock` does.

    Raises:
        NotFound: the address is not invited to this workspace.
    """
    here = (Invitation.workspace_id == workspace_id, Invitation.email_key == users.address_key(email))
    try:
        return _one(connection, _VIEW.where(*here).with_for_update(of=Invitation))
    except NotFound:
        raise NotFound(f"{email[:_LONGEST_ADDRESS]} is not invited to this workspace.", field="emails") from None


def _one(connection: Connection, wanted: Select[*tuple[Any, ...]]) -> InvitationView:
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise NotFound("There is no such invitation in this workspace.")
    return _view(row)


def pending_for(connection: Connection, *, workspace_id: UUID, email: str) -> InvitationView | None:
    """The invitation that somebody can accept whose address was verified elsewhere, held until the transaction ends.

    Whoever signs in by other means than the letter is asked for by this, and let in by `access.admission.accept`.
    """
    here = (Invitation.workspace_id == workspace_id, Invitation.email_key == users.address_key(email))
    row = connection.execute(_VIEW.where(*here, _PENDING).with_for_update(of=Invitation)).one_or_none()
    return None if row is None else _view(row)


def by_secret(connection: Connection, digest: bytes, *, hold: bool = False) -> InvitationView:
    """The invitation whose newest letter has the secret of this digest.

    Args:
        connection: to read with; in a transaction, if it is to be held.
        digest: of the secret.
        hold: whether it is held against every other change: of two who accept at once, one finds it gone.

    Raises:
        Unauthenticated: it was used, taken back or replaced, or is too old; which of them is not told.
    """
    is_there = select(1).where(Workspace.id == Invitation.workspace_id, Workspace.deleted_at.is_(None)).exists()
    wanted = _VIEW.where(Invitation.digest == digest, _PENDING, is_there)
    row = connection.execute(wanted.with_for_update(of=Invitation) if hold else wanted).one_or_none()
    if row is None:
        raise Unauthenticated(GONE)
    return _view(row)


def inviter_name(connection: Connection, invitation: InvitationView) -> str:
    """Who invites, for whoever is invited to read: people by their address; names of programs are not told."""
    kind, _, identifier = invitation.inviter.partition(":")
    if kind != "person":
        return _NAMELESS
    address = connection.execute(select(User.email).where(User.id == UUID(identifier))).scalar_one_or_none()
    return address or _NAMELESS


def resend(connection: Connection, *, invitation: InvitationView, lifetime: timedelta, by: Actor) -> InvitationView:
    """Have another letter written for a locked invitation, an expired one too; what the former said is void at once.

    Whoever does so answers for it from now on, instead of who has invited before.

    Raises:
        TooManyRequests: a letter was asked for less than `LETTER_PAUSE` ago.
    """
    _refuse_haste(connection, invitation, lifetime)
    changed = (
        update(Invitation)
        .where(Invitation.workspace_id == invitation.workspace_id, Invitation.id == invitation.id)
        .values(digest=None, delivery="waiting", inviter=_named(by), expires_at=func.clock_timestamp() + lifetime)
        .returning(*_COLUMNS)
    )
    fact = InvitationResent(invitation_id=invitation.id, email=invitation.email)
    written = outbox.together(connection, changed, fact, workspace_id=invitation.workspace_id, by=by)
    return replace(_bare(connection.execute(written).one()), groups=invitation.groups)


def _refuse_haste(connection: Connection, invitation: InvitationView, lifetime: timedelta) -> None:
    """Nobody's mail box is to be filled. Each letter that is asked for begins the time of the invitation anew."""
    now = connection.execute(select(func.clock_timestamp())).scalar_one()
    wait = invitation.expires_at - lifetime + LETTER_PAUSE - now
    # More than the pause is no haste: the lifetime was a longer one then.
    if timedelta(0) < wait <= LETTER_PAUSE:
        seconds = math.ceil(wait.total_seconds())
        raise TooManyRequests(f"A letter was asked for just now: ask again in {seconds} s.", retry_after=seconds)


def revoke(connection: Connection, *, invitation: InvitationView, by: Actor) -> None:
    """Take a locked invitation back, with what was held for it."""
    fact = InvitationRevoked(invitation_id=invitation.id, email=invitation.email)
    _settle(connection, invitation, fact, by)


def report_leaked(connection: Connection, *, digest: bytes, by: Actor) -> bool:
    """Take back the invitation whose newest letter somebody has found: its address has to be invited again.

    Returns:
        Whether there was one that could still be accepted, or be sent again.
    """
    row = connection.execute(_VIEW.where(Invitation.digest == digest).with_for_update(of=Invitation)).one_or_none()
    if row is not None:
        revoke(connection, invitation=_view(row), by=by)
    return row is not None


def settle(connection: Connection, *, invitation: InvitationView, member: MemberView, by: Actor) -> None:
    """Note that a locked invitation has brought a member; what was held for it must be theirs by now."""
    fact = InvitationAccepted(
        invitation_id=invitation.id, email=invitation.email, user_id=member.user_id, member_id=member.id
    )
    _settle(connection, invitation, fact, by)


def _settle(
    connection: Connection, invitation: InvitationView, fact: InvitationRevoked | InvitationAccepted, by: Actor
) -> None:
    gone = delete(Invitation).where(Invitation.workspace_id == invitation.workspace_id, Invitation.id == invitation.id)
    connection.execute(outbox.together(connection, gone, fact, workspace_id=invitation.workspace_id, by=by))


def revoke_of_person(connection: Connection, *, workspace_id: UUID, user_id: UUID, by: Actor) -> None:
    """Take back what invites somebody who is dismissed: a letter that still lies about must not bring them back."""
    key = select(User.email_key).where(User.id == user_id).scalar_subquery()
    gone = delete(Invitation).where(Invitation.workspace_id == workspace_id, Invitation.email_key == key)
    rows = connection.execute(gone.returning(Invitation.id, Invitation.email))
    facts = [InvitationRevoked(invitation_id=row.id, email=row.email) for row in rows]
    outbox.append(connection, *facts, workspace_id=workspace_id, by=by)


def give_secret(
    connection: Connection, *, workspace_id: UUID, invitation_id: UUID, digest: bytes
) -> InvitationView | None:
    """Give a pending invitation the secret of the letter that is being written; any former one works no more.

    Returns:
        The invitation, or None where nobody is to get a letter any more.
    """
    written = (
        update(Invitation)
        .where(Invitation.workspace_id == workspace_id, Invitation.id == invitation_id, _PENDING)
        .values(digest=digest)
        .returning(*_COLUMNS)
    )
    row = connection.execute(written).one_or_none()
    return None if row is None else _bare(row)


def record_delivery(connection: Connection, *, digest: bytes, delivery: str) -> None:
    """Note what became of a letter, if it is still the newest one: `sent` or `refused`."""
    noted = update(Invitation).where(Invitation.digest == digest)
    connection.execute(noted.values(delivery=delivery, sent_at=func.clock_timestamp() if delivery == "sent" else None))


def delete_expired(connection: Connection, *, older_than: timedelta, most: int, by: Actor) -> int:
    """Delete invitations that expired long ago. No check waits for this.

    Args:
        connection: in a transaction of its own.
        older_than: how long they are shown as expired.
        most: how many at once, so that no lock is held for long.
        by: who does it.

    Returns:
        How many there were; fewer than `most` when none are left.
    """
    over = (
        select(Invitation.workspace_id, Invitation.id)
        .where(Invitation.expires_at <= func.clock_timestamp() - older_than)
        .order_by(Invitation.expires_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("over")
    )
    gone = delete(Invitation).where(Invitation.workspace_id == over.c.workspace_id, Invitation.id == over.c.id)
    rows = connection.execute(gone.returning(Invitation.workspace_id, Invitation.id, Invitation.email)).all()
    told = [(row.workspace_id, InvitationExpired(invitation_id=row.id, email=row.email)) for row in rows]
    outbox.append_each(connection, told, by=by)
    return len(rows)
