"""Resources and labels on the console: found, registered, removed and labelled by the dozen."""

from __future__ import annotations

import re
from uuid import UUID

import pytest

from provisioning.access import custom_roles, policies, resources
from provisioning.access.policies import Giver, Subject, Terms
from provisioning.access.resources import Registration
from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.web.console import forms
from tests.conftest import TEST
from tests.console import member_of, owner_of
from tests.statements import counted

_ROW = re.compile(r'aria-label="Choose ([^"]+)"')


@pytest.fixture
def owner(idp):
    return owner_of(idp)


@pytest.fixture
def sources(idp):
    """Four sources, two of them in production, and a warehouse."""
    labelled = {"shop": ("environment:prod",), "app": ("environment:prod",), "dev": ("environment:dev",), "bare": ()}
    told = [Registration("source", name, name.upper(), labels) for name, labels in labelled.items()]
    with transaction() as database:
        everything = [*told, Registration("warehouse", "w1", "A warehouse")]
        resources.register(database, workspace_id=idp.workspace.id, resources=everything, by=TEST)


def listed(page) -> list[str]:
    return _ROW.findall(page.text)


def carried(idp) -> dict[str, tuple[str, ...]]:
    with reading() as database:
        found = resources.some(database, workspace_id=idp.workspace.id, count=100)
    return {str(one.reference): one.labels or () for one in found}


def send(owner, path, chosen, **fields):
    """A form with several resources chosen."""
    pairs = [(forms.FIELD, owner.token("/resources/add")), *(("resource", one) for one in chosen), *fields.items()]
    return owner.post(path, pairs, **{"Sec-Fetch-Site": "same-origin"})


@pytest.mark.usefixtures("sources")
def test_resources_are_searched_narrowed_sorted_and_walked(owner, idp):
    assert listed(owner.get("/resources?q=HO")) == ["source:shop", "warehouse:w1"]
    assert listed(owner.get("/resources?type=warehouse")) == ["warehouse:w1"]
    assert listed(owner.get("/resources?label=environment:prod")) == ["source:app", "source:shop"]
    assert listed(owner.get("/resources?sort=-name"))[:2] == ["source:shop", "source:dev"]
    assert listed(owner.get("/resources?sort=-type"))[0] == "warehouse:w1"
    assert "No resource is like that" in owner.get("/resources?q=%25").text
    assert "warehouse,w1,A warehouse," in owner.get("/resources/export.csv?type=warehouse").text
    with transaction() as database:
        same = [Registration("source", f"n{number:02}", "Same") for number in range(60)]
        same.append(Registration("space", "n49", "Same"))
        resources.register(database, workspace_id=idp.workspace.id, resources=same, by=TEST)
    for sort in ("name", "-name", "type"):
        first = owner.get(f"/resources?q=same&sort={sort}")
        further = re.search(r'rel="next" href="([^"]+)"', first.text)[1].replace("&amp;", "&")
        assert len({*listed(first), *listed(owner.open(further))}) == 61, sort


def test_what_is_pasted_is_registered_or_each_wrong_line_is_told(owner, idp):
    wrong = "source:shop The shop\n\nshop\nplane:a A plane\nsource:long " + "x" * 501
    refused = owner.send("/resources/add", "/resources/add", {"lines": wrong})
    assert refused.status_code == 400
    assert re.findall(r"<li>Line (\d+): (.{18})", refused.text) == [
        ("3", "A resource is writ"),
        ("4", "A resource&#39;s t"),
        ("5", "A resource&#39;s n"),
    ]
    assert carried(idp) == {}
    assert "source:shop The shop" in refused.text, "what was written is still there"
    done = owner.send("/resources/add", "/resources/add", {"lines": "source:shop The shop\r\n space:s1\n"})
    assert done.status_code == 303
    page = owner.get("/resources").text
    assert ("The shop" in page, ">s1</th>" in page) == (True, True)
    many = "\n".join(f"source:s{number}" for number in range(1001))
    assert "At most 1000 lines" in owner.send("/resources/add", "/resources/add", {"lines": many}).text
    assert "Write one resource a line" in owner.send("/resources/add", "/resources/add", {"lines": " "}).text


@pytest.mark.usefixtures("sources")
def test_labels_are_put_on_many_after_one_question_in_numbers(owner, idp, facts_of):
    ada = idp.create_user("ada@corp.example", displayName="Ada")
    idp.create_group("R&D", ada["id"])
    where = ("--workspace", idp.workspace.slug)
    facts_of("mapping", "create", *where, "--group", "R&D", "--role", "source-admin", "--label", "environment:prod")
    wanted = {"label": "environment:prod", "do": "add"}
    asked = send(owner, "/resources/label", ["source:bare"], **wanted)
    assert (asked.status_code, "1 person would gain something" in owner.numbers(asked).text) == (200, True)
    assert carried(idp)["source:bare"] == (), "asking changes nothing"
    assert send(owner, "/resources/label", ["source:bare"], **wanted, yes="yes").status_code == 303
    assert carried(idp)["source:bare"] == ("environment:prod",)
    taken = {"label": "environment:prod", "do": "take"}
    both = ["source:bare", "source:shop"]
    asked = send(owner, "/resources/label", both, **taken)
    assert "Take environment:prod off 2 resources?" in asked.text
    assert "1 person would lose something" in owner.numbers(asked).text
    send(owner, "/resources/label", both, **taken, yes="yes")
    assert (carried(idp)["source:bare"], carried(idp)["source:shop"]) == ((), ())


