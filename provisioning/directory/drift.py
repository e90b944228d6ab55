"""What is not as an identity provider says, of the directory's own: one statement a kind, on indexes.

A connection's word about a person is the last fact that it wrote of them: that they came, are active, are suspended or
are gone. No person's attributes are among the kinds: each connection's write replaces the one before, and what another
had said is kept nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Boolean, Select, Text, Uuid, and_, case, cast, exists, func, literal, literal_column, or_, select
from sqlalchemy.orm import aliased

from provisioning.differences import Of, line
from provisioning.directory.events import MemberActivated, MemberAdded, MemberRemoved, MemberSuspended
from provisioning.directory.members import SCIM, SIGN_IN
from provisioning.directory.models import AwaitedMember, Connection, Group, HeldChange, LostGroup, Member, User
from provisioning.outbox import Event

Lines = Select[*tuple[Any, ...]]

_NAME = func.coalesce(Member.display_name, Member.user_name)
_OF_GROUP = and_(Group.workspace_id == AwaitedMember.workspace_id, Group.id == AwaitedMember.group_id)
_WHOSE = and_(Member.workspace_id == HeldChange.workspace_id, Member.id == HeldChange.member_id)
_ASKED = case(
    (HeldChange.kind == "suspend", "suspended"),
    (HeldChange.kind == "remove", "removed"),
    else_="out of the group",
)


def _held(of: Of) -> Lines:
    columns = line(
        "held_change",
        id=cast(HeldChange.id, Text),
        connection_id=HeldChange.connection_id,
        subject="user",
        subject_id=HeldChange.member_id,
        name=_NAME,
        says=_ASKED,
        holds="as before",
        since=HeldChange.created_at,
    )
    return select(*columns).join(Member, _WHOSE).where(*of.which(HeldChange.workspace_id, HeldChange.connection_id))


def _awaited(of: Of) -> Lines:
    columns = line(
        "awaited_member",
        id=func.concat(AwaitedMember.group_id, ":", AwaitedMember.name),
        connection_id=Group.connection_id,
        subject="group",
        subject_id=Group.id,
        name=Group.display_name,
        says=func.concat(AwaitedMember.name, " is a member"),
        holds="nobody of this externalId has come",
        since=AwaitedMember.created_at,
    )
    here = (AwaitedMember.workspace_id == of.workspace_id, *of.which(Group.workspace_id, Group.connection_id))
    return select(*columns).join(Group, _OF_GROUP).where(*here)


def _detached(of: Of) -> Lines:
    """A lost group that is still there was detached; one that its connection has deleted is not."""
    again = aliased(Group)
    is_back = exists().where(
        again.workspace_id == LostGroup.workspace_id,
        again.external_id == LostGroup.external_id,
        again.connection_id == LostGroup.connection_id,
    )
    columns = line(
        "detached_group",
        id=cast(LostGroup.id, Text),
        connection_id=LostGroup.connection_id,
        subject="group",
        subject_id=LostGroup.id,
        name=Group.display_name,
        says=case((is_back, "pushed again, as another group"), else_="pushed until it was detached"),
        holds="a local group with the members that it had",
        since=LostGroup.lost_at,
    )
    still = and_(Group.workspace_id == LostGroup.workspace_id, Group.id == LostGroup.id)
    return select(*columns).join(Group, still).where(*of.which(LostGroup.workspace_id, LostGroup.connection_id))


_word = aliased(Event)
_other = aliased(Event)
_WORDS: list[Any] = [
    literal_column(f"'{fact.name}'") for fact in (MemberAdded, MemberActivated, MemberSuspended, MemberRemoved)
]


def _of_membership(event: Any, of: Of) -> tuple[Any, ...]:
    """That a fact is about somebody's membership of the workspace, as the index of such facts has it."""
    return (event.workspace_id == of.workspace_id, event.name.in_(_WORDS))


def _connections(of: Of) -> Any:
    """The connections there, as facts name who did it."""
    named = select(cast(Connection.id, Text)).where(*of.which(Connection.workspace_id, Connection.id))
    return func.any(func.array(named.scalar_subquery()))


def _last_words(of: Of) -> tuple[Any, ...]:
    """That a fact is the last word of a connection there about somebody's membership."""
    later = aliased(Event)
    since = (later.actor_id == _word.actor_id, later.subject == _word.subject, later.seq > _word.seq)
    said_more = exists().where(*_of_membership(later, of), *since, _pushed(later))
    return (*_of_membership(_word, of), _word.actor_id == _connections(of), _pushed(_word), ~said_more)


def _pushed(word: Any) -> Any:
    """That it is no coming by signing in or by an invitation, of which a connection is only the way."""
    return or_(word.name != MemberAdded.name, word.payload["origin"].astext == SCIM)


def _about(word: Any, of: Of) -> Any:
    return and_(Member.workspace_id == of.workspace_id, Member.user_id == cast(func.substr(word.subject, 6), Uuid))


