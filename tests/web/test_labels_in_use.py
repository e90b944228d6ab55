"""A label that a mapping reads in the names of groups is in use."""

from __future__ import annotations

import pytest


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


def test_a_label_that_a_pattern_reads_is_neither_deleted_nor_renamed(idp, admin):
    assert admin.request("POST", "/labels", {"label": {"key": "team", "value": "a"}}).ok
    rule = {"pattern": "seg-{label.environment}-{role}"}
    mapping = admin.request("POST", "/mappings", rule).json()["data"]["mapping"]["id"]
    label, renamed = "/labels/environment/dev", {"key": "environment", "value": "development"}
    for method, body in (("DELETE", None), ("PATCH", renamed)):
        refused = admin.request(method, label, body)
        (told,) = refused.json()["errors"]
        assert (refused.status_code, told["type"], told["data"]) == (409, "conflict", {"uses": [f"mapping:{mapping}"]})
        assert mapping in told["message"]
    assert len(admin.get("/labels")["labels"]) == 3
    assert admin.request("DELETE", "/labels/team/a").ok
    assert admin.request("PATCH", f"/mappings/{mapping}", {"enabled": False}).ok
    assert admin.request("PATCH", label, renamed).ok
    assert admin.request("DELETE", "/labels/environment/development").ok
    assert [one["value"] for one in admin.get("/labels")["labels"]] == ["prod"]
