"""The audit trail on the console: sentences that anybody reads, searched, taken along, and checked."""

from __future__ import annotations

import dataclasses
import html
import re
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from sqlalchemy import text

from provisioning.audit import seals
from provisioning.context import context
from provisioning.database import transaction
from provisioning.outbox import Fact
from provisioning.web.console import told
from provisioning.web.console.pages import audit
from tests.console import owner_of
from tests.statements import counted


@pytest.fixture
def owner(idp):
    return owner_of(idp)


def sentences(page) -> list[str]:
    return [html.unescape(found) for found in re.findall(r'data-label="What"><p>(.*?)</p>', page.text)]


def facts() -> dict[str, set[str]]:
    """All facts that the house declares, by name, each with what it holds."""
    found, waiting = {}, [Fact]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("provisioning.") and "." in getattr(kind, "name", ""):
            found[kind.name] = {field.name for field in dataclasses.fields(kind)}
    return found


def test_every_fact_has_words_that_name_only_what_it_holds():
    held = facts()
    assert held.keys() == told.PREDICATES.keys()
    for name, predicate in told.PREDICATES.items():
        assert set(re.findall(r"{(\w+)}", predicate)) <= held[name], name


def test_what_happened_is_read_as_sentences_with_what_ids_mean(owner, idp):
    ada = idp.create_user("ada@corp.example", displayName="Ada")
    idp.patch(f"/Users/{ada['id']}", {"op": "replace", "path": "active", "value": False})
    owner.send("/resources/labels/new", "/resources/labels/new", {"name": "team:web"})
    page = "/resources/labels/team:web/rename"
    owner.send(page, page, {"name": "team:shop"})
    shown = owner.get("/audit")
    assert sentences(shown)[:2] == [
        f"{owner.email} called the label team:web team:shop.",
        f"{owner.email} made the label team:web.",
    ]
    assert "The connection idp suspended Ada." in sentences(shown)
    assert "<del>team:web</del> <ins>team:shop</ins>" in shown.text
    assert '"was": "team:web"' in html.unescape(shown.text)


def test_the_trail_is_searched_by_time_kind_actor_and_thing(owner, idp):
    idp.create_group("R&D")
    owner.send("/groups/new", "/groups/new", {"name": "Auditors"})
    assert sentences(owner.get("/audit?kind=group.added&actor=connection")) == [
        "The connection idp added the group R&D."
    ]
    assert sentences(owner.get(f"/audit?kind=group&actor={owner.email}")) == [
        f"{owner.email} added the group Auditors."
    ]
    assert sentences(owner.get(f"/audit?kind=group&actor=connection:{idp.connection.id}")) == [
        "The connection idp added the group R&D."
    ]
    assert len(sentences(owner.get("/audit?about=group"))) == 2
    (group,) = re.findall(r"/groups/([0-9a-f-]{36})", owner.get("/groups?kind=local").text)
    assert sentences(owner.get(f"/audit?about=group:{group}")) == [f"{owner.email} added the group Auditors."]
    today = datetime.now(UTC).date()
    tomorrow = today + timedelta(days=1)
    assert len(sentences(owner.get(f"/audit?about=group&since={today}&until={today}"))) == 2
    assert "Nothing like that has happened" in owner.get(f"/audit?since={tomorrow}").text
    wrong = owner.get("/audit?since=yesterday&about=group")
    assert ("A day is written as" in wrong.text, len(sentences(wrong))) == (True, 2)
    for hostile in ("about=%25", "kind=%25", "actor=nobody@corp.example", "actor=person:%00"):
        assert sentences(owner.get(f"/audit?{hostile}")) == []


def test_the_trail_is_taken_along_in_either_form(owner, idp):
    idp.create_group("R&D")
    lines = owner.get("/audit/export.ndjson")
    assert lines.headers["Content-Type"].startswith("application/x-ndjson")
    assert "group.added" in {orjson.loads(line)["name"] for line in lines.text.splitlines()}
    table = owner.get("/audit/export.csv").text.splitlines()
    assert len(table) == len(lines.text.splitlines()) + 1
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert len(owner.get(f"/audit/export.csv?since={tomorrow}").text.splitlines()) == 1


def seal_by_ones(idp) -> int:
    """Seal what there is, a fact a seal."""
    count = 0
    while True:
        with transaction() as database:
            if seals.seal(database, chain=idp.workspace.id, most=1, notary=context().notary) is None:
                return count
        count += 1


def test_a_check_goes_as_far_as_a_request_affords_and_on_from_there(app, owner, idp, monkeypatch):
    idp.create_group("R&D")
    assert seal_by_ones(idp) > 3
    assert "<h2>In order</h2>" in owner.get("/audit/verify").text
    monkeypatch.setattr(audit, "_AFFORDED_SECONDS", 0)
    client, seen, address = app.test_client(use_cookies=False), [], owner.address("/audit/verify")
    while address:
        page = client.get(address, headers={"Cookie": owner.cookie}).text
        seen.append(int(re.search(r"(\d+) seals? and", page)[1]))
        further = re.search(r'href="([^"]+)">Check on', page)
        address = further and further[1].replace("&amp;", "&")
    assert seen[:3] == [1, 2, 3]
    assert "In order" in page
    assert "to the end" in page
    again = client.get(owner.address("/audit/verify?from=nonsense"), headers={"Cookie": owner.cookie}).text
    assert "it begins anew" in again


@pytest.fixture
def tampered(idp):
    """The first fact of the workspace is another, until the test is over."""
    seal_by_ones(idp)
    first = "(SELECT min(seq) FROM event WHERE workspace_id = :of)"

    def change(how):
        with transaction() as database:
            database.execute(text("SET LOCAL session_replication_role = replica"))
            changed = text(f"UPDATE event SET name = {how}(name) WHERE seq = {first}")  # noqa: S608 - ours
            database.execute(changed, {"of": idp.workspace.id})

    change("upper")
    yield
    change("lower")


@pytest.mark.usefixtures("tampered")
def test_a_changed_fact_is_named_by_a_check_and_counted_by_those_that_go_on(app, owner, monkeypatch):
    page = owner.get("/audit/verify").text
    assert re.search(r"Seal 1: fact \d+ was changed", page)
    assert "1 trouble so far" in page
    monkeypatch.setattr(audit, "_AFFORDED_SECONDS", 0)
    client = app.test_client(use_cookies=False)
    page = client.get(owner.address("/audit/verify"), headers={"Cookie": owner.cookie}).text
    further = re.search(r'href="([^"]+)">Check on', page)[1].replace("&amp;", "&")
    page = client.get(further, headers={"Cookie": owner.cookie}).text
    assert "1 trouble so far" in page
    assert "Those that are not named here, the command names." in page


@pytest.mark.parametrize(("path", "count"), [("/audit", 7), ("/audit?kind=policy&actor=operator", 5)])
def test_what_the_trail_costs(app, owner, path, count):
    client = app.test_client(use_cookies=False)
    with counted() as statements:
        assert client.get(owner.address(path), headers={"Cookie": owner.cookie}).status_code == 200
    assert len(statements) == count, statements
