"""The access explorer: what it answers is what the engine decides, and it says why."""

from __future__ import annotations

import csv
import io
import re

import pytest

from provisioning.access import facts, resources, rules
from provisioning.access.resources import Registration
from provisioning.access.roles import Role
from provisioning.access.rules import Grant, Path, Scope
from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.web.console import paths
from tests.conftest import TEST
from tests.console import member_of, owner_of
from tests.statements import counted

SOURCES = {"shop": ("environment:prod",), "app": ("environment:prod",), "sandbox": ("environment:dev",), "bare": ()}


@pytest.fixture
def owner(idp):
    return owner_of(idp)


@pytest.fixture
def ada(idp, facts_of):
    """In R&D, which has Source Admin on what is in production by a mapping."""
    found = idp.create_user("ada@corp.example", displayName="Ada")
    idp.create_group("R&D", found["id"])
    with transaction() as database:
        told = [Registration("source", name, name, labels) for name, labels in SOURCES.items()]
        resources.register(database, workspace_id=idp.workspace.id, resources=told, by=TEST)
    where = ("--workspace", idp.workspace.slug)
    facts_of("mapping", "create", *where, "--group", "R&D", "--role", "source-admin", "--label", "environment:prod")
    return found["id"]


def answer(page) -> str:
    """The heading of the answer, without its markup."""
    found = re.search(r'<h2 id="answer">(.*?)</h2>', page.text, re.DOTALL)
    return re.sub(r"<[^>]+>", "", found[1]) if found else ""


def test_what_somebody_can_do_is_drawn_up_to_the_resources_and_told_beside(owner, ada):
    page = owner.get(f"/access/people/{ada}").text
    drawn = re.findall(r"<g><title>([^<]+)</title>", page)
    chain = ["Ada", "R&amp;D", "every member", "Source Admin", "environment:prod", "source:app", "source:shop"]
    assert set(chain) <= set(drawn)
    assert "source:sandbox" not in drawn
    assert "The mapping R&amp;D gives it through the group R&amp;D" in page


def test_each_scope_is_drawn_to_what_it_covers_of_its_role_s_types():
    role = _reader()
    known = [Registration("source", name, name, labels) for name, labels in SOURCES.items()]
    known.append(Registration("space", "s1", "A space", ("environment:prod",)))
    scopes = [Scope("labels", labels=frozenset({f"environment:{value}"})) for value in ("prod", "dev")]
    ways = paths.of_grants("Ada", [Grant(role, scope, Path("policy")) for scope in scopes], known)
    assert [(way.steps[-2].text, way.steps[-1].text) for way in ways] == [
        ("environment:prod", "source:shop"),
        ("environment:prod", "source:app"),
        ("environment:dev", "source:sandbox"),
    ]


def _reader() -> Role:
    """A role about sources alone."""
    of = {"actions": frozenset({"source.read"}), "resource_types": frozenset({"source"})}
    return Role("reader", "Reader", "Reads.", scopes=frozenset({"all", "labels"}), **of)


@pytest.mark.parametrize("action", ["source.update", "space.read", "nonsense"])
@pytest.mark.parametrize("name", [*SOURCES, None])
def test_the_answer_is_that_of_the_engine(owner, idp, ada, action, name):
    resource = "" if name is None else f"source:{name}"
    page = owner.get(f"/access/people/{ada}?action={action}&resource={resource}")
    with reading() as database:
        of = idp.workspace.id
        on = resources.asked_about(database, workspace_id=of, written=resource or None)
        held = facts.of_member(database, workspace_id=of, member_id=ada, catalogue=context().catalogue).facts
    assert answer(page).startswith("Yes" if rules.decide(held, action, on).allowed else "No")


