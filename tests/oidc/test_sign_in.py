"""Signing in through an OpenID provider of others, as its pages and ours have it."""

from __future__ import annotations

import uuid

import pytest
import requests
from sqlalchemy import select

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.identities import domains, providers
from provisioning.identities.models import Identity
from provisioning.identities.providers import Terms
from provisioning.outbox import Event
from provisioning.sessions import lifecycle
from provisioning.sessions.models import Session
from tests.conftest import TEST
from tests.sessions.playing import begin, judge


@pytest.fixture
def unique() -> str:
    return uuid.uuid4().hex[:12]


def session_text(response: requests.Response) -> str:
    assert response.status_code == 303, response.text
    text = response.cookies["__Host-session"]
    assert text.startswith("pvs_")
    return text


def verdict_of(text: str, workspace_id=None):
    digest = context().keyring.recognise(text, Kind.SESSION)
    with reading() as database:
        return lifecycle.judge(database, digest=digest, policy=context().session_policy, workspace_id=workspace_id)[0]


def refused(response: requests.Response, sentence: str) -> None:
    assert response.status_code == 403, response.text
    assert sentence in response.text
    assert "__Host-session" not in response.cookies


def facts_named(name: str, workspace_id) -> list[dict]:
    with reading() as database:
        wanted = select(Event.payload).where(Event.workspace_id == workspace_id, Event.name == name)
        return list(database.execute(wanted.order_by(Event.seq)).scalars())


def test_who_was_pushed_signs_in_by_the_external_id_and_is_remembered_by_the_subject(idp, door, unique):
    pushed = idp.create_user(f"{unique}@corp.example", externalId=unique)
    door.provider.know(unique, email=f"{unique}@elsewhere.example", email_verified=False, name="Ada")
    text = session_text(door.come(unique))
    assert verdict_of(text).active
    assert [fact["by_what"] for fact in facts_named("identity.linked", idp.workspace.id)] == ["external_id"]
    # Whatever else changes, the subject stays the person.
    assert idp.patch(f"/Users/{pushed['id']}", {"op": "remove", "path": "externalId"}).status_code == 200
    assert verdict_of(session_text(door.come(unique))).active
    home = requests.get(f"{door.base_url}/console/", headers={"Cookie": f"__Host-session={text}"}, timeout=10)
    assert (home.status_code, idp.workspace.slug in home.text) == (200, True)


def test_the_session_remembers_how_the_person_proved_who_they_are(idp, new_door, unique):
    door = new_door(idp, max_age=3600)
    idp.create_user(f"{unique}@corp.example", externalId=unique)
    door.provider.know(unique)
    digest = context().keyring.recognise(session_text(door.come(unique)), Kind.SESSION)
    with reading() as database:
        row = database.execute(select(Session).where(Session.digest == digest)).one()
    assert (row.connection_id, row.reach_id) == (idp.connection.id, idp.workspace.id)
    assert abs((row.authenticated_at - row.created_at).total_seconds()) < 60
    assert row.provider_session
    assert row.user_agent.startswith("python-requests")
    assert "." not in row.id_token, "an ID token in the clear"


def test_a_verified_address_links_and_only_then(idp, door, unique):
    idp.create_user(f"{unique}@corp.example")
    for claims in ({"email_verified": False}, {}, {"email_verified": "true"}):
        door.provider.know(unique, email=f"{unique}@corp.example", **claims)
        refused(door.come(unique), "Nobody has given you access")
    door.provider.know(unique, email=f"{unique.upper()}@corp.example", email_verified=True)
    session_text(door.come(unique))
    assert [fact["reason"] for fact in facts_named("sign_in.refused", idp.workspace.id)] == ["unknown_person"] * 3


def test_an_address_of_the_providers_own_domain_counts_unless_it_says_otherwise(idp, new_door, unique):
    door = new_door(idp, domain="own.example")
    idp.create_user(f"{unique}@own.example")
    door.provider.know(unique, email=f"{unique}@own.example", email_verified=False)
    refused(door.come(unique), "Nobody has given you access")
    door.provider.know(unique, email=f"{unique}@own.example")
    session_text(door.come(unique))


def test_another_subject_with_the_same_address_is_somebody_else(idp, door, unique):
    idp.create_user(f"{unique}@corp.example")
    for login in (unique, f"other-{unique}"):
        door.provider.know(login, email=f"{unique}@corp.example", email_verified=True)
    session_text(door.come(unique))
    door.browser.cookies.clear()
    refused(door.come(f"other-{unique}"), "Somebody else signs in with this address")


