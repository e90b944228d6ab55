"""Many clients at once: nobody is lost, nobody comes twice, and totals are those of one moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.conftest import PATCH_URN, USER_URN


def at_once(work, items):
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(work, items))


def add(*identifiers):
    return {"op": "add", "path": "members", "value": [{"value": one} for one in identifiers]}


def test_adding_removing_and_renaming_one_group_at_once_loses_nobody(idp):
    people = [idp.create_user(f"p{number}")["id"] for number in range(24)]
    group = f"/Groups/{idp.create_group('G', *people[:8])['id']}"
    changes = [add(one) for one in people[8:]]
    changes += [{"op": "remove", "path": f'members[value eq "{one}"]'} for one in people[:8]]
    changes += [{"op": "replace", "path": "displayName", "value": f"G{number}"} for number in range(8)]
    answers = at_once(lambda change: idp.patch(group, change).status_code, changes[::3] + changes[1::3] + changes[2::3])
    assert set(answers) == {200}
    shown = idp.request("GET", group).json()
    assert {member["value"] for member in shown["members"]} == set(people[8:])
    assert shown["meta"]["version"] == f'W/"{1 + len(changes)}"'


def test_many_who_change_one_user_at_once_lose_nothing(idp):
    user = f"/Users/{idp.create_user('ann')['id']}"
    names = ["title", "nickName", "displayName", "userType", "locale", "timezone", "preferredLanguage", "profileUrl"]
    changes = [{"op": "replace", "path": name, "value": f"{name}-{turn}"} for turn in range(3) for name in names]
    assert set(at_once(lambda change: idp.patch(user, change).status_code, changes)) == {200}
    shown = idp.request("GET", user).json()
    assert {name: shown[name].partition("-")[0] for name in names} == {name: name for name in names}
    assert shown["meta"]["version"] == f'W/"{1 + len(changes)}"'


def test_with_if_match_of_many_who_saw_one_version_one_writes(idp):
    user = idp.create_user("ann")
    path, seen = f"/Users/{user['id']}", {"If-Match": user["meta"]["version"]}

    def write(number):
        operation = {"op": "replace", "path": "title", "value": f"T{number}"}
        body = {"schemas": [PATCH_URN], "Operations": [operation]}
        return idp.request("PATCH", path, body, headers=seen).status_code

    assert sorted(at_once(write, range(8))) == [200] + [412] * 7


def test_one_name_in_four_spellings_is_one_person(idp):
    for number in range(5):
        names = [
            f"ann{number}@x.example",
            f"ANN{number}@X.EXAMPLE",
            f"Ann{number}@x.Example",
            f" ann{number}@x.example",
        ] * 2

        def create(name):
            return idp.request("POST", "/Users", {"schemas": [USER_URN], "userName": name}).status_code

        assert sorted(at_once(create, names)) == [201] + [409] * 7
    assert idp.request("GET", "/Users").json()["totalResults"] == 5


def test_totals_and_pages_are_of_one_moment(idp):
    """While others come and go, a page that holds everything has as many as it says that there are."""

    def come_and_go(number):
        if number % 3:
            page = idp.request("GET", "/Users", params={"filter": "active eq true"}).json()
            return page["totalResults"] == page["itemsPerPage"] == len(page["Resources"])
        user = idp.create_user(f"p{number}")
        return idp.request("DELETE", f"/Users/{user['id']}").status_code == 204

    assert all(at_once(come_and_go, range(90)))


def test_the_same_request_again_changes_nothing(idp):
    """An answer that got lost: whatever was sent is sent again."""
    user = idp.create_user("ann", externalId="1")
    group = idp.create_group("G", user["id"])
    for path, body in (
        (f"/Users/{user['id']}", {"op": "replace", "path": "title", "value": "x"}),
        (f"/Users/{user['id']}", {"op": "add", "path": "emails", "value": [{"type": "work", "value": "a@x"}]}),
        (f"/Users/{user['id']}", {"op": "replace", "value": {"active": False}}),
        (f"/Groups/{group['id']}", add(user["id"])),
        (f"/Groups/{group['id']}", {"op": "remove", "path": "members", "value": [{"value": user["id"]}]}),
    ):
        first, again = idp.patch(path, body).json(), idp.patch(path, body).json()
        assert again["meta"] == first["meta"]
    whole = idp.request("GET", f"/Users/{user['id']}").json()
    assert idp.request("PUT", f"/Users/{user['id']}", whole).json() == whole
    assert [idp.request("DELETE", f"/Groups/{group['id']}").status_code for _ in "ab"] == [204, 404]
