"""A token that belongs to a member dies with the membership, and stays dead when the member is restored."""

from __future__ import annotations

from uuid import UUID

import pytest
import requests
from sqlalchemy import select

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.directory import members, roster
from provisioning.directory.profile import Profile
from provisioning.scim.definitions import USER
from provisioning.tokens import api
from provisioning.tokens.models import ApiToken
from tests.conftest import TEST, USER_URN
from tests.waiting import eventually


@pytest.fixture
def clerk(idp):
    return idp.create_user(f"clerk@{idp.workspace.slug}.example", externalId="c1")


def issue(idp, user):
    """A token of the member's own."""
    secret = context().keyring.mint(Kind.API_TOKEN)
    with transaction() as database:
        token = api.issue(
            database,
            workspace_id=idp.workspace.id,
            name="own",
            digest=secret.digest,
            owner_id=UUID(user["id"]),
            by=TEST,
        )
    return token, secret.text


def status(idp, secret):
    headers = {"Authorization": f"Bearer {secret}"}
    return requests.get(f"{idp.base_url}/api/users", headers=headers, timeout=10).status_code


OFF = {"op": "replace", "value": {"active": False}}


@pytest.mark.parametrize(
    "suspend",
    [
        lambda idp, user: idp.patch(f"/Users/{user['id']}", OFF),
        lambda idp, user: idp.patch(f"/Users/{user['id']}", {"op": "Replace", "path": "active", "value": "False"}),
        lambda idp, user: idp.request("PUT", f"/Users/{user['id']}", {**user, "active": False}),
    ],
    ids=["PATCH", "PATCH with text", "PUT"],
)
def test_a_suspension_ends_the_members_own_tokens_and_a_return_brings_none_back(idp, new_admin, clerk, suspend):
    token, secret = issue(idp, clerk)
    of_workspace = new_admin(idp.workspace.slug)
    assert status(idp, secret) == 403  # Known, and without a policy of its own.
    assert suspend(idp, clerk).status_code == 200
    assert status(idp, secret) == 401
    assert of_workspace.request("GET", "/users").status_code == 200
    again = {"schemas": [USER_URN], "userName": clerk["userName"], "externalId": "c1"}
    assert idp.request("POST", "/Users", again).json()["id"] == clerk["id"]
    assert status(idp, secret) == 401

    def marked():
        with reading() as database:
            return database.execute(select(ApiToken.ended_reason).where(ApiToken.id == token.id)).scalar_one()

    assert eventually(marked) == "owner_suspended"


def test_a_suspension_of_a_moment_that_no_worker_sees_ends_them_too(idp, clerk):
    _, secret = issue(idp, clerk)
    with transaction() as database:
        for active in (False, True):
            member = roster.lock(database, workspace_id=idp.workspace.id, member_id=UUID(clerk["id"]))
            profile = Profile.of({**member.document, "active": active}, USER)
            members.store(database, member=member, profile=profile, connection_id=None, by=TEST)
    assert idp.request("GET", f"/Users/{clerk['id']}").json()["active"] is True
    assert status(idp, secret) == 401


def test_a_member_who_is_gone_leaves_no_token(idp, clerk):
    _, secret = issue(idp, clerk)
    assert idp.request("DELETE", f"/Users/{clerk['id']}").status_code == 204
    assert status(idp, secret) == 401
