"""The console's mappings: their list, the form that writes them, what is shown before, and what waits for an owner."""

from __future__ import annotations

import csv
import html
import io
import re
from typing import Any

import pytest

from provisioning.access import mappings
from provisioning.access.drafts import Rule
from provisioning.access.policies import Giver, Terms
from provisioning.context import context
from provisioning.database import transaction
from provisioning.directory import workspaces
from provisioning.directory.paging import Place, Window
from provisioning.web.console import lists
from tests.conftest import TEST
from tests.console import Visitor, member_of, owner_of
from tests.statements import counted

_ROW = re.compile(r'<tr id="m-([0-9a-f-]{36})">.*?</tr>', re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="(\w[\w-]*)" value="([^"]*)">')
_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.fixture
def owner(idp):
    return owner_of(idp)


@pytest.fixture
def ada(idp):
    return idp.create_user("ada@corp.example", displayName="Ada", **{_ENTERPRISE: {"department": "R&D"}})["id"]


def form(**fields: str) -> dict[str, str]:
    return {"means": "group", "group": "R&D", "role-0": "source-admin", "on-0": "all", **fields}


def write(who: Visitor, do: str = "save", **fields: str) -> Any:
    return who.send("/mappings/new", "/mappings/new", form(do=do, **fields))


def made(who: Visitor, **fields: str) -> str:
    """The page of a mapping that was written."""
    answer = write(who, **fields)
    assert answer.status_code == 303, answer.text
    return "/mappings/" + answer.headers["Location"].rpartition("/")[2]


def hidden(page: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in _HIDDEN.findall(page) if name != "form_token"}


def rows(page) -> list[str]:
    return [re.sub(r"<[^>]+>|\s+", " ", found[0]) for found in re.finditer(_ROW, page.text)]


def names(who: Visitor, query: str = "") -> list[str]:
    return re.findall(r'<th scope="row" data-label="Mapping"><a [^>]*>([^<]+)</a>', who.get(f"/mappings{query}").text)


def typed(who: Visitor, **fields: str) -> str:
    return who.send("/mappings/new", "/mappings/matches", form(**fields)).text


def roles_of(who: Visitor, member: str) -> str:
    return who.get(f"/people/{member}").text


def test_a_mapping_is_previewed_and_saved_and_counts(owner, idp, ada):
    idp.create_group("R&D", ada)
    page = write(owner, "preview")
    assert page.status_code == 200
    assert "1 person would gain something" in owner.numbers(page).text
    assert (names(owner), "Source Admin" in roles_of(owner, ada)) == ([], False)
    saved = owner.send("/mappings/new", "/mappings/new", {**hidden(page.text), "do": "save"})
    assert saved.status_code == 303
    assert names(owner) == ["R&amp;D"]
    assert "The mapping R&amp;D gives it through the group R&amp;D" in roles_of(owner, ada)
    assert "1 group, 1 person" in owner.get("/mappings").text


@pytest.mark.parametrize(
    ("fields", "people"),
    [
        ({"means": "begins", "begins": "R"}, 1),
        ({"means": "begins", "begins": "X"}, 0),
        ({"means": "attribute", "attribute": "department", "equals": "r&d"}, 1),
        ({"means": "filter", "about": "User", "filter": 'userName sw "ada"'}, 1),
        ({"means": "pattern", "pattern": "{label.team}D"}, 0),
        ({"means": "filter", "about": "Group", "filter": 'displayName ew "d"'}, 1),
        ({"group": "To come"}, 0),
    ],
)
def test_whom_a_form_means_is_told_as_it_is_typed(owner, idp, ada, fields, people):
    idp.create_group("R&D", ada)
    told = typed(owner, **fields)
    assert f"<strong>{people} {'person' if people == 1 else 'people'}</strong>" in told
    assert ("Ada" in told) == bool(people)
    page = made(owner, **fields)
    assert owner.get(page).status_code == 200
    edited = owner.get(f"{page}/edit").text
    assert f'value="{fields.get("means", "group")}" checked' in edited


