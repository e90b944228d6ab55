"""What hurt the users of other SCIM servers, as told in their public threads, and no test beside these would notice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.conftest import ENTERPRISE_URN, GROUP_URN, USER_URN
from tests.waiting import eventually

OFF = {"op": "replace", "path": "active", "value": False}
WHOLE = [{"type": "WORKSPACE"}]


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


@pytest.fixture
def people(idp):
    return [idp.create_user(f"p{number}@corp.example")["id"] for number in range(4)]


def named(*ids):
    return [{"value": one} for one in ids]


def add(*ids):
    return {"op": "add", "path": "members", "value": named(*ids)}


def rename(name):
    return {"op": "replace", "path": "displayName", "value": name}


def members(idp, group):
    """The members as they are listed, so that nobody who is listed twice goes unnoticed."""
    return sorted(one["value"] for one in idp.request("GET", f"/Groups/{group['id']}").json().get("members", []))


def roles(admin, user_id):
    return {line["role"] for line in admin.get(f"/users/{user_id}/access")["access"]}


def told(admin, name, **about):
    events = admin.get("/audit-events", **about)["events"]
    return [event["details"] for event in events if event["type"] == name]


# Groups


@pytest.mark.parametrize("form", ["add", "replace", "PUT"])
def test_who_sends_everybody_to_add_one_adds_one(idp, admin, people, form):
    group = idp.create_group("G", *people[:3])
    if form == "PUT":
        body = {"schemas": [GROUP_URN], "displayName": "G", "members": named(*people)}
        answer = idp.request("PUT", f"/Groups/{group['id']}", body)
    else:
        answer = idp.patch(f"/Groups/{group['id']}", {"op": form, "path": "members", "value": named(*people)})
    assert answer.status_code == 200
    assert members(idp, group) == sorted(people)
    changed = told(admin, "group.members_changed", resourceId=group["id"])
    assert changed[0]["added"] == [people[3]], changed
    assert changed[0]["removed"] == []


@pytest.mark.parametrize("form", ["one operation", "an operation each", "PUT", "POST"])
def test_nobody_of_many_is_dropped(idp, form):
    made = [
        {"method": "POST", "path": "/Users", "bulkId": str(n), "data": {"schemas": [USER_URN], "userName": f"m{n}"}}
        for n in range(301)
    ]
    schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]
    done = idp.request("POST", "/Bulk", {"schemas": schemas, "Operations": made}).json()["Operations"]
    many = [operation["location"].rpartition("/")[2] for operation in done]
    body = {"schemas": [GROUP_URN], "displayName": "G", "members": named(*many)}
    if form == "POST":
        group = idp.request("POST", "/Groups", body).json()
    else:
        group = idp.create_group("G")
        path = f"/Groups/{group['id']}"
        each = [add(*many)] if form == "one operation" else [add(one) for one in many]
        answer = idp.request("PUT", path, body) if form == "PUT" else idp.patch(path, *each)
        assert answer.status_code in {200, 204}, answer.text
    assert members(idp, group) == sorted(many)


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        (rename("Taken"), 409),
        (rename(""), 400),
        ({"op": "replace", "path": "nope", "value": 1}, 400),
        ({"op": "add", "path": "members", "value": [{"display": "nobody"}]}, 400),
        ({"op": "replace", "path": "members", "value": [7]}, 400),
    ],
)
def test_a_change_of_a_group_that_fails_leaves_nothing_behind(idp, admin, people, bad, status):
    idp.create_group("Taken")
    group = idp.create_group("G", *people[:2], externalId="g1")
    path = f"/Groups/{group['id']}"
    good = [
        {"op": "replace", "path": "externalId", "value": "g2"},
        add(people[2]),
        {"op": "remove", "path": f'members[value eq "{people[0]}"]'},
    ]
    for operations in ([*good, bad], [bad, *good]):
        assert idp.patch(path, *operations).status_code == status
    assert idp.request("GET", path).json() == group
    events = [event["type"] for event in admin.get("/audit-events", resourceId=group["id"])["events"]]
    assert events == ["group.members_changed", "group.added"]


def test_a_replacement_of_a_group_that_fails_leaves_nothing_behind(idp, people):
    idp.create_group("Taken")
    group = idp.create_group("G", *people[:2])
    path = f"/Groups/{group['id']}"
    for name, who, status in (("Taken", named(people[3]), 409), ("New", [{"display": "nobody"}], 400)):
        whole = {"schemas": [GROUP_URN], "displayName": name, "members": who}
        assert idp.request("PUT", path, whole).status_code == status
    assert idp.request("GET", path).json() == group


def test_a_member_without_a_type_is_shown_as_a_user_with_an_address(idp, people):
    group = idp.create_group("G")
    shown = idp.patch(f"/Groups/{group['id']}", add(people[0])).json()["members"]
    assert shown == [{"value": people[0], "$ref": f"{idp.base_url}/scim/v2/Users/{people[0]}", "type": "User"}]


def test_members_null_says_nothing_of_members(idp, people):
    made = idp.request("POST", "/Groups", {"schemas": [GROUP_URN], "displayName": "N", "members": None})
    assert (made.status_code, "members" in made.json()) == (201, False)
    group = idp.create_group("G", *people)
    changed = idp.patch(f"/Groups/{group['id']}", {"op": "replace", "value": {"displayName": "H", "members": None}})
    assert changed.status_code == 200
    assert members(idp, group) == sorted(people)


def test_whoever_reads_a_group_while_it_is_replaced_sees_it_whole(idp, people):
    group = idp.create_group("G", people[0], people[1])
    path = f"/Groups/{group['id']}"

    def step(number):
        if number % 2:
            return {member["value"] for member in idp.request("GET", path).json().get("members", [])}
        other = people[1 + number // 2 % 3]
        replaced = idp.patch(path, {"op": "replace", "path": "members", "value": named(people[0], other)})
        assert replaced.status_code == 200
        return {people[0], other}

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(step, range(120)))
    assert all(people[0] in one and len(one) == 2 for one in seen)


def test_a_new_name_is_shown_everywhere_at_once(idp, admin):
    user = idp.create_user("old@corp.example", displayName="Old")
    group = idp.create_group("Old", user["id"])
    names = {"userName": "New@corp.example", "displayName": "New"}
    assert idp.patch(f"/Users/{user['id']}", {"op": "replace", "value": names}).status_code == 200
    assert idp.patch(f"/Groups/{group['id']}", rename("New")).status_code == 200
    (listed,) = idp.request("GET", "/Users").json()["Resources"]
    assert (listed["userName"], listed["displayName"], listed["groups"][0]["display"]) == (*names.values(), "New")
    assert idp.find("/Users", 'userName eq "old@corp.example" or displayName eq "Old" or groups.display eq "Old"') == []
    assert [one["id"] for one in idp.find("/Users", 'groups.display eq "new"')] == [user["id"]]
    assert idp.find("/Groups", 'displayName eq "Old"') == []
    (shown,) = admin.get(f"/groups/{group['id']}/users")["users"]
    assert (shown["name"], shown["email"]) == ("New", "New@corp.example")


# Lists


@pytest.mark.parametrize("kind", ["Users", "Groups"])
@pytest.mark.parametrize("count", [1, 3, 7])
def test_pages_by_index_add_up_to_the_whole_list(idp, kind, count):
    for number in range(7):
        idp.create_user(f"p{number}", displayName=f"in {number}")
        idp.create_group(f"in {number}")
    idp.create_user("other")
    idp.create_group("other")
    query = {"filter": 'displayName sw "in"', "count": count}
    seen, start = [], 1
    while start <= 9:
        page = idp.request("GET", f"/{kind}", params={**query, "startIndex": start}).json()
        shown = page.get("Resources", [])
        assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (7, start, len(shown))
        assert len(shown) == max(0, min(count, 8 - start))
        seen += [one["displayName"] for one in shown]
        start += count
    assert sorted(seen) == [f"in {number}" for number in range(7)]


# People


@pytest.mark.parametrize("told_of_it", [{}, {"active": None}])
def test_who_is_created_without_a_word_about_active_is_active(idp, told_of_it):
    body = {"schemas": [USER_URN], "userName": "ann@corp.example", **told_of_it}
    made = idp.request("POST", "/Users", body)
    assert (made.status_code, made.json()["active"]) == (201, True)
    assert [one["id"] for one in idp.find("/Users", "active eq true")] == [made.json()["id"]]


def test_a_manager_is_an_object_however_it_was_written(idp):
    boss = idp.create_user("boss")["id"]
    for number, manager in enumerate((boss, [{"value": boss}], {"value": boss}, {"$ref": None, "value": boss})):
        user = idp.create_user(f"ann{number}", **{ENTERPRISE_URN: {"manager": manager}})
        assert user[ENTERPRISE_URN]["manager"]["value"] == boss
        whole = {"schemas": [USER_URN], "userName": f"ann{number}", ENTERPRISE_URN: {"manager": manager}}
        replaced = idp.request("PUT", f"/Users/{user['id']}", whole).json()
        assert replaced[ENTERPRISE_URN]["manager"]["value"] == boss
        assert replaced["meta"] == user["meta"]


@pytest.mark.parametrize("op", ["add", "replace", "Replace"])
@pytest.mark.parametrize("before", [{}, {"emails": [{"type": "home", "value": "h@x.example"}]}])
def test_a_value_path_makes_the_element_that_it_does_not_find(idp, op, before):
    user = idp.create_user("ann", **before)
    operation = {"op": op, "path": 'emails[type eq "work"].value', "value": "w@x.example"}
    changed = idp.patch(f"/Users/{user['id']}", operation)
    assert changed.status_code == 200
    assert changed.json()["emails"] == [*before.get("emails", []), {"type": "work", "value": "w@x.example"}]


def test_roles_as_json_texts_are_read_one_by_one(idp):
    sent = [{"value": f'{{"id":"{name}-1","value":"{name}","displayName":"The {name}"}}'} for name in ("one", "two")]
    read = [{"value": name, "display": f"The {name}"} for name in ("one", "two")]
    user = idp.create_user("ann", roles=sent)
    assert user["roles"] == read
    changed = idp.patch(f"/Users/{user['id']}", {"op": "Add", "path": "roles", "value": sent})
    assert (changed.status_code, changed.json()["roles"]) == (200, read)


def test_an_external_id_may_be_missing_and_given_twice(idp):
    without = [idp.create_user(name)["id"] for name in ("ann", "bob")]
    twice = [idp.create_user(name, externalId="x1")["id"] for name in ("eve", "max")]
    assert {one["id"] for one in idp.find("/Users", 'externalId eq "x1"')} == set(twice)
    assert {one["id"] for one in idp.find("/Users", "not (externalId pr)")} == set(without)


def test_somebody_added_by_hand_is_found_taken_over_suspended_and_restored(idp, facts_of):
    facts_of("member", "add", "ann@corp.example", "--workspace", idp.workspace.slug)
    (found,) = idp.find("/Users", 'userName eq "ANN@corp.example"')
    assert found["active"] is True
    path = f"/Users/{found['id']}"
    whole = {"schemas": [USER_URN], "userName": "ann@corp.example", "externalId": "x1", "active": False}
    assert idp.request("PUT", path, whole).json()["active"] is False
    assert idp.patch(path, {"op": "replace", "value": {"active": True}}).json()["active"] is True
    idp.patch(path, OFF)
    assert idp.create_user("ann@corp.example", externalId="x1")["id"] == found["id"]


def test_a_push_leaves_alone_what_it_does_not_speak_of(idp, admin):
    user = idp.create_user("ann@corp.example", externalId="x1")
    given = {"permissions": [{"roleId": "source-admin", "resources": WHOLE}]}
    assert admin.request("PUT", f"/users/{user['id']}/permissions", given).status_code == 200
    local = admin.request("POST", "/groups", {"name": "Local"}).json()["data"]["userGroup"]["id"]
    assert admin.request("POST", f"/groups/{local}/users", {"emails": ["ann@corp.example"]}).status_code == 200
    path = f"/Users/{user['id']}"
    whole = {"schemas": [USER_URN], "userName": "ann@corp.example", "externalId": "x1", "groups": [], "roles": []}
    for answer in (
        idp.patch(path, OFF),
        idp.patch(path, {"op": "replace", "value": {"active": True, "title": "T"}}),
        idp.request("PUT", path, whole),
    ):
        assert answer.status_code == 200
    assert roles(admin, user["id"]) == {"minimal-workspace-access", "source-admin"}
    assert [one["id"] for one in admin.get(f"/groups/{local}/users")["users"]] == [user["id"]]


# What a suspension must reach


@pytest.fixture
def clerk(idp):
    """Somebody whose address no other test knows."""
    return idp.create_user(f"clerk@{idp.workspace.slug}.example", externalId="c1")


def replaced_whole(**changes):
    return lambda idp, user: idp.request("PUT", f"/Users/{user['id']}", {**user, **changes})


@pytest.mark.parametrize(
    "suspend",
    [
        lambda idp, user: idp.patch(f"/Users/{user['id']}", OFF),
        replaced_whole(active=False),
        lambda idp, user: idp.patch(f"/Users/{user['id']}", {"op": "replace", "value": {"active": False}}),
        lambda idp, user: idp.request("DELETE", f"/Users/{user['id']}"),
    ],
)
def test_a_sign_in_link_from_before_does_not_outlive_the_suspension(service, idp, facts_of, clerk, suspend):
    secret = facts_of("sign-in-link", clerk["userName"])["url"].partition("#")[2]
    assert suspend(idp, clerk).status_code in {200, 204}
    address = f"{service.base_url}/sign-in/link"
    entered = requests.post(address, data={"secret": secret}, timeout=10, allow_redirects=False)
    assert (entered.status_code, "Set-Cookie" in entered.headers) == (403, False)
    listed = [user["active"] for user in idp.find("/Users", f'userName eq "{clerk["userName"]}"')]
    assert listed in ([], [False])


def test_a_new_address_in_the_request_that_suspends_hides_no_session(idp, facts_of, clerk):
    begun = facts_of("session", "create", "--email", clerk["userName"])
    changes = {"active": False, "userName": f"former.{clerk['userName']}"}
    assert replaced_whole(**changes)(idp, clerk).json()["active"] is False
    checked = facts_of("session", "check", begun["token"])
    assert (checked["active"], checked["reason"]) == (False, "suspended")


@pytest.mark.parametrize("word", ["PUT", "PATCH", "POST again"])
def test_a_first_word_of_somebody_that_says_inactive_ends_their_sessions(idp, facts_of, word):
    """Who was added by hand has lived until now: to be taken over and to be dismissed may be one request."""
    email = f"hand@{idp.workspace.slug}.example"
    facts_of("member", "add", email, "--workspace", idp.workspace.slug)
    begun = facts_of("session", "create", "--email", email)
    (found,) = idp.find("/Users", f'userName eq "{email}"')
    whole = {"schemas": [USER_URN], "userName": email, "externalId": "h1", "active": False}
    if word == "PUT":
        answer = idp.request("PUT", f"/Users/{found['id']}", whole)
    elif word == "PATCH":
        answer = idp.patch(f"/Users/{found['id']}", {"op": "replace", "value": {"externalId": "h1", "active": "False"}})
    else:
        assert idp.request("POST", "/Users", whole).status_code == 409
        assert facts_of("session", "check", begun["token"])["active"] is True
        answer = idp.request("PUT", f"/Users/{found['id']}", whole)
    assert answer.json()["active"] is False
    checked = facts_of("session", "check", begun["token"])
    assert (checked["active"], checked["reason"]) == (False, "suspended")


def test_who_is_restored_gets_no_old_session_back(idp, admin, clerk):
    begun = admin.request("POST", "/sessions", {"email": clerk["userName"]}).json()["data"]["session"]
    idp.patch(f"/Users/{clerk['id']}", OFF)
    idp.create_user(clerk["userName"], externalId="c1")
    checked = admin.request("POST", "/sessions/check", {"token": begun["token"]}).json()["data"]["session"]
    assert (checked["active"], checked["reason"]) == (False, "suspended")
    assert admin.request("POST", "/sessions", {"email": clerk["userName"]}).status_code == 201


@pytest.mark.parametrize(
    "dismiss",
    [
        lambda idp, user: idp.patch(f"/Users/{user['id']}", OFF),
        replaced_whole(active=False),
        lambda idp, user: idp.request("DELETE", f"/Users/{user['id']}"),
    ],
)
def test_the_last_owner_is_dismissed_at_the_identity_providers_word_and_an_alarm_tells_it(idp, admin, clerk, dismiss):
    owner = {"permissions": [{"roleId": "workspace-owner", "resources": WHOLE}]}
    assert admin.request("PUT", f"/users/{clerk['id']}/permissions", owner).status_code == 200
    whole = idp.request("GET", f"/Users/{clerk['id']}").json()
    assert dismiss(idp, whole).status_code in {200, 204}
    assert admin.get("/access/who-can", action="mapping.create")["users"] == []
    (alarm,) = told(admin, "workspace.last_owner_lost")
    assert alarm["member_id"] == clerk["id"]


def test_the_audit_trail_outlives_the_person(idp, admin, clerk):
    group = idp.create_group("G", clerk["id"])
    idp.patch(f"/Users/{clerk['id']}", OFF)
    assert idp.request("DELETE", f"/Users/{clerk['id']}").status_code == 204
    for name in ("member.added", "member.suspended", "member.removed"):
        assert [details["member_id"] for details in told(admin, name)] == [clerk["id"]]
    assert told(admin, "group.members_changed", resourceId=group["id"])[-1]["added"] == [clerk["id"]]


# Roles by group


def test_a_new_group_of_a_deleted_ones_name_inherits_nothing(idp, admin, people):
    group = idp.create_group("Admins", people[0], externalId="g1")
    assert admin.request("POST", "/mappings", {"group": "Admins", "role": "source-admin"}).status_code == 201
    given = {"permissions": [{"roleId": "function-admin", "resources": WHOLE}]}
    assert admin.request("PUT", f"/groups/{group['id']}/permissions", given).status_code == 200
    assert roles(admin, people[0]) == {"minimal-workspace-access", "source-admin", "function-admin"}
    idp.request("DELETE", f"/Groups/{group['id']}")
    idp.create_group("Admins", *people[:2], externalId="g1")
    for one in people[:2]:
        assert roles(admin, one) == {"minimal-workspace-access"}


def test_a_rename_ends_what_the_old_name_gave_and_keeps_what_was_given_by_hand(idp, admin, people):
    group = idp.create_group("eng-sources", people[0])
    by_name = {"condition": 'displayName sw "eng-"', "role": "source-admin"}
    by_hand = {"group": "eng-sources", "role": "function-admin"}
    for mapping in (by_name, by_hand):
        assert admin.request("POST", "/mappings", mapping).status_code == 201
    assert roles(admin, people[0]) == {"minimal-workspace-access", "source-admin", "function-admin"}
    path = f"/Groups/{group['id']}"
    idp.patch(path, rename("Guests"))
    assert roles(admin, people[0]) == {"minimal-workspace-access", "function-admin"}
    idp.request("PUT", path, {"schemas": [GROUP_URN], "displayName": "eng-guests"})
    assert roles(admin, people[0]) == {"minimal-workspace-access", "source-admin", "function-admin"}


# Who may see and become what


def test_who_owns_one_workspace_is_nobody_special_in_another(new_idp, new_admin, idp, admin):
    other = new_idp()
    here, there = (one.create_user(f"both@{idp.workspace.slug}.example") for one in (idp, other))
    owner = {"permissions": [{"roleId": "workspace-owner", "resources": WHOLE}]}
    assert admin.request("PUT", f"/users/{here['id']}/permissions", owner).status_code == 200
    assert roles(admin, here["id"]) == {"workspace-owner"}
    assert roles(new_admin(other.workspace.slug), there["id"]) == {"minimal-workspace-access"}


def test_an_answer_tells_nothing_of_whom_another_workspace_knows(new_idp, idp):
    other = new_idp()
    other.create_user("known@corp.example", externalId="k1", displayName="Known")
    other.create_group("Known", externalId="g1")

    def answers(name, number):
        user = {"schemas": [USER_URN], "userName": f"{name}@corp.example", "externalId": f"k{number}"}
        first, again = (idp.request("POST", "/Users", user) for _ in "ab")
        group = idp.request("POST", "/Groups", {"schemas": [GROUP_URN], "displayName": name})
        by_id = {key: value for key, value in first.json().items() if key not in {"id", "userName", "externalId"}}
        del by_id["meta"]
        return first.status_code, by_id, again.status_code, again.text, group.status_code

    assert answers("known", 1) == answers("other", 2)


def test_neither_log_keeps_what_is_secret_or_was_not_asked_for(service, idp, admin):
    body = {"schemas": [USER_URN], "userName": "ann@corp.example", "nationalId": "kept-nowhere-1", "password": "pw-1"}
    idp.request("POST", "/Users", body, headers={"X-Private": "kept-nowhere-2", "Cookie": "c=kept-nowhere-3"})
    idp.find("/Users", 'emails.value eq "looked-for@corp.example"')
    idp.request("GET", "/Users", params={"filter": 'emails.value eq "looked-for@corp.example" nonsense'})

    def entries():
        return admin.get(f"/connections/{idp.connection.id}/log")["entries"]

    eventually(lambda: len(entries()) >= 3)
    for text in ("kept-nowhere", "pw-1", idp.token):
        assert text not in str(entries())
        assert text not in service.output.read_text()
    # What is looked for is personal, too: it is for the workspace's admins, not for the operator's files.
    assert "looked-for" in str(entries())
    assert "looked-for" not in service.output.read_text()
