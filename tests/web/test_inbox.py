"""The inbox: pushed groups that give nobody anything yet."""

from __future__ import annotations

import pytest

WHOLE = [{"type": "WORKSPACE"}]


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


def waiting(admin):
    return [group["name"] for group in admin.get("/groups", unmapped="true")["userGroups"]]


def test_what_gives_somebody_something_leaves_the_inbox_and_comes_back(idp, admin, facts_of):
    for name in ("By policy", "By id", "By filter", "seg-prod-source-admin", "Nothing"):
        idp.create_group(name)
    assert admin.request("POST", "/groups", {"name": "Local"}).ok
    ids = {group["name"]: group["id"] for group in admin.get("/groups")["userGroups"]}
    assert waiting(admin) == ["By policy", "By id", "By filter", "seg-prod-source-admin", "Nothing"]
    given = {"permissions": [{"roleId": "source-admin", "resources": WHOLE}]}
    assert admin.request("POST", f"/groups/{ids['By policy']}/permissions", given).ok
    rules = [
        {"group": "By id", "role": "source-admin"},
        {"condition": 'displayName ew "filter"', "role": "source-admin"},
        {"pattern": "seg-{label.environment}-{role}"},
        {"condition": 'displayName eq "Nothing"', "role": "source-admin"},
        {"condition": 'groups.display eq "Nothing"', "about": "User", "role": "source-admin"},
    ]
    made = [admin.request("POST", "/mappings", rule).json()["data"]["mapping"]["id"] for rule in rules]
    assert waiting(admin) == []
    assert admin.request("PATCH", f"/mappings/{made[3]}", {"enabled": False}).ok
    assert waiting(admin) == ["Nothing"]
    idp.patch(f"/Groups/{ids['seg-prod-source-admin']}", {"op": "replace", "value": {"displayName": "seg-prod-none"}})
    assert waiting(admin) == ["seg-prod-none", "Nothing"]
    where = ("--workspace", idp.workspace.slug)
    told = facts_of("group", "list", *where, "--unmapped", "--filter", 'displayName sw "seg"')
    assert [group["display_name"] for group in told["groups"]] == ["seg-prod-none"]
    page = admin.get("/groups", unmapped="true", **{"pagination[count]": 1})
    assert (page["pagination"]["totalEntries"], len(page["userGroups"])) == (2, 1)
    following = {"unmapped": "true", "pagination[cursor]": page["pagination"]["next"]}
    assert [group["name"] for group in admin.get("/groups", **following)["userGroups"]] == ["Nothing"]
