"""Two admins at once: who has seen an older version changes nothing (RFC 9110, section 13.1.1)."""

from __future__ import annotations

import threading

import pytest

WHOLE = [{"type": "WORKSPACE"}]
READ_ONLY = {"permissions": [{"roleId": "source-read-only", "resources": WHOLE}]}
ADMIN = {"permissions": [{"roleId": "source-admin", "resources": WHOLE}]}
ROLE = {"id": "looker", "name": "Looker", "actions": ["source.read"]}


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


@pytest.fixture
def things(idp, admin):
    """What has a version, as (where it is read, how it is changed twice)."""
    person = f"/users/{idp.create_user('a@corp.example')['id']}"
    group = f"/groups/{admin.request('POST', '/groups', {'name': 'G'}).json()['data']['userGroup']['id']}"
    rule = {"condition": 'displayName sw "eng"', "role": "source-admin"}
    mapping = f"/mappings/{admin.request('POST', '/mappings', rule).json()['data']['mapping']['id']}"
    assert admin.request("POST", "/roles", ROLE).status_code == 201
    several = {"policies": [{"role": "function-admin"}, {"role": "source-admin"}]}
    return {
        "person": (person, ("PATCH", person, {"protected": True}), ("PATCH", person, {"protected": False})),
        "their permissions": (
            f"{person}/permissions",
            ("PUT", f"{person}/permissions", READ_ONLY),
            ("PUT", f"{person}/permissions", ADMIN),
        ),
        "person's permissions": (
            person,
            ("PUT", f"{person}/permissions", READ_ONLY),
            ("POST", f"{person}/permissions", ADMIN),
        ),
        "group": (group, ("PATCH", group, {"name": "H"}), ("DELETE", group, None)),
        "who is in a group": (
            group,
            ("POST", f"{group}/users", {"emails": ["a@corp.example"]}),
            ("PUT", f"{group}/users", {"emails": []}),
        ),
        "its permissions": (
            f"{group}/permissions",
            ("PUT", f"{group}/permissions", READ_ONLY),
            ("PUT", f"{group}/permissions", ADMIN),
        ),
        "mapping": (mapping, ("PATCH", mapping, several), ("DELETE", mapping, None)),
        "role": ("/roles/looker", ("PATCH", "/roles/looker", {"name": "L"}), ("DELETE", "/roles/looker", None)),
    }


KINDS = (
    *("person", "their permissions", "person's permissions"),
    *("group", "who is in a group", "its permissions", "mapping", "role"),
)


def read(admin, path):
    answer = admin.request("GET", path)
    return answer.headers["ETag"], answer.json()


@pytest.mark.parametrize("kind", KINDS)
def test_who_has_seen_an_older_version_changes_nothing(admin, things, kind):
    path, first, second = things[kind]
    seen, _ = read(admin, path)
    assert read(admin, path)[0] == seen
    assert admin.request(*first, headers={"If-Match": seen}).status_code == 200
    now, shown = read(admin, path)
    assert now != seen
    refused = admin.request(*second, headers={"If-Match": seen})
    assert (refused.status_code, refused.json()["errors"][0]["type"]) == (412, "precondition_failed")
    assert read(admin, path) == (now, shown)
    assert admin.request(*second, headers={"If-Match": f'"old", {now}'}).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_condition_or_with_any_version_all_is_as_it_was(admin, things, kind):
    _, first, second = things[kind]
    assert admin.request(*first).status_code == 200
    assert admin.request(*second, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize("kind", ["their permissions", "its permissions", "mapping", "role", "group"])
def test_the_answer_to_a_write_has_the_version_that_the_next_one_names(admin, things, kind):
    path, first, _ = things[kind]
    assert admin.request(*first).headers["ETag"] == read(admin, path)[0]


@pytest.mark.parametrize("condition", ["", "nonsense", 'W/"{weak}"', '"old"'])
def test_a_condition_that_does_not_hold_refuses_whatever_it_looks_like(admin, things, condition):
    path, first, _ = things["group"]
    seen, shown = read(admin, path)
    refused = admin.request(*first, headers={"If-Match": condition.replace('"{weak}"', seen)})
    assert refused.status_code == 412
    assert read(admin, path)[1] == shown


def test_a_condition_where_nothing_is_compared_is_refused_and_not_passed_over(admin):
    label = {"label": {"key": "a", "value": "b"}}
    assert admin.request("POST", "/labels", label, headers={"If-Match": '"x"'}).status_code == 412
    assert [one["key"] for one in admin.get("/labels")["labels"]] == ["environment", "environment"]


def test_what_a_policy_loses_elsewhere_changes_the_version(admin, things):
    path, first, _ = things["mapping"]
    assert admin.request(*first).status_code == 200
    seen, shown = read(admin, path)
    gone = shown["data"]["mapping"]["policies"][0]["id"]
    assert admin.request("DELETE", f"/policies/{gone}").status_code == 200
    assert admin.request("PATCH", path, {"name": "N"}, headers={"If-Match": seen}).status_code == 412


def test_of_many_who_saw_the_same_version_one_writes(admin, things):
    path, first, _ = things["their permissions"]
    for _ in range(5):
        assert admin.request("PUT", path, {"permissions": []}).status_code == 200
        seen, _ = read(admin, path)
        barrier, told = threading.Barrier(4), []

        def write(barrier=barrier, told=told, seen=seen):
            barrier.wait()
            told.append(admin.request(*first, headers={"If-Match": seen}).status_code)

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(told) == [200, 412, 412, 412]
