"""Sorting (RFC 7644, section 3.4.2.3): without case, by the primary value, and those without a value at the far end."""

from __future__ import annotations

import pytest

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PEOPLE = {
    "b@x.example": {"displayName": "ängström", "emails": [{"value": "z@x"}, {"value": "a@x", "primary": True}]},
    "A@x.example": {"displayName": "Zoë", "emails": [{"value": "m@x"}], ENTERPRISE: {"department": "R"}},
    "c@x.example": {"active": False, "name": {"familyName": "B"}},
    "d@x.example": {"displayName": "zoe", "name": {"familyName": "a"}, ENTERPRISE: {"department": "D"}},
}


@pytest.fixture
def people(idp):
    for name, attributes in PEOPLE.items():
        idp.create_user(name, **attributes)
    return idp


@pytest.mark.parametrize(
    ("by", "order"),
    [
        ("userName", "Abcd"),
        ("displayName", "dAbc"),
        ("name.familyName", "dcbA"),
        ("emails", "bAcd"),
        ("emails.value", "bAcd"),
        (f"{ENTERPRISE}:department", "dAbc"),
        ("meta.created", "bAcd"),
        ("id", "bAcd"),
        ("active", "cbAd"),
    ],
)
def test_in_both_directions(people, by, order):
    def initials(**params: str) -> str:
        page = people.request("GET", "/Users", params={"sortBy": by, **params})
        assert page.status_code == 200, page.text
        return "".join(user["userName"][0] for user in page.json()["Resources"])

    assert initials() == order
    without = [c for c in order if by.startswith("name") and c in "bA"]
    if by in {"userName", "meta.created", "id"}:
        assert initials(sortOrder="descending") == order[::-1]
    if without:
        assert initials(sortOrder="descending") == "bAcd"
    assert initials(startIndex="2", count="2") == order[1:3]


@pytest.mark.parametrize("query", [{"sortBy": "nope"}, {"sortBy": "name"}, {"sortBy": "!"}])
def test_what_cannot_be_sorted_by_is_refused(people, query):
    assert people.request("GET", "/Users", params=query).status_code == 400


def test_groups_are_sorted_too(idp):
    for name in ("b", "A", "c"):
        idp.create_group(name)
    page = idp.request("GET", "/Groups", params={"sortBy": "displayName", "sortOrder": "descending"}).json()
    assert [group["displayName"] for group in page["Resources"]] == ["c", "b", "A"]