def test_who_is_suspended_gets_a_page_and_nothing_else(idp, door, unique):
    pushed = idp.create_user(f"{unique}@corp.example", externalId=unique)
    door.provider.know(unique)
    text = session_text(door.come(unique))
    assert idp.patch(f"/Users/{pushed['id']}", {"op": "replace", "path": "active", "value": False}).ok
    assert verdict_of(text).reason == "suspended"
    refused(door.come(unique), "suspended")
    assert facts_named("sign_in.refused", idp.workspace.id)[-1]["member_id"] == pushed["id"]


def test_somebody_new_becomes_a_member_with_minimal_access_where_a_switch_says_so(idp, new_door, new_admin, unique):
    door = new_door(idp, creates_members=True, domain="corp.example")
    for claims in (
        {"email": f"{unique}@corp.example", "email_verified": False},
        {"email": f"{unique}@elsewhere.example", "email_verified": True},
        {},
    ):
        door.provider.know(unique, name="Ada New", **claims)
        refused(door.come(unique), "does not speak for your address")
    door.provider.know(unique, email=f"{unique}@corp.example", name="Ada New")
    text = session_text(door.come(unique))
    assert verdict_of(text, idp.workspace.id).active
    (made,) = new_admin(idp.workspace.slug).get("/users")["users"]
    assert (made["email"], made["name"], made["origin"]) == (f"{unique}@corp.example", "Ada New", "sign_in")
    assert (made["permissions"], made["owner"]) == ([], False)


def test_nobody_comes_in_by_themselves_where_scim_owns_the_directory(idp, new_door, new_admin, unique):
    door = new_door(idp, creates_members=True, domain="corp.example")
    idp.create_user(f"{unique}@corp.example")
    door.provider.know(unique, email=f"new-{unique}@corp.example", email_verified=True)
    refused(door.come(unique), "Nobody has given you access")
    path = f"/connections/{idp.connection.id}/sign-in"
    wanted = {"issuer": door.provider.issuer, "clientId": "x", "createsMembers": True}
    answer = new_admin(idp.workspace.slug).request("PUT", path, wanted)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "createsMembers")


def test_a_session_opens_the_workspaces_of_the_connection_alone(new_idp, new_door, unique):
    mine, others = new_idp(), new_idp()
    for workspace in (mine, others):
        workspace.create_user(f"{unique}@corp.example", externalId=unique)
    door = new_door(mine)
    door.provider.know(unique)
    text = session_text(door.come(unique))
    assert verdict_of(text, mine.workspace.id).active
    assert verdict_of(text, others.workspace.id).reason == "unknown"


def test_an_external_id_means_something_to_the_connection_that_gave_it_alone(new_idp, new_door, facts_of, unique):
    idp = new_idp()
    idp.create_user(f"{unique}@corp.example", externalId=unique)
    made = facts_of("connection", "create", "--workspace", idp.workspace.slug, "--name", "second")
    with reading() as database:
        second = providers.connections.by_name(database, workspace_id=idp.workspace.id, name="second")
    door = new_door(type(idp)(idp.base_url, made["token"], idp.workspace, second))
    door.provider.know(unique)
    refused(door.come(unique), "Nobody has given you access")


def test_the_provider_knows_us_by_our_key_where_there_is_no_secret(idp, new_door, unique):
    door = new_door(idp, by_key=True)
    idp.create_user(f"{unique}@corp.example", externalId=unique)
    door.provider.know(unique)
    session_text(door.come(unique))
    shown = requests.get(f"{door.address}/keys", timeout=10).json()["keys"]
    assert [sorted(key) for key in shown] == [["alg", "crv", "kid", "kty", "use", "x", "y"]]


def test_when_the_connection_signs_nobody_in_any_more_the_sessions_end_at_the_commit(idp, door, unique):
    idp.create_user(f"{unique}@corp.example", externalId=unique)
    door.provider.know(unique)
    text = session_text(door.come(unique))
    with transaction() as database:
        providers.remove(database, workspace_id=idp.workspace.id, connection_id=idp.connection.id, by=TEST)
    found = verdict_of(text)
    assert (found.active, found.reason, found.workspace) == (False, "connection_closed", idp.workspace.slug)
    assert requests.get(door.address, timeout=10).status_code == 404


