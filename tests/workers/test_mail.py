"""Letters are sent by real workers through a real mail server: however often it fails, one letter works in the end."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from config import settings
from provisioning import entropy
from provisioning.access import admission, custom_roles
from provisioning.access.founding import found_workspace
from provisioning.access.policies import Giver
from provisioning.app import create_app
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import db, reading, transaction
from provisioning.directory import invitations
from provisioning.directory.events import InvitationCreated
from provisioning.outbox import Claimed, Event
from provisioning.refusals import Unauthenticated
from tests.conftest import TEST
from tests.mail_server import HANG_UP, MailServer, running
from tests.service import free_port
from tests.waiting import eventually
from workers import mail

WORKER = ("worker", "--queues", "urgent,letters,housekeeping", "--concurrency", "2", "--loglevel", "warning")
BEAT = ("beat", "--loglevel", "warning")
_SECRET = re.compile(r"#(pvi_\w+)")


@pytest.fixture(autouse=True)
def _in_context(bench_app):
    with bench_app.app_context():
        yield


def invite():
    """An invitation in a workspace of its own."""
    slug = f"m{entropy.new_id().hex[-10:]}"
    with transaction() as connection:
        workspace = found_workspace(connection, slug=slug, name=slug, hipaa_eligible=False, by=TEST)
        roles = custom_roles.of_workspace(connection, workspace_id=workspace.id, catalogue=context().catalogue)
        return admission.invite(
            connection,
            workspace_id=workspace.id,
            email=f"ann@{slug}.example",
            lifetime=timedelta(days=1),
            giver=Giver(TEST, roles),
        )


def now(invitation):
    with reading() as connection:
        return invitations.by_id(connection, workspace_id=invitation.workspace_id, invitation_id=invitation.id)


def attempts(invitation) -> int | None:
    """How many it took, once the work is settled."""
    with reading() as connection:
        wanted = select(Event.attempts).where(
            Event.subject == f"invitation:{invitation.id}", Event.done_at.is_not(None)
        )
        return connection.execute(wanted).scalar_one_or_none()


def opens(letter) -> bool:
    """Whether the secret in a letter is one that lets somebody in."""
    digest = context().keyring.recognise(_SECRET.search(letter.get_content())[1], Kind.INVITATION)
    assert digest is not None
    with reading() as connection:
        try:
            invitations.by_secret(connection, digest)
        except Unauthenticated:
            return False
    return True


def through(server) -> dict[str, str]:
    return {
        "PROVISIONING_SMTP_URL": f"smtp://{server.address}?starttls=off",
        "PROVISIONING_MAIL_FROM": "access@corp.example",
        "PROVISIONING_BASE_URL": "https://access.corp.example",
    }


def test_a_server_that_refuses_at_first_is_tried_again_and_one_letter_arrives(spawn):
    with running(MailServer()) as server:
        server.replies = ["451 later", HANG_UP]
        spawn(*WORKER, **through(server))
        spawn(*BEAT)
        invitation = invite()
        eventually(lambda: now(invitation).delivery == "sent", within=60)
        assert eventually(lambda: attempts(invitation)) == 3
        (letter,) = server.letters
    assert (letter["From"], letter["To"]) == ("access@corp.example", invitation.email)
    assert "https://access.corp.example/sign-in/invitation#pvi_" in letter.get_content()
    assert opens(letter)


def test_a_server_that_was_away_gets_the_letter_when_it_is_back(spawn):
    server = MailServer(port=free_port())
    environ = through(server)
    server.server_close()
    spawn(*WORKER, **environ)
    spawn(*BEAT)
    invitation = invite()
    failed = select(Event.error).where(Event.subject == f"invitation:{invitation.id}")
    with reading() as connection:
        assert eventually(lambda: connection.execute(failed).scalar_one(), within=60) == "ConnectionRefusedError"
    assert now(invitation).delivery == "waiting"
    with running(MailServer(port=int(server.address.rpartition(":")[2]))) as back:
        eventually(lambda: now(invitation).delivery == "sent", within=60)
        assert len(back.letters) == 1


def test_a_recipient_who_is_refused_for_good_is_told_and_not_tried_again(spawn):
    with running(MailServer()) as server:
        server.replies = ["550 no such person"]
        spawn(*WORKER, **through(server))
        spawn(*BEAT)
        invitation = invite()
        eventually(lambda: now(invitation).delivery == "refused", within=60)
        assert eventually(lambda: attempts(invitation)) == 1
        assert (server.letters, now(invitation).sent_at) == ([], None)


def test_of_two_letters_of_one_invitation_the_newest_works(bench):
    """A worker that died between sending and settling leaves the fact to another, which sends again."""
    invitation = invite()
    fact = Claimed(
        entropy.new_id(), invitation.workspace_id, InvitationCreated.name, {"invitation_id": str(invitation.id)}, 1
    )
    with running(MailServer()) as server:
        app = create_app(settings.load({**bench, **through(server)}))
        with app.app_context():
            for _ in range(2):
                mail.invite(fact)
            db.engine.dispose()
        first, second = server.letters
    assert (opens(first), opens(second)) == (False, True)


def test_nobody_gets_a_letter_of_what_was_taken_back_in_the_meantime(bench):
    invitation = invite()
    with transaction() as connection:
        held = invitations.lock(connection, workspace_id=invitation.workspace_id, invitation_id=invitation.id)
        invitations.revoke(connection, invitation=held, by=TEST)
    fact = Claimed(
        entropy.new_id(), invitation.workspace_id, InvitationCreated.name, {"invitation_id": str(invitation.id)}, 1
    )
    with running(MailServer()) as server:
        app = create_app(settings.load({**bench, **through(server)}))
        with app.app_context():
            mail.invite(fact)
            db.engine.dispose()
        assert server.letters == []
