"""People are told by letters of what concerns them, by real workers through a real mail server."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, update

from provisioning import entropy
from provisioning.access import access_requests, custom_roles, proposals
from provisioning.access.drafts import Rule
from provisioning.access.founding import found_workspace
from provisioning.access.policies import Giver, Terms
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import transaction
from provisioning.directory import members, owners, workspaces
from provisioning.directory.profile import Profile
from provisioning.tokens import api, ending
from provisioning.tokens.models import ApiToken
from tests.conftest import TEST
from tests.mail_server import MailServer, running
from tests.waiting import eventually
from tests.workers.test_mail import BEAT, WORKER, through

HOSTILE = "Ops\r\nBcc: all@evil.example"


@pytest.fixture(autouse=True)
def _in_context(bench_app):
    with bench_app.app_context():
        yield


def to(server: MailServer, *people) -> list:
    """The letters to these people; the workers may still have others' to carry."""
    return [letter for letter in list(server.letters) if letter["To"] in {one.email for one in people}]


@pytest.fixture
def team():
    """A workspace with two owners, one of them suspended, and a member; their addresses."""
    slug = f"n{entropy.new_id().hex[-10:]}"
    people = {}
    with transaction() as connection:
        workspace = found_workspace(
            connection, slug=slug, name="Ops\r\nBcc: all@evil.example", hipaa_eligible=False, by=TEST
        )
        for name, active in (("owner", True), ("away", False), ("ann", True)):
            profile = Profile.of({"userName": f"{name}@{slug}.example", "displayName": name.title(), "active": active})
            where = {"workspace_id": workspace.id, "connection_id": None, "by": TEST}
            people[name] = members.create(connection, profile=profile, **where)
        for name in ("owner", "away"):
            owners.appoint(connection, member=people[name], by=TEST)
    return workspace, people


def issue(workspace, **terms):
    """An API token that ends in a month, and what it is known by."""
    secret = context().keyring.mint(Kind.API_TOKEN)
    with transaction() as connection:
        made = api.issue(
            connection,
            workspace_id=workspace.id,
            name="deploys",
            digest=secret.digest,
            lifetime=timedelta(days=30),
            by=TEST,
            **terms,
        )
    return made, secret


def test_the_end_of_a_token_that_is_near_is_written_to_its_owner_once(spawn, team):
    workspace, people = team
    made, _ = issue(workspace, owner_id=people["ann"].id)
    with running(MailServer()) as server:
        spawn(*WORKER, **through(server))
        spawn(*BEAT)
        with transaction() as connection:
            soon = func.clock_timestamp() + timedelta(days=2)
            connection.execute(update(ApiToken).where(ApiToken.id == made.id).values(expires_at=soon))
        eventually(lambda: to(server, *people.values()), within=60)
        with transaction() as connection:
            sooner = func.clock_timestamp() + timedelta(hours=12)
            connection.execute(update(ApiToken).where(ApiToken.id == made.id).values(expires_at=sooner))
        letters = eventually(lambda: len(to(server, *people.values())) == 2 and to(server, *people.values()), within=60)
    assert {letter["To"] for letter in letters} == {people["ann"].email}
    assert "deploys" in letters[0]["Subject"]
    assert all(letter["Bcc"] is None for letter in letters)


def test_what_owners_have_to_know_is_written_to_those_who_are_there(spawn, team):
    workspace, people = team
    _, secret = issue(workspace)
    with running(MailServer()) as server:
        spawn(*WORKER, **through(server))
        spawn(*BEAT)
        with transaction() as connection:
            ending.report_leaked(
                connection, digest=secret.digest, found_at="https://code.example/x", source="commit", by=TEST
            )
            roles = custom_roles.of_workspace(connection, workspace_id=workspace.id, catalogue=context().catalogue)
            access_requests.ask(
                connection,
                workspace_id=workspace.id,
                member_id=people["ann"].id,
                terms=Terms("source-admin", reason="Release\nduty"),
                roles=roles,
                by=TEST,
            )
            workspaces.set_owners_by_mapping(connection, slug=workspace.slug, allowed=True, by=TEST)
            proposals.create(
                connection,
                workspace_id=workspace.id,
                name="",
                rule=Rule(condition='displayName sw "own"'),
                terms=[Terms("workspace-owner")],
                giver=Giver(TEST, roles),
            )
        letters = eventually(lambda: len(to(server, *people.values())) == 3 and to(server, *people.values()), within=60)
    assert {letter["To"] for letter in letters} == {people["owner"].email}
    said = {letter["Subject"].split()[0]: letter.get_content() for letter in letters}
    assert "It was found at https://code.example/x" in said["API"]
    assert "Ann asks for the role source-admin" in said["Ann"]
    assert "Release duty" in said["Ann"]
    assert 'The operator wants a mapping to make people owners of the workspace "Ops Bcc' in said["A"]
    assert 'displayName sw "own"' in said["A"]