def test_a_no_says_what_is_nearest(owner, idp, ada):
    def asked(action, resource=""):
        return owner.get(f"/access/people/{ada}?action={action}&resource={resource}").text

    assert "source:sandbox lacks environment:prod; it carries environment:dev." in asked(
        "source.update", "source:sandbox"
    )
    assert "source:bare lacks environment:prod; it carries no label." in asked("source.update", "source:bare")
    assert "without a resource, it must be given on everything" in asked("source.create")
    assert "The action is in no role that they have." in asked("function.read")
    assert "Roles that have it: Workspace Owner, Function Admin, Function Read-only." in asked("function.read")
    assert 'class="line broken"' in asked("source.update", "source:sandbox")
    assert 'class="line broken"' not in asked("source.update", "source:shop")
    idp.patch(f"/Users/{ada}", {"op": "replace", "path": "active", "value": False})
    assert "Ada is suspended. Nothing that they were given counts" in asked("source.update", "source:shop")


def test_a_question_about_what_is_not_there_is_told_at_its_field(owner, ada):
    for resource, said in (("source:none", "There is no resource source:none"), ("shop", "is written type:id")):
        for page in (f"/access/people/{ada}?action=source.read", "/access/who?action=source.read"):
            refused = owner.get(f"{page}&resource={resource}")
            assert (refused.status_code, 'id="resource-error"' in refused.text) == (400, True), page
            assert said in refused.text or "There is no such resource" in refused.text


def test_who_can_do_something_is_listed_with_every_path_and_taken_along(owner, idp, ada):
    page = owner.get("/access/who?action=source.update&resource=source:shop").text
    assert "2 people" in page
    assert "<strong>Source Admin</strong>: The mapping R&amp;D gives it through the group R&amp;D" in page
    assert "<strong>Workspace Owner</strong>: Owners have every action in the workspace." in page
    assert f"/access/people/{ada}?action=source.update&amp;resource=source:shop" in page
    table = owner.get("/access/who/export.csv?action=source.update&resource=source:shop").text
    rows = list(csv.DictReader(io.StringIO(table)))
    assert {(row["name"], row["role"], row["via"], row["scope"]) for row in rows} == {
        ("Ada", "source-admin", "mapping", "environment:prod"),
        ("Owner", "workspace-owner", "ownership", "all"),
    }
    own = list(csv.DictReader(io.StringIO(owner.get(f"/access/people/{ada}/export.csv").text)))
    assert [row["role"] for row in own] == ["minimal-workspace-access", "source-admin"]
    assert len(owner.get("/access/export.csv").text.splitlines()) == 4
    assert "No role has this action" not in owner.get("/access/who?action=function.read").text
    assert owner.get("/access/who/export.csv").status_code == 400


def test_a_long_list_of_holders_is_walked(owner, idp):
    for number in range(55):
        idp.create_user(f"p{number}@corp.example", displayName=f"P{number}")
    first = owner.get("/access/who?action=workspace.read").text
    further = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
    second = owner.open(further).text
    found = re.findall(r"/access/people/([0-9a-f-]{36})\?", first + second)
    assert (len(found), len(set(found)), "56 people" in second) == (56, 56, True)
    assert "is not kept any more" in owner.open(further.replace("workspace.read", "source.read")).text


def test_people_and_resources_are_offered_to_those_who_may_see_them(owner, idp, ada):
    assert f"/access/people/{ada}" in owner.get("/access?q=ad").text
    assert "source:sandbox" in owner.get("/access/resources?resource=source:san").text
    asker = member_of(idp, "access.read", name="asker")
    assert "Choosing one takes <code>member.read</code>" in asker.get("/access?q=ad").text
    assert "source:app" not in asker.get(f"/access/people/{ada}").text
    assert answer(asker.get(f"/access/people/{ada}?action=source.update&resource=source:shop")).startswith("Yes")


@pytest.mark.parametrize(
    ("path", "count"),
    [
        *(("/access", 3), ("/access?q=a", 4), ("/access/people/{}", 8)),
        *(("/access/people/{}?action=source.read&resource=source:shop", 7), ("/access/who?action=source.read", 10)),
    ],
)
def test_what_questions_cost(app, owner, ada, path, count):
    client = app.test_client(use_cookies=False)
    with counted() as statements:
        address = owner.address(path.format(ada))
        assert client.get(address, headers={"Cookie": owner.cookie}).status_code == 200
    assert len(statements) == count, statements
