"""Letters reach a real mail server, or a folder; over TLS, or not at all."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from provisioning.post import folder, invitation
from provisioning.post.folder import Folder
from provisioning.post.letters import Letter, Undeliverable
from provisioning.post.smtp import Server
from tests.mail_server import HANG_UP, SILENCE, MailServer, certificate, running

SENDER = "Access <access@corp.example>"
LETTER = Letter("ann@corp.example", "Hello", "First line\n.\n..dots\nhttps://corp.example/#" + "x" * 90 + "\n")


def server_at(url: str) -> Server:
    return Server.at(url, sender=SENDER)


@pytest.fixture
def trusted(tmp_path, monkeypatch):
    """A certificate that this process trusts."""
    file = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return file


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_letter_arrives_over_tls_as_it_was_written(trusted, scheme):
    password = "p@ss:w/rd%?#"
    with running(MailServer(certificate=trusted, wrapped=scheme == "smtps", login=("user", password))) as server:
        server_at(f"{scheme}://user:{quote(password, safe='')}@{server.address}").send(LETTER)
    (arrived,) = server.letters
    assert (arrived["From"], arrived["To"], arrived["Subject"]) == (SENDER, LETTER.recipient, "Hello")
    assert (arrived["Auto-Submitted"], arrived["Message-ID"][-14:]) == ("auto-generated", "@corp.example>")
    assert arrived.get_content().replace("\r\n", "\n") == LETTER.body
    assert arrived.get_content_type() == "text/plain"


def test_without_tls_a_server_hears_neither_letter_nor_password():
    with running(MailServer(login=("user", "secret"))) as server:
        with pytest.raises(OSError, match="STARTTLS"):
            server_at(f"smtp://user:secret@{server.address}").send(LETTER)
        assert not [line for line in server.heard if not line.upper().startswith(("EHLO", "QUIT", "RSET"))]
        server_at(f"smtp://user:secret@{server.address}?starttls=off").send(LETTER)
    assert len(server.letters) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_server_whose_certificate_nobody_trusts_gets_nothing(tmp_path, scheme):
    file = certificate(tmp_path)
    strange = MailServer(certificate=file, wrapped=scheme == "smtps")
    with running(strange) as server, pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        server_at(f"{scheme}://{server.address}").send(LETTER)
    assert server.letters == []
    assert not any(line.startswith("MAIL") for line in server.heard)


@pytest.mark.parametrize("reply", ["550 no such person", "553 bad name"])
def test_a_recipient_who_is_refused_for_good_is_told_apart(reply):
    with running(MailServer()) as server:
        server.replies = [reply]
        with pytest.raises(Undeliverable, match=reply[:3]):
            server_at(f"smtp://{server.address}?starttls=off").send(LETTER)


@pytest.mark.parametrize("reply", ["451 later", "421 busy", HANG_UP, SILENCE])
def test_a_letter_that_is_put_off_can_be_sent_again(reply):
    with running(MailServer()) as server:
        server.replies = [reply]
        impatient = Server("127.0.0.1", server.server_address[1], SENDER, starttls=False, patience=0.5)
        with pytest.raises(OSError):  # noqa: PT011 - whichever of them it is
            impatient.send(LETTER)
        impatient.send(LETTER)
    assert len(server.letters) == 1


def test_an_address_that_the_server_has_no_letters_for_is_undeliverable():
    with running(MailServer()) as server, pytest.raises(Undeliverable, match="RFC 6531"):
        server_at(f"smtp://{server.address}?starttls=off").send(Letter("änn@corp.example", "Hello", "x"))


def test_a_name_in_a_letter_is_text_and_begins_no_header():
    letter = invitation.letter(
        email="ann@corp.example",
        workspace="Büro\r\nBcc: eve@corp.example\r\n\r\nClick",
        inviter="bob@corp.example",
        link="https://access.corp.example/sign-in/invitation#pvi_x",
        expires_at=datetime(2030, 1, 2, 3, 4, tzinfo=UTC),
    )
    message = letter.message(SENDER)
    assert message["Bcc"] is None
    assert message["Subject"] == "Invitation to Büro Bcc: eve@corp.example Click"
    assert "\nhttps://access.corp.example/sign-in/invitation#pvi_x\n" in message.get_content()
    assert "before 2030-01-02 03:04 UTC" in message.get_content()
    assert "pvi_x" not in repr(letter)


def test_letters_in_the_folder_are_their_owners_alone_and_keep_their_order(tmp_path):
    kept = tmp_path / "data" / "mail"
    assert folder.every(kept) == []
    for number in range(1, 4):
        Folder(kept, SENDER).send(Letter("ann@corp.example", f"Letter {number}", f"Grüße {number}\n"))
    (kept / "half.new").write_text("a letter that is being written")
    found = folder.every(kept)
    assert [(one.number, one.message["Subject"], one.body) for one in found] == [
        (number, f"Letter {number}", f"Grüße {number}\n") for number in range(1, 4)
    ]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.file.stat().st_mode) for one in found} == {0o600}


@pytest.mark.parametrize(
    "address",
    ["no address", "a@", "a@[", "<", "@", "a@b@c", "", "a@b\nBcc: c@d", "a@b.example, c@d.example", "g: a@b.example;"],
)
def test_a_letter_to_no_address_is_undeliverable(address):
    with pytest.raises(Undeliverable):
        Letter(address, "Hello", "Text\n").message(SENDER)
