"""scim2-tester, the suite behind `scim2 test`: https://scim2-tester.readthedocs.io."""

from __future__ import annotations

import pytest
from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

# What the suite can judge in an extension: it stumbles over decimals, moments and binaries that it makes up itself, and
# expects an addition to a list to replace what an earlier check of its own has added.
OF_MANY_TYPES = {
    "id": "urn:example:params:scim:types:1.0:User",
    "name": "Types",
    "attributes": [
        {"name": "text"},
        {"name": "exact", "caseExact": True},
        {"name": "truth", "type": "boolean"},
        {"name": "whole", "type": "integer"},
        {"name": "link", "type": "reference", "referenceTypes": ["external"]},
        {"name": "shown", "returned": "always"},
        {"name": "one", "type": "complex", "subAttributes": [{"name": "a"}, {"name": "b", "type": "integer"}]},
    ],
}


@pytest.mark.parametrize(("extended", "checks"), [(False, 130), (True, 155)])
def test_scim2_tester_finds_nothing_wrong(idp, new_admin, extended, checks):
    if extended:
        new_admin(idp.workspace.slug).request("POST", "/schemas", {"definition": OF_MANY_TYPES}).raise_for_status()
    headers = {"Authorization": f"Bearer {idp.token}"}
    with Client(base_url=f"{idp.base_url}/scim/v2", headers=headers, timeout=30) as http:
        results = check_server(SyncSCIMClient(http))
    assert [(result.title, result.reason) for result in results if result.status is not Status.SUCCESS] == []
    assert len(results) >= checks
