"""`provisioning invitation` and `provisioning mail`, as operators and their scripts use them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.letters import accept, let_pause, letters_to, secret_to


@pytest.fixture
def email(idp):
    return f"ann@{idp.workspace.slug}.example"


@pytest.fixture
def group(idp, new_admin):
    """The name of a local group."""
    made = new_admin(idp.workspace.slug).request("POST", "/groups", {"name": "Analysts"})
    assert made.status_code == 200
    return "Analysts"


def test_an_operator_invites_reads_the_letter_and_sees_what_became_of_it(service, idp, facts_of, email, group):
    here = ("--workspace", idp.workspace.slug)
    role = ("--role", "source-admin", "--label", "environment:prod")
    made = facts_of("invitation", "create", email, *here, *role, "--group", group, "--expires-in", "1h")
    assert {name: made[name] for name in ("email", "state", "owner", "roles", "groups", "inviter", "delivery")} == {
        "email": email,
        "state": "pending",
        "owner": False,
        "roles": ["source-admin"],
        "groups": ["Analysts"],
        "inviter": "operator",
        "delivery": "waiting",
    }
    until = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=58) < until < timedelta(hours=1, minutes=1)
    secret = secret_to(service, email)
    (number,) = [letter["number"] for letter in facts_of("mail")["letters"] if letter["to"] == email]
    letter = facts_of("mail", "show", str(number))
    assert (letter["to"], letter["subject"]) == (email, f"Invitation to {idp.workspace.name}")
    assert secret in letter["body"]
    (listed,) = facts_of("invitation", "list", *here)["invitations"]
    assert (listed["id"], secret in str(listed)) == (made["id"], False)
    assert accept(service, secret).status_code == 303
    assert facts_of("invitation", "list", *here) == {"invitations": [], "total": 0}
    assert facts_of("member", "show", email, *here)["origin"] == "invitation"
    assert facts_of("member", "show", email, *here)["groups"] == ["Analysts"]
    access = facts_of("member", "access", email, *here)["access"]
    assert {"kind": "labels", "labels": ["environment:prod"]} in [line["scope"] for line in access]


def test_an_operator_invites_an_owner_sends_it_again_and_takes_it_back(service, idp, facts_of, email):
    here = ("--workspace", idp.workspace.slug)
    assert facts_of("invitation", "create", email, *here, "--role", "workspace-owner")["owner"] is True
    first = secret_to(service, email)
    let_pause(email)
    assert facts_of("invitation", "resend", email.upper(), *here)["state"] == "pending"
    second = secret_to(service, email, letter=2)
    assert accept(service, first).status_code == 401
    assert facts_of("invitation", "revoke", email, *here)["revoked"] is True
    assert accept(service, second).status_code == 401
    assert len(letters_to(service, email)) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "nobody"), "no address"),
        (("create", "{email}", "--role", "no-such-role"), "no role called"),
        (("create", "{email}", "--role", "workspace-owner", "--label", "environment:prod"), "whole workspace"),
        (("create", "{email}", "--group", "no-such-group"), "no local group"),
        (("resend", "{email}"), "not invited"),
        (("revoke", "{email}"), "not invited"),
    ],
)
def test_what_cannot_be_is_said_in_one_line_and_changes_nothing(command, facts_of, idp, email, arguments, words):
    here = ("--workspace", idp.workspace.slug)
    done = command("invitation", *(word.format(email=email) for word in arguments), *here)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert facts_of("invitation", "list", *here)["total"] == 0


def test_letters_are_shown_to_people_as_they_are(service, command, facts_of, idp, email):
    facts_of("invitation", "create", email, "--workspace", idp.workspace.slug)
    secret = secret_to(service, email)
    listed = command("mail")
    assert listed.returncode == 0
    (line,) = [line for line in listed.stdout.splitlines() if email in line]
    assert secret not in listed.stdout
    letter = command("mail", "show", line.split()[0])
    assert letter.stdout.startswith("From: provisioning@localhost\n")
    assert f"\n{service.base_url}/sign-in/invitation#{secret}\n" in letter.stdout
    missing = command("mail", "show", "99999")
    assert (missing.returncode, "no letter 99999" in missing.stderr) == (1, True)


def test_a_folder_without_letters_says_so(command, tmp_path):
    done = command("mail", "--data-dir", str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "no letters\n")
