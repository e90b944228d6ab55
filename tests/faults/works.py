"""What workers are killed at: something that calls for their work, and what is to be seen of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.directory import invitations, workspaces
from provisioning.directory.models import Invitation, Member
from provisioning.outbox import Event
from provisioning.post import folder
from provisioning.post.folder import Folder
from provisioning.sessions.models import Session
from provisioning.tokens.models import ApiToken
from tests.conftest import TEST
from tests.faults.deeds import Victim, clinic, revoke_a_token, suspend, unique
from tests.faults.looking import count, endings, judged, value

State = Callable[[], Any]


def clear_after_a_flip(_victim: Victim) -> State:
    """A workspace has become HIPAA-eligible."""
    slug, _ = clinic(3)
    with transaction() as connection:
        workspaces.set_hipaa_eligible(connection, slug=slug, eligible=True, by=TEST)
    return lambda: endings(slug)


def clear_after_a_suspension(victim: Victim) -> State:
    """A member was suspended."""
    assert victim.send(suspend(victim)) is not None
    return lambda: count(Session, Session.ended_at.is_(None))


def clear_after_a_deletion(_victim: Victim) -> State:
    """A workspace was deleted."""
    slug, sessions = clinic(3)
    with transaction() as connection:
        there = workspaces.by_slug(connection, slug).id
        workspaces.delete(connection, slug=slug, by=TEST)
    return lambda: (count(Member, Member.workspace_id == there), judged(sessions[0]).reason)


def send_an_invitation(victim: Victim) -> State:
    """Somebody was invited: one letter at least arrives, and is known to have been sent."""
    address = f"{unique()}@corp.example"
    lifetime = timedelta(days=1)
    with transaction() as connection:
        made = invitations.create(
            connection, workspace_id=victim.company.id, email=address, owner=False, lifetime=lifetime, by=TEST
        )
    delivery = select(Invitation.delivery).where(Invitation.id == made.id)
    return lambda: (value(delivery), any(kept.message["To"] == address for kept in _letters()))


def _letters() -> Any:
    post = context().post
    assert isinstance(post, Folder)
    return folder.every(post.path)


def expire_sessions(_victim: Victim) -> State:
    """The time of sessions is over."""
    slug, _ = clinic(3)
    old = func.clock_timestamp() - timedelta(days=8)
    with transaction() as connection:
        connection.execute(update(Session).where(Session.ended_at.is_(None)).values(created_at=old))
    return lambda: endings(slug)


def expire_tokens(victim: Victim) -> State:
    """The time of an API token is over."""
    deed = revoke_a_token(victim)
    past = func.clock_timestamp() - timedelta(seconds=1)
    with transaction() as connection:
        expired = update(ApiToken).where(ApiToken.id == deed.path.rpartition("/")[2])
        connection.execute(expired.values(expires_at=past))
    return deed.state


def seal(_victim: Victim) -> State:
    """Facts have been written since the last seal."""
    slug, _ = clinic(1)
    with reading() as connection:
        there = workspaces.by_slug(connection, slug).id
    return lambda: count(Event, Event.workspace_id == there, Event.seal_number.is_(None))


WORKS = (
    (clear_after_a_flip, "provisioning.drain_urgent"),
    (clear_after_a_suspension, "provisioning.drain_urgent"),
    (clear_after_a_deletion, "provisioning.drain_housekeeping"),
    (send_an_invitation, "provisioning.drain_letters"),
    (expire_sessions, "provisioning.expire_sessions"),
    (expire_tokens, "provisioning.expire_tokens"),
    (seal, "provisioning.seal_audit"),
)
