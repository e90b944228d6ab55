"""What the tables say, asked straight, whatever the service is doing."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import delete, func, select, text, update

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.directory.models import Member, Workspace
from provisioning.heartbeat import Heartbeat
from provisioning.outbox import Event
from provisioning.sessions import lifecycle
from provisioning.sessions.events import SessionsCleared
from provisioning.sessions.models import Session
from provisioning.sessions.rules import Verdict


def value(statement: Any) -> Any:
    """The only value of the only row; None where there is no row."""
    with reading() as connection:
        return connection.execute(statement).scalar_one_or_none()


def count(table: Any, *conditions: Any) -> int:
    """How many rows there are."""
    return int(value(select(func.count()).select_from(table).where(*conditions)))


def judged(session: str) -> Verdict:
    """What a check says of a session's text."""
    digest = context().keyring.recognise(session, Kind.SESSION)
    assert digest is not None
    with reading() as connection:
        return lifecycle.judge(connection, digest=digest, policy=context().session_policy)[0]


def endings(slug: str) -> list[str | None]:
    """How the sessions of a workspace's members ended."""
    wanted = (
        select(Session.ended_reason)
        .join(Member, Member.user_id == Session.user_id)
        .join(Workspace, Workspace.id == Member.workspace_id)
        .where(Workspace.slug == slug)
    )
    with reading() as connection:
        return list(connection.execute(wanted).scalars())


def clearings() -> Counter[str]:
    """How many facts tell of each session that it was cleared away."""
    told = select(Event.payload["session_ids"]).where(Event.name == SessionsCleared.name)
    with reading() as connection:
        return Counter(session for ids in connection.execute(told).scalars() for session in ids)


def last_fact() -> int:
    """The number of the newest fact."""
    return int(value(select(func.coalesce(func.max(Event.seq), 0))))


def facts_since(mark: int) -> list[str]:
    """The names of the facts that were written after that one."""
    with reading() as connection:
        return sorted(connection.execute(select(Event.name).where(Event.seq > mark)).scalars())


def leader() -> int | None:
    """The process of the beat that leads: told by the name that it gave its connection, which holds the lock."""
    name = value(
        text(
            "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)"
            " WHERE locktype = 'advisory' AND granted AND application_name LIKE 'beat-%'"
        )
    )
    return None if name is None else int(name.removeprefix("beat-"))


def undone() -> int:
    """How many facts wait for their work, the parked ones among them."""
    return count(Event, Event.done_at.is_(None))


def call_all_done() -> None:
    """What a test that failed has left to do is nobody's business any more."""
    with transaction() as connection:
        connection.execute(update(Event).where(Event.done_at.is_(None)).values(done_at=func.clock_timestamp()))


def make_due() -> None:
    """What a killed worker held, what failed, and a job just begun is left alone for a while: as if that were over."""
    with transaction() as connection:
        connection.execute(delete(Heartbeat).where(Heartbeat.name.startswith("provisioning.")))
        connection.execute(update(Event).where(Event.done_at.is_(None)).values(due_at=func.clock_timestamp()))