@pytest.mark.parametrize("other", [{"issuer": "http://127.0.0.1:9/"}, {"client_id": "another"}], ids=str)
def test_what_another_issuer_or_client_says_is_about_nobody_who_is_known(idp, door, unique, other):
    idp.create_user(f"{unique}@corp.example", externalId=unique)
    door.provider.know(unique)
    text = session_text(door.come(unique))
    where = {"workspace_id": idp.workspace.id, "connection_id": idp.connection.id}

    def set_again(**other):
        with transaction() as database:
            found = providers.of(database, **where)
            terms = {name: getattr(found, name) for name in Terms.__dataclass_fields__} | other
            providers.set_(database, terms=Terms(**terms), by=TEST, **where)
            known = select(Identity.subject).where(Identity.connection_id == idp.connection.id)
            return database.execute(known).scalars().all()

    assert set_again() == [unique]
    assert verdict_of(text).active
    assert set_again(**other) == []
    assert not verdict_of(text).active


def test_signing_out_here_leads_to_signing_out_there(idp, door, unique):
    idp.create_user(f"{unique}@corp.example", externalId=unique)
    door.provider.know(unique)
    text = session_text(door.come(unique))
    cookie = {"Cookie": f"__Host-session={text}"}
    out = requests.post(f"{door.base_url}/sign-in/out", headers=cookie, timeout=10, allow_redirects=False)
    assert f"{door.provider.issuer}/session/end?id_token_hint=" in out.text
    assert verdict_of(text).reason == "signed_out"


def test_signing_out_there_ends_the_session_here(idp, door, unique):
    idp.create_user(f"{unique}@corp.example", externalId=unique)
    door.provider.know(unique)
    text = session_text(door.come(unique))
    page = door.browser.get(f"{door.provider.issuer}/session/end", timeout=10)
    secret = page.text.partition('name="xsrf" value="')[2].partition('"')[0]
    confirm = f"{door.provider.issuer}/session/end/confirm"
    assert door.browser.post(confirm, data={"xsrf": secret, "logout": "yes"}, timeout=20).status_code == 200
    assert verdict_of(text).reason == "signed_out"
    assert facts_named("sign_out.by_provider", idp.workspace.id)[-1]["sessions"] == 1


def test_an_address_finds_its_provider_and_several_are_asked_about(new_idp, new_door, unique):
    first, second = new_idp(), new_idp()
    domain = f"{unique}.example"
    doors = [new_door(first, domain=domain), new_door(second, domain=domain)]

    def page(email: str) -> requests.Response:
        return requests.post(f"{doors[0].base_url}/sign-in", data={"email": email}, timeout=10)

    both = page(f"ada@{domain.upper()}")
    assert all(f"/sign-in/with/{door.idp.connection.id}" in both.text for door in doors)
    assert "http-equiv" not in both.text
    with transaction() as database:
        where = {"workspace_id": second.workspace.id, "connection_id": second.connection.id}
        providers.remove(database, by=TEST, **where)
    one = page(f"nobody@{domain}")
    assert f'content="0; url=/sign-in/with/{first.connection.id}"' in one.text
    for email in (f"ada@not-{domain}", f"ada@{domain}.evil.example", "ada", f"@{domain}@evil.example"):
        assert page(email).status_code == 404


def test_whoever_is_invited_by_a_proven_address_is_let_in_with_what_was_held_for_them(idp, door, new_admin, unique):
    admin, email = new_admin(idp.workspace.slug), f"{unique}@corp.example"
    whole = {"type": "WORKSPACE", "id": str(idp.workspace.id)}
    held = [{"roleId": "function-read-only", "resources": [whole]}]
    assert admin.request("POST", "/invites", {"invites": [{"email": email, "permissions": held}]}).status_code == 201
    door.provider.know(unique, email=email, email_verified=False)
    refused(door.come(unique), "Nobody has given you access")
    door.provider.know(unique, email=email, email_verified=True)
    session_text(door.come(unique))
    (member,) = admin.get("/users")["users"]
    assert [given["roleId"] for given in member["permissions"]] == ["function-read-only"]
    assert member["origin"] == "invitation"
    assert admin.get("/invites")["invites"] == []


def test_applications_are_told_how_the_person_proved_who_they_are(idp, new_door, new_admin, service, unique):
    door = new_door(idp, max_age=3600)
    idp.create_user(f"{unique}@corp.example", externalId=unique)
    door.provider.know(unique)
    text = session_text(door.come(unique))
    bearer = {"Authorization": f"Bearer {new_admin(idp.workspace.slug).token}"}
    told = requests.post(
        f"{service.base_url}/oauth/introspect", data={"token": text}, headers=bearer, timeout=10
    ).json()
    assert (told["active"], told["kind"], told["workspace"]) == (True, "session", str(idp.workspace.id))
    assert abs(told["auth_time"] - told["iat"]) < 60