def _overruled(of: Of) -> Lines:
    """One connection's word on whether somebody is active, and another's later one, which holds."""
    said = case(
        (_word.name == MemberSuspended.name, literal(value=False)),
        (_word.name == MemberActivated.name, literal(value=True)),
        (_word.name == MemberAdded.name, cast(_word.payload["active"].astext, Boolean)),
    )
    later = exists().where(
        *_of_membership(_other, of),
        _other.actor_id == _connections(Of(of.workspace_id)),
        _other.actor_id != _word.actor_id,
        _other.subject == _word.subject,
        _other.seq > _word.seq,
    )
    columns = line(
        "overruled_state",
        id=func.concat(_word.actor_id, ":", Member.id),
        connection_id=_word.actor_id,
        subject="user",
        subject_id=Member.id,
        name=_NAME,
        says=case((said, "active"), else_="suspended"),
        holds=case((Member.active, "active, by another connection"), else_="suspended, by another connection"),
        since=Member.modified_at,
    )
    words = (*_last_words(of), later)
    return select(*columns).select_from(_word).join(Member, _about(_word, of)).where(*words, Member.active != said)


def _returned(of: Of) -> Lines:
    columns = line(
        "returned_member",
        id=func.concat(_word.actor_id, ":", Member.id),
        connection_id=_word.actor_id,
        subject="user",
        subject_id=Member.id,
        name=_NAME,
        says="removed",
        holds=func.concat("a member again: ", Member.origin),
        since=Member.created_at,
    )
    words = (*_last_words(of), _word.name == MemberRemoved.name, Member.created_at > _word.occurred_at)
    return select(*columns).select_from(_word).join(Member, _about(_word, of)).where(*words)


def _removed(of: Of) -> Lines:
    """Whom somebody else has removed: unless the connection had asked for it, and it was held."""
    whose = cast(func.substr(_word.subject, 6), Uuid)
    is_member = exists().where(Member.workspace_id == of.workspace_id, Member.user_id == whose)
    by = case((_other.actor_id == _connections(Of(of.workspace_id)), "by another connection"), else_="here")
    columns = line(
        "removed_member",
        id=func.concat(_word.actor_id, ":", whose),
        connection_id=_word.actor_id,
        subject="user",
        subject_id=_word.payload["member_id"].astext,
        name=func.coalesce(User.email, cast(whose, Text)),
        says="a member",
        holds=func.concat("removed ", by),
        since=_other.occurred_at,
    )
    removal = (
        *_of_membership(_other, of),
        _other.subject == _word.subject,
        _other.seq > _word.seq,
        _other.name == MemberRemoved.name,
        _other.actor_id.is_distinct_from(_word.actor_id),
        func.coalesce(_other.payload["asked_by"].astext, "") != _word.actor_id,
    )
    later = aliased(Event)
    no_more = ~exists().where(*_of_membership(later, of), later.subject == _other.subject, later.seq > _other.seq)
    found = select(*columns).select_from(_word).join(_other, and_(*removal)).outerjoin(User, User.id == whose)
    return found.where(*_last_words(of), _word.name != MemberRemoved.name, no_more, ~is_member)


def _signed_in(of: Of) -> Lines:
    """Who came by signing in, before the connection began to push people, and has not been pushed since."""
    pushed = aliased(Member)
    pushes = exists().where(
        pushed.workspace_id == Member.workspace_id, pushed.connection_id == Member.connection_id, pushed.origin == SCIM
    )
    columns = line(
        "signed_in_member",
        id=cast(Member.id, Text),
        connection_id=Member.connection_id,
        subject="user",
        subject_id=Member.id,
        name=_NAME,
        says="nothing: not pushed",
        holds="a member, by signing in",
        since=Member.created_at,
    )
    never = ~Member.external_ids.has_key(cast(Member.connection_id, Text))
    here = of.which(Member.workspace_id, Member.connection_id)
    return select(*columns).where(*here, Member.origin == literal_column(f"'{SIGN_IN}'"), never, pushes)


def _unknown(of: Of) -> Lines:
    """Whom no connection knows, in a workspace that has some; who is of no connection is in no connection's report."""
    has_connections = exists().where(Connection.workspace_id == of.workspace_id)
    columns = line(
        "unknown_member",
        id=cast(Member.id, Text),
        subject="user",
        subject_id=Member.id,
        name=_NAME,
        says="nothing",
        holds=func.concat("a member: ", Member.origin),
        since=Member.created_at,
    )
    nobodys = (Member.connection_id.is_(None), Member.external_ids == cast(literal("{}"), Member.external_ids.type))
    return select(*columns).where(*of.which(Member.workspace_id, Member.connection_id), *nobodys, has_connections)


def _unheard(kind: str, of: Of, condition: Any, says: str, since: Any) -> Lines:
    columns = line(
        kind,
        id=cast(Connection.id, Text),
        connection_id=Connection.id,
        subject="connection",
        subject_id=Connection.id,
        name=Connection.name,
        says=says,
        holds="nothing of it",
        since=since,
    )
    return select(*columns).where(*of.which(Connection.workspace_id, Connection.id), condition)


def lines(of: Of) -> Mapping[str, Lines]:
    """The differences of each kind, as statements."""
    paused, rehearses = Connection.paused_at.is_not(None), Connection.dry_run
    return {
        "held_change": _held(of),
        "awaited_member": _awaited(of),
        "detached_group": _detached(of),
        "overruled_state": _overruled(of),
        "returned_member": _returned(of),
        "removed_member": _removed(of),
        "signed_in_member": _signed_in(of),
        "unknown_member": _unknown(of),
        "paused_connection": _unheard(
            "paused_connection", of, paused, "whatever it asks, again and again", Connection.paused_at
        ),
        "rehearsing_connection": _unheard(
            "rehearsing_connection", of, rehearses, "whatever it believes to have written", None
        ),
    }
