"""`provisioning audit` as scripts rely on it: one document, exit 1 when something is wrong, and what it is."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from provisioning.database import transaction
from tests.waiting import eventually


@pytest.fixture
def sealed(idp):
    """A workspace all of whose facts the running service has sealed, and what it takes to change one back and forth."""
    idp.create_user("a@corp.example")

    def is_sealed():
        with transaction() as connection:
            asked = text("SELECT count(*) FROM event WHERE workspace_id = :id AND seal_number IS NULL")
            return connection.execute(asked, {"id": idp.workspace.id}).scalar_one() == 0

    eventually(is_sealed, within=60)
    return idp.workspace


def rename(workspace, name: str, to: str) -> None:
    with transaction() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        change = text("UPDATE event SET name = :to WHERE workspace_id = :id AND name = :name")
        assert connection.execute(change, {"id": workspace.id, "name": name, "to": to}).rowcount == 1


def test_a_changed_fact_is_told_to_people_and_programs(sealed, facts_of, command):
    fine = facts_of("audit", "verify", "--workspace", sealed.slug)
    assert fine["ok"] is True
    assert [(c["chain"], c["trouble_count"]) for c in fine["chains"]] == [(str(sealed.id), 0)]
    assert fine["chains"][0]["facts"] > 0
    rename(sealed, "workspace.created", "workspace.created.not")
    told = command("audit", "verify", "--workspace", sealed.slug, "--json")
    assert told.returncode == 1
    (trouble,) = json.loads(told.stdout)["chains"][0]["troubles"]
    assert (trouble["what"], trouble["seal"]) == ("was changed", 1)
    said = command("audit", "verify", "--workspace", sealed.slug)
    assert said.returncode == 1
    assert f"seal 1: fact {trouble['seq']} ({trouble['event_id']}) was changed" in said.stdout
    rename(sealed, "workspace.created.not", "workspace.created")
    assert facts_of("audit", "verify", "--workspace", sealed.slug)["ok"] is True


def test_what_was_noted_outside_is_compared(sealed, facts_of, command, tmp_path):
    noted = facts_of("audit", "anchor")
    (mine,) = [end for end in noted["anchors"] if end["chain"] == str(sealed.id)]
    file = tmp_path / "anchors.json"
    file.write_text(json.dumps(noted))
    asked = ("audit", "verify", "--workspace", sealed.slug, "--anchors", str(file))
    assert facts_of(*asked)["ok"] is True
    file.write_text(json.dumps({"anchors": [{**mine, "number": mine["number"] + 1000}]}))
    told = command(*asked)
    assert told.returncode == 1
    assert "noted outside is not there" in told.stdout
    file.write_text("[]")
    wrong = command(*asked)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "audit anchor --json" in wrong.stderr


def test_all_chains_are_checked_without_a_workspace(sealed, facts_of):
    told = facts_of("audit", "verify")
    assert str(sealed.id) in {chain["chain"] for chain in told["chains"]}
    assert [trouble for chain in told["chains"] for trouble in chain["troubles"]] == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("verify", "--workspace", "nowhere"), 1, "no workspace called nowhere"),
        (("export", "--workspace", "nowhere"), 1, "no workspace called nowhere"),
        (("export", "--workspace", "main", "--since", "yesterday"), 2, "must be a moment"),
        (("export", "--workspace", "main", "--format", "xml"), 2, "xml"),
    ],
)
def test_wrong_use_is_told_in_one_line(command, arguments, code, words):
    done = command("audit", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert words in done.stderr
