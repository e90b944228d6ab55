"""What has to be done at once waits behind nothing else: real workers, and a mail server that never answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from honcho.environ import parse_procfile
from sqlalchemy import func, select, update

from provisioning.database import reading, transaction
from provisioning.directory.models import Member, Workspace
from provisioning.forwarding.means import QUEUE as FORWARDING
from provisioning.outbox import Event, Fact, Urgency
from provisioning.sessions.models import Session
from tests.mail_server import SILENCE, MailServer, running
from tests.test_documents import below
from tests.waiting import eventually
from tests.workers.test_mail import invite, through
from tests.workers.test_processes import company, flip
from workers import mail, notices
from workers.handlers import HANDLERS

_QUIET = ("--concurrency", "1", "--loglevel", "warning")


@pytest.fixture(autouse=True)
def _in_context(bench_app):
    """All facts of other tests count as done."""
    with bench_app.app_context():
        with transaction() as connection:
            connection.execute(update(Event).where(Event.done_at.is_(None)).values(done_at=func.clock_timestamp()))
        yield


def alive(slug: str) -> int:
    wanted = count_of(Session, Session.ended_at.is_(None), Session.user_id.in_(_people_of(slug)))
    with reading() as connection:
        return connection.execute(wanted).scalar_one()


def count_of(table, *conditions):
    return select(func.count()).select_from(table).where(*conditions)


def _people_of(slug: str):
    return select(Member.user_id).join(Workspace, Workspace.id == Member.workspace_id).where(Workspace.slug == slug)


def undone(urgency: Urgency) -> int:
    with reading() as connection:
        wanted = count_of(Event, Event.urgency == urgency, Event.done_at.is_(None))
        return connection.execute(wanted).scalar_one()


def test_a_mail_server_that_never_answers_does_not_delay_the_end_of_sessions(spawn):
    slug = company(20)
    with running(MailServer()) as server:
        server.replies = [SILENCE] * 50
        for urgency in Urgency:
            spawn("worker", "--queues", urgency, "--hostname", f"{urgency}@%h", *_QUIET, **through(server))
        for _ in range(6):
            invite()
        eventually(lambda: any(word.upper().startswith("RCPT") for word in server.heard), within=60)
        flip(slug)
        eventually(lambda: alive(slug) == 0 and undone(Urgency.URGENT) == 0, within=5)
        assert undone(Urgency.LETTERS) == 6
        assert server.letters == []


def test_every_queue_has_a_process_that_serves_nothing_else():
    commands = parse_procfile((Path(__file__).parents[2] / "Procfile").read_text()).processes.values()
    served = [command.split("--queues ")[1].split()[0] for command in commands if "--queues " in command]
    assert sorted(served) == sorted([*Urgency, FORWARDING])


def test_what_ends_sessions_is_urgent_and_what_writes_letters_never_is():
    of = {fact.name: fact for fact in below(Fact) if isinstance(getattr(fact, "name", None), str)}
    for name, handlers in HANDLERS.items():
        writes = any(handle.__module__ in {mail.__name__, notices.__name__} for handle in handlers)
        ends = any(handle.__name__.startswith("clear_") for handle in handlers)
        assert (of[name].urgency is Urgency.LETTERS) is writes, name
        assert (of[name].urgency is Urgency.URGENT) is ends, name