@pytest.mark.usefixtures("sources")
def test_a_second_value_of_a_key_and_what_carries_none_are_refused_and_nothing_is_changed(owner, idp):
    before = carried(idp)
    for chosen, label, status, said in (
        (["source:bare", "source:dev"], "environment:prod", 409, "source:dev carries environment:dev already"),
        (["warehouse:w1"], "environment:prod", 400, "Only source and space resources carry labels."),
        (["source:bare"], "team:none", 400, "One of the labels does not exist"),
        ([], "environment:prod", 400, "Choose at least one resource."),
    ):
        for answer in ({}, {"yes": "yes"}):
            refused = send(owner, "/resources/label", chosen, label=label, do="add", **answer)
            assert (refused.status_code, said in refused.text) == (status, True), said
    assert carried(idp) == before


@pytest.mark.usefixtures("sources")
def test_who_labels_sources_alone_labels_no_others(idp):
    labeller = member_of(idp, "source.label", "resource.read", name="labeller")
    with transaction() as database:
        space = [Registration("space", "s1", "A space")]
        resources.register(database, workspace_id=idp.workspace.id, resources=space, by=TEST)
    wanted = {"label": "environment:prod", "do": "add", "yes": "yes"}
    pairs = [(forms.FIELD, labeller.token("/resources")), ("resource", "space:s1"), *wanted.items()]
    refused = labeller.post("/resources/label", pairs, **{"Sec-Fetch-Site": "same-origin"})
    assert (refused.status_code, "space.label" in refused.text) == (403, True)
    pairs[1] = ("resource", "source:bare")
    assert labeller.post("/resources/label", pairs, **{"Sec-Fetch-Site": "same-origin"}).status_code == 303


@pytest.mark.usefixtures("sources")
def test_resources_are_removed_by_a_list_or_by_choice_after_one_question(owner, idp):
    unknown = owner.send("/resources/remove", "/resources/remove", {"lines": "source:shop\nsource:none"})
    assert (unknown.status_code, "Line 2: There is no resource source:none" in unknown.text) == (404, True)
    asked = send(owner, "/resources/remove", ["source:shop", "source:app"])
    assert ("Remove 2 resources?" in asked.text, len(carried(idp))) == (True, 5)
    done = owner.send(
        "/resources/remove", "/resources/remove", {"lines": "source:shop The shop\nsource:app", "yes": "1"}
    )
    assert done.status_code == 303
    assert sorted(carried(idp)) == ["source:bare", "source:dev", "warehouse:w1"]


@pytest.mark.usefixtures("sources")
def test_labels_are_made_renamed_and_deleted_once_nothing_uses_them(owner):
    wrong = owner.send("/resources/labels/new", "/resources/labels/new", {"name": "team"})
    assert (wrong.status_code, 'id="name-error"' in wrong.text) == (400, True)
    assert owner.send("/resources/labels/new", "/resources/labels/new", {"name": "team:web"}).status_code == 303
    again = owner.send("/resources/labels/new", "/resources/labels/new", {"name": "team:web"})
    assert (again.status_code, "There is a label team:web already." in again.text) == (409, True)
    page = "/resources/labels/team:web/rename"
    assert owner.send(page, page, {"name": "environment:prod"}).status_code == 409
    assert owner.send(page, page, {"name": "team:shop"}).status_code == 303
    assert owner.get(page).status_code == 404
    assert re.findall(r'<th scope="row" data-label="Label">([^<]+)', owner.get("/resources/labels?q=SHOP").text) == [
        "team:shop"
    ]
    page = "/resources/labels/team:shop/delete"
    assert owner.send(page, page).status_code == 303
    assert "team,shop" not in owner.get("/resources/labels/export.csv").text


@pytest.mark.usefixtures("sources")
def test_a_label_in_use_is_kept_and_its_uses_are_named(owner, idp):
    ada = idp.create_user("ada@corp.example", displayName="Ada")
    with transaction() as database:
        of = idp.workspace.id
        roles = custom_roles.of_workspace(database, workspace_id=of, catalogue=context().catalogue)
        terms, subject = Terms("source-admin", ("environment:prod",)), Subject("member", UUID(ada["id"]))
        policies.give(database, workspace_id=of, subject=subject, terms=terms, giver=Giver(TEST, roles))
    page = "/resources/labels/environment:prod/delete"
    asked = owner.get(page).text
    assert "environment:prod is in use" in asked
    assert f'/people/{ada["id"]}">the role source-admin is given on it to a member</a>' in asked
    assert re.search(r'/resources\?q=shop">source:shop carries it</a>', asked)
    refused = owner.send("/resources/labels/new", page)
    assert (refused.status_code, "environment:prod is in use" in refused.text) == (409, True)


@pytest.mark.parametrize(
    ("path", "count"),
    [("/resources", 5), ("/resources?q=a&label=environment:prod", 5), ("/resources/labels", 4)],
)
@pytest.mark.usefixtures("sources")
def test_what_lists_cost(app, owner, path, count):
    client = app.test_client(use_cookies=False)
    with counted() as statements:
        assert client.get(owner.address(path), headers={"Cookie": owner.cookie}).status_code == 200
    assert len(statements) == count, statements
