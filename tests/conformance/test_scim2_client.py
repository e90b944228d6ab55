"""A client of others pushes people and groups: scim2-client, with models that it makes of the discovered schemas."""

from __future__ import annotations

import pytest
from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import PatchOp, PatchOperation, SCIMException, SearchRequest


@pytest.fixture
def client(idp):
    headers = {"Authorization": f"Bearer {idp.token}"}
    with Client(base_url=f"{idp.base_url}/scim/v2", headers=headers, timeout=30) as http:
        found = SyncSCIMClient(http)
        found.discover()
        yield found


def test_it_pushes_reads_changes_and_removes(client):
    user_type, group_type = client.get_resource_model("User"), client.get_resource_model("Group")
    ann = client.create(user_type(user_name="ann@corp.example", external_id="x1", active=True))
    bob = client.create(user_type(user_name="bob@corp.example"))
    team = client.create(group_type(display_name="Team", members=[{"value": ann.id}, {"value": bob.id}]))
    assert {member.value for member in team.members} == {ann.id, bob.id}
    ann.display_name = "Ann"
    assert client.replace(ann).display_name == "Ann"
    off = PatchOp[user_type](operations=[PatchOperation(op="replace", path="active", value=False)])
    assert client.modify(user_type, bob.id, off).active is False
    found = client.query(user_type, query_parameters=SearchRequest(filter='userName sw "ann"'))
    assert [user.id for user in found.resources] == [ann.id]
    assert client.query(user_type, ann.id).groups[0].display == "Team"
    client.delete(group_type, team.id)
    with pytest.raises(SCIMException):
        client.create(user_type(user_name="ANN@corp.example"))