def test_only_active_people_and_pushed_groups_are_meant(owner, idp, ada):
    idp.create_user("bob@corp.example", displayName="Bob", active=False)
    owner.send("/groups/new", "/groups/new", {"name": "Local"})
    told = typed(owner, means="filter", about="User", filter='userName ew "corp.example"')
    assert ("Ada" in told, "Bob" in told) == (True, False)
    assert "<strong>0 groups</strong>" in typed(owner, means="begins", begins="Lo")


def test_groups_are_offered_by_how_their_names_begin(owner, idp):
    for name in ("Sales", "Sales EMEA", "Support"):
        idp.create_group(name)
    offered = re.findall(r'<option value="([^"]+)">', typed(owner, group="sal"))
    assert offered == ["Sales", "Sales EMEA"]


@pytest.mark.parametrize(
    ("fields", "said", "at"),
    [
        ({"means": "filter", "filter": "displayName xx 1"}, "can&#39;t be asked", "whom"),
        ({"means": "filter", "filter": 'nickName eq "x"'}, "nickName", "whom"),
        ({"means": "pattern", "pattern": "no placeholder"}, "A pattern has placeholders", "whom"),
        ({"group": " "}, "Say whom the mapping means.", "whom"),
        ({"role-0": ""}, "A mapping gives at least one role.", "roles"),
        ({"role-0": "nonsense"}, "There is no role called", "roles"),
        ({"on-0": "labels"}, "Choose labels", "roles"),
        ({"on-0": "resources", "resources-0": "source:none"}, "There is no resource", "roles"),
        ({"ends-0": "tomorrow"}, "Write the end as a date and a time", "roles"),
        ({"ends-0": "2020-01-01T10:00"}, "A policy ends in the future.", "roles"),
        ({"role-0": "workspace-owner"}, "the operator can allow it", "roles"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_what_was_written_stays(owner, fields, said, at):
    for do in ("preview", "save"):
        answer = write(owner, do, **fields)
        assert answer.status_code == 400, answer.text
        parts = dict(zip(("whom", "roles"), answer.text.split('id="what"'), strict=True))
        assert re.search(rf'<p class="error"[^>]*>[^<]*{re.escape(said)}', parts[at]), answer.text
    assert names(owner) == []


def test_a_wrong_filter_is_told_as_it_is_typed(owner):
    told = typed(owner, means="filter", filter="displayName xx 1")
    assert re.search(r'<p class="error">[^<]*can&#39;t be asked', told)


def test_lines_of_roles_are_added_and_left_out(owner):
    page = write(owner, "more").text
    assert ('id="role-1"' in page, 'id="role-2"' in page) == (True, False)
    two = {"role-1": "source-read-only", "on-1": "labels", "label": "1 environment:prod", "reason-1": "audit"}
    left = write(owner, "less-0", **two).text
    assert ('id="role-1"' in left, 'value="source-read-only" selected' in left, 'value="audit"' in left) == (
        *(False, True, True),
    )
    page = owner.get(made(owner, **two)).text
    assert ("Source Read-only" in page, "labelled environment:prod" in page, "audit" in page) == (True, True, True)


def test_what_is_edited_without_a_change_stays_what_it_is(owner, idp, ada):
    idp.create_group("R&D", ada)
    page = made(owner, **{"ends-0": "2999-01-01T10:00", "reason-0": "for now"})
    before = owner.get(page).text
    edited = owner.get(f"{page}/edit").text
    sent = form(**hidden(edited), **{"ends-0": "2999-01-01T10:00", "reason-0": "for now", "name": "R&D"})
    asked = owner.send(f"{page}/edit", f"{page}/edit", {**sent, "do": "preview"})
    assert "Nobody gains or loses anything." in owner.numbers(asked).text
    (group,) = idp.find("/Groups", 'displayName eq "R&D"')
    renamed = {"op": "replace", "path": "displayName", "value": "Research"}
    assert idp.patch(f"/Groups/{group['id']}", renamed).status_code == 200
    idp.create_group("R&D")
    assert owner.send(f"{page}/edit", f"{page}/edit", {**sent, "do": "save"}).status_code == 303
    assert owner.get(page).text.replace("R&amp;D", "") != before, "its group is called otherwise"
    assert ">Research</a>" in owner.get(page).text, "it means the very group that it meant"
    idp.patch(f"/Groups/{group['id']}", {"op": "remove", "path": "members"})
    assert "2999" in owner.get(page).text


def test_two_admins_do_not_overwrite_each_other(owner, idp, ada):
    idp.create_group("R&D", ada)
    second = owner_of(idp, name="second")
    page = made(owner)
    mine, theirs = (hidden(who.get(f"{page}/edit").text) for who in (owner, second))
    saved = second.send(f"{page}/edit", f"{page}/edit", form(**theirs, do="save", **{"role-0": "source-read-only"}))
    assert saved.status_code == 303
    refused = owner.send(f"{page}/edit", f"{page}/edit", form(**mine, do="save", name="Mine"))
    assert (refused.status_code, "Somebody has changed this mapping meanwhile" in refused.text) == (412, True)
    assert "<dt>Roles</dt><dd>source-read-only</dd>" in refused.text
    assert ('value="Mine"' in refused.text, "Mine" in owner.get("/mappings").text) == (True, False)
    again = owner.send(f"{page}/edit", f"{page}/edit", form(**hidden(refused.text), do="save", name="Mine"))
    assert again.status_code == 303, "who has read what changed may go on"
    for step in ("switch", "delete"):
        stale = owner.send(f"{page}/{step}", f"{page}/{step}", {"seen": theirs["seen"]})
        assert stale.status_code == 412
    assert names(owner) == ["Mine"]


def test_the_order_is_changed_by_buttons(owner):
    pages = {name: made(owner, name=name, group=name) for name in ("one", "two", "three")}
    assert names(owner) == ["one", "two", "three"]
    moved = owner.send("/mappings", f"{pages['three']}/move", {"direction": "up"})
    assert moved.headers["Location"].endswith(f"#m-{pages['three'].rpartition('/')[2]}")
    assert names(owner) == ["one", "three", "two"]
    for page, direction in ((pages["one"], "up"), (pages["two"], "down")):
        assert owner.send("/mappings", f"{page}/move", {"direction": direction}).status_code == 303
    assert names(owner) == ["one", "three", "two"], "the ends of the list are its ends"
    owner.send("/mappings", f"{pages['one']}/move", {"direction": "down"})
    assert names(owner) == ["three", "one", "two"]


def test_the_list_is_searched_narrowed_sorted_and_taken_away(owner, idp, ada):
    idp.create_group("R&D", ada)
    made(owner, name="zeta")
    page = made(owner, name="Alpha", means="begins", begins="R", **{"role-0": "function-admin"})
    assert owner.send(f"{page}/switch", f"{page}/switch", hidden(owner.get(f"{page}/switch").text)).status_code == 303
    assert names(owner, "?sort=name") == ["Alpha", "zeta"]
    assert names(owner, "?sort=-order") == ["Alpha", "zeta"]
    assert (
        names(owner, "?q=FUNCTION") == names(owner, "?q=displayName+sw") == names(owner, "?state=disabled") == ["Alpha"]
    )
    assert "formaction" not in owner.get("/mappings?q=a").text, "part of a list has no order to change"
    assert "No mapping is like that" in owner.get("/mappings?q=nonsense").text
    table = list(csv.DictReader(io.StringIO(owner.get("/mappings/export.csv?state=disabled").text)))
    (row,) = table
    assert (row["order"], row["name"], row["state"], row["groups"], row["people"]) == (
        "2",
        "Alpha",
        "disabled",
        "1",
        "1",
    )
    assert row["gives"] == "function-admin on everything"


def test_a_list_that_is_all_there_is_cut_into_pages():
    letters, at = "abcdefgh", lambda letter: Place(None, letter)

    def page(**where):
        found = lists.cut(letters, Window(3, **where), str)
        return "".join(found.items), found.previous, found.next, found.total

    assert page() == ("abc", None, at("c"), 8)
    assert page(after=at("c")) == ("def", at("d"), at("f"), 8)
    assert page(after=at("f")) == ("gh", at("g"), None, 8)
    assert page(before=at("g")) == ("def", at("d"), at("f"), 8)
    assert page(before=at("b")) == ("a", None, at("a"), 8)
    assert page(after=at("gone")) == page(), "what has gone meanwhile leads to the beginning"


def test_a_long_list_is_walked_forth_and_back(owner, idp):
    where = {"workspace_id": idp.workspace.id}
    with transaction() as database:
        giver = Giver(TEST, context().catalogue)
        for number in range(52):
            rule = Rule("Group", f'displayName eq "g{number}"')
            told = {"name": f"m{number:02}", "rule": rule, "terms": [Terms("source-admin")], "giver": giver}
            mappings.create(database, **where, **told)
    first = owner.get("/mappings?sort=-name")
    forth = re.search(r'rel="next" href="([^"]+)"', first.text)[1].replace("&amp;", "&")
    second = owner.open(forth)
    assert re.findall(r">(m\d\d)</a>", second.text) == ["m01", "m00"]
    back = re.search(r'rel="prev" href="([^"]+)"', second.text)[1].replace("&amp;", "&")
    assert re.findall(r">(m\d\d)</a>", owner.open(back).text) == re.findall(r">(m\d\d)</a>", first.text)
    assert len(owner.get("/mappings").content) < 200_000


def test_switching_off_and_deleting_say_in_numbers_what_they_do(owner, idp, ada):
    idp.create_group("R&D", ada)
    page = made(owner)
    for step, after in (("switch", "off"), ("switch", "on"), ("delete", None)):
        asked = owner.get(f"{page}/{step}")
        told = owner.numbers(asked).text
        assert ("1 person would lose something" if after != "on" else "1 person would gain something") in told
        done = owner.send(f"{page}/{step}", f"{page}/{step}", hidden(asked.text))
        assert done.status_code == 303
        assert ("Source Admin" in roles_of(owner, ada)) == (after == "on")
    assert names(owner) == []


def test_a_dormant_mapping_says_what_to_do_and_is_bound_to_the_group_that_came_back(owner, idp, ada):
    group = idp.create_group("R&D", ada, externalId="x1")
    page = made(owner)
    assert idp.request("DELETE", f"/Groups/{group['id']}").status_code == 204
    assert "dormant" in owner.get("/mappings").text
    assert "<code>x1</code>" in owner.get(page).text
    assert owner.send(page, f"{page}/rebind").status_code == 409
    idp.create_group("Research", ada, externalId="x1")
    asked = owner.send(page, f"{page}/rebind")
    assert "1 person would gain something" in owner.numbers(asked).text
    assert "Source Admin" not in roles_of(owner, ada)
    assert owner.send(page, f"{page}/rebind", {"sure": "yes"}).status_code == 303
    assert "Source Admin" in roles_of(owner, ada)


def test_what_makes_owners_waits_for_another_owner_and_is_confirmed_or_declined(owner, idp, ada):
    with transaction() as database:
        workspaces.set_owners_by_mapping(database, slug=idp.workspace.slug, allowed=True, by=TEST)
    idp.create_group("R&D", ada)
    asked = write(owner, "preview", **{"role-0": "workspace-owner"})
    told = owner.numbers(asked).text
    assert ("waits for an owner" in asked.text, "1 person would gain something" in told) == (True, True)
    assert "Ask for it</button>" in told
    assert names(owner) == []
    page = made(owner, **{"role-0": "workspace-owner"})
    (waiting,) = set(re.findall(r"/mappings(/proposals/[0-9a-f-]{36})", owner.get(page).text))
    asked = owner.get(f"/mappings{waiting}")
    own = owner.numbers(asked).text
    assert ("You have asked for it" in asked.text, "would gain" in own, "Confirm it" in own) == (True, True, False)
    assert owner.send("/groups/new", f"/mappings{waiting}/confirm").status_code == 403
    second = owner_of(idp, name="second")
    assert names(second, "?state=waiting") == ["R&amp;D"]
    asked = second.get(f"/mappings{waiting}")
    told = second.numbers(asked).text
    assert ("1 person would gain something" in told, "Confirm it" in told) == (True, True)
    assert second.send(f"/mappings{waiting}", f"/mappings{waiting}/confirm").status_code == 303
    assert "Workspace Owner" in roles_of(owner, ada)
    assert "It waits for nobody any more" in second.get(f"/mappings{waiting}").text
    late = second.numbers(asked)
    assert (late.status_code, "This waits for nobody any more: it is confirmed." in late.text) == (409, True)
    assert "active" in owner.get(page).text
    page = made(owner, name="again", **{"role-0": "workspace-owner"})
    (waiting,) = set(re.findall(r"/mappings(/proposals/[0-9a-f-]{36})", owner.get(page).text))
    assert (
        second.send(f"/mappings{waiting}", f"/mappings{waiting}/decline", {"reason": "one is enough"}).status_code
        == 303
    )
    assert "one is enough" in owner.get(f"/mappings{waiting}").text
    assert names(owner, "?state=disabled") == ["again"]


def test_nobody_gives_by_a_mapping_what_they_do_not_have(owner, idp):
    member = member_of(idp, "mapping.read", "group.read")
    assert made(owner)
    assert "Change</a>" not in member.get("/mappings").text
    assert "New mapping" not in member.get("/mappings").text
    assert member.get("/mappings/new").status_code == 403


def test_who_may_not_read_people_or_groups_sees_how_many_alone(owner, idp, ada):
    idp.create_group("R&D", ada)
    page = made(owner)
    reader = member_of(idp, "mapping.read")
    told = reader.get(page).text
    assert ("1 person" in told, "Ada" in told) == (True, False)


def test_a_group_that_gives_nothing_leads_to_a_form_that_is_filled_in(owner, idp, ada):
    group = idp.create_group("R&D", ada)
    page = owner.get(f"/groups/{group['id']}").text
    (leads,) = re.findall(r'href="[^"]*(/mappings/new\?group=[^"]+)"', page)
    opened = owner.get(leads).text
    assert ('id="group" name="group" value="R&amp;D"' in opened, group["id"] in hidden(opened)["bound"]) == (True, True)
    assert owner.get("/mappings/new?group=00000000-0000-0000-0000-000000000007").status_code == 404


def test_names_are_text_on_every_page(owner, idp, ada):
    hostile = '<img src=x onerror=alert(1)>"'
    idp.create_group(hostile, ada)
    page = made(owner, name=hostile, group=hostile, **{"reason-0": hostile})
    for path in ("/mappings", page, f"{page}/edit", f"{page}/delete", f"{page}/switch"):
        assert "<img" not in owner.get(path).text
    assert "<img" not in write(owner, "preview", group=hostile, name=hostile).text
    assert "<img" not in typed(owner, group="<img")


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/mappings", 10),
        ("/mappings/{}", 12),
        ("/mappings/new", 6),
        ("/mappings/{}/edit", 14),
    ],
)
def test_what_pages_cost(app, owner, idp, ada, path, count):
    idp.create_group("R&D", ada)
    page = made(owner)
    client = app.test_client(use_cookies=False)
    with counted() as statements:
        address = owner.address(path.format(page.rpartition("/")[2]))
        assert client.get(address, headers={"Cookie": owner.cookie}).status_code == 200
    assert len(statements) == count, statements