@pytest.mark.parametrize("door_to", ["signing in for the first time", "an invitation accepted by signing in"])
def test_becoming_a_member_of_a_hipaa_workspace_by_signing_in_ends_older_sessions(
    new_idp, new_door, new_admin, unique, door_to
):
    clinic, plain, email = new_idp(hipaa=True), new_idp(), f"{unique}@corp.example"
    plain.create_user(email)
    older = begin(email)
    door = new_door(clinic, creates_members=door_to.startswith("signing"), domain="corp.example")
    if not door_to.startswith("signing"):
        sent = {"invites": [{"email": email}]}
        assert new_admin(clinic.workspace.slug).request("POST", "/invites", sent).status_code == 201
    door.provider.know(unique, email=email, email_verified=True)
    found = verdict_of(session_text(door.come(unique)))
    assert (found.active, found.policy) == (True, "hipaa")
    assert judge(older).reason == "revoked_hipaa_change"


def test_nobody_signs_in_to_a_deleted_workspace(idp, door, facts_of, unique):
    idp.create_user(f"{unique}@corp.example", externalId=unique)
    door.provider.know(unique)
    text = session_text(door.come(unique))
    facts_of("workspace", "delete", idp.workspace.slug, "--yes")
    assert requests.get(door.address, timeout=10).status_code == 404
    assert not verdict_of(text).active


def test_another_connections_domain_is_nobody_elses_to_speak_for(idp, door, facts_of, unique):
    where = ("--workspace", idp.workspace.slug)
    facts_of("connection", "create", *where, "--name", "second")
    with transaction() as database:
        second = providers.connections.by_name(database, workspace_id=idp.workspace.id, name="second")
        terms = Terms(door.provider.issuer, "x", "client_secret_basic", context().credentials.seal(b"secret"))
        of_second = {"workspace_id": idp.workspace.id, "connection_id": second.id, "by": TEST}
        providers.set_(database, terms=terms, **of_second)
        domains.set_(database, domains=[f"{unique}.example"], **of_second)
    idp.create_user(f"ada@{unique}.example")
    door.provider.know(unique, email=f"ada@{unique}.example", email_verified=True)
    refused(door.come(unique), "Nobody has given you access")


def test_the_provider_never_comes_by_somebody_who_is_protected(idp, door, new_admin, unique):
    user = idp.create_user(f"{unique}@corp.example")
    admin = new_admin(idp.workspace.slug)
    assert admin.request("PATCH", f"/users/{user['id']}", {"protected": True}).status_code == 200
    door.provider.know(unique, email=f"{unique}@corp.example", email_verified=True)
    refused(door.come(unique), "out of the identity provider")
    assert facts_named("sign_in.refused", idp.workspace.id)[-1]["reason"] == "protected_member"
    assert facts_named("identity.linked", idp.workspace.id) == []


def test_a_paused_connection_signs_nobody_in(idp, door, facts_of, unique):
    idp.create_user(f"{unique}@corp.example", externalId=unique)
    door.provider.know(unique)
    where = (idp.connection.name, "--workspace", idp.workspace.slug)
    facts_of("connection", "pause", *where)
    answer = requests.get(door.address, timeout=10, allow_redirects=False)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "300")
    facts_of("connection", "resume", *where)
    session_text(door.come(unique))


@pytest.mark.parametrize("told", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}], ids=str)
def test_another_sites_link_signs_nobody_in_by_itself(door, told):
    answer = requests.get(door.address, headers=told, timeout=10, allow_redirects=False)
    assert answer.status_code == 200
    assert f'href="/sign-in/with/{door.idp.connection.id}"' in answer.text
    assert "http-equiv" not in answer.text
    own = requests.get(door.address, headers={"Sec-Fetch-Site": "same-origin"}, timeout=10, allow_redirects=False)
    assert own.status_code == 302


def test_nobody_learns_from_an_address_whether_somebody_is_there(idp, new_door, unique):
    door = new_door(idp, domain=f"{unique}.example")
    idp.create_user(f"known@{unique}.example")
    sent = [
        {"email": f"{who}@{where}"}
        for where in (f"{unique}.example", "elsewhere.example")
        for who in ("known", "nobod")
    ]
    told = [requests.post(f"{door.base_url}/sign-in", data=data, timeout=10) for data in sent]
    assert [answer.status_code for answer in told] == [200, 200, 404, 404]
    assert told[0].text == told[1].text
    assert told[2].text == told[3].text
