"""Invitations from the letter to the membership, at the doors of admins and of those who are invited."""

from __future__ import annotations

import dataclasses
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlalchemy.sql import func

from provisioning.access import admission, custom_roles
from provisioning.access.policies import Giver, Terms
from provisioning.access.rules import Facts, Grant, Path, Scope
from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.directory import invitations, users
from provisioning.directory.models import Invitation, Workspace
from provisioning.outbox import Actor
from provisioning.refusals import NotAllowed
from provisioning.web.sign_in import inviter
from tests.conftest import USER_URN, Admin
from tests.letters import accept, let_pause, letters_to, look, secret_to
from tests.waiting import eventually
from tests.web.tokens import made_by

WHOLE = [{"type": "WORKSPACE"}]
SOURCE_ADMIN = {"roleId": "source-admin", "resources": WHOLE}
READER = {"roleId": "source-read-only", "resources": WHOLE}
OWNER = {"roleId": "workspace-owner", "resources": WHOLE}


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


@pytest.fixture
def email(idp):
    """An address that no other test writes to."""
    return f"ann@{idp.workspace.slug}.example"


def invite(admin, email, *permissions, groups=(), status=201):
    one = {"email": email, "permissions": list(permissions), "groups": list(groups)}
    answer = admin.request("POST", "/invites", {"invites": [one]})
    assert answer.status_code == status, answer.text
    return answer


def shown(admin, email):
    return next((one for one in admin.get("/invitations")["invitations"] if one["email"] == email), None)


def member(admin, email):
    return next((one for one in admin.get("/users")["users"] if one["email"] == email), None)


def roles(admin, email):
    return {line["role"] for line in admin.get(f"/users/{member(admin, email)['id']}/access")["access"]}


def local_group(admin, name="Analysts"):
    made = admin.request("POST", "/groups", {"name": name})
    assert made.status_code == 200, made.text
    return made.json()["data"]["userGroup"]["id"]


def events(admin, kind):
    return [event for event in admin.get("/audit-events")["events"] if event["type"] == kind]


def cookie_of(response):
    return {"Cookie": response.headers["Set-Cookie"].partition(";")[0]}


def let_expire(email, ago="0 seconds"):
    with transaction() as connection:
        late = func.clock_timestamp() - timedelta(days=float(ago.split()[0]) if "day" in ago else 0)
        connection.execute(update(Invitation).where(Invitation.email == email).values(expires_at=late))


def test_an_invitation_is_held_until_it_is_accepted_and_then_it_is_a_membership(service, admin, idp, email, http):
    group = local_group(admin)
    invite(admin, email, SOURCE_ADMIN, groups=[group])
    assert admin.get("/invites")["invites"] == [email]
    assert admin.get("/users")["users"] == []
    secret = secret_to(service, email)
    one = eventually(lambda: (found := shown(admin, email)) and found["sentAt"] and found)
    assert (one["state"], one["delivery"], one["owner"]) == ("pending", "sent", False)
    assert one["inviter"].startswith("token:")
    assert [permission["roleId"] for permission in one["permissions"]] == ["source-admin"]
    assert one["groups"] == [{"id": group, "name": "Analysts"}]
    assert secret not in str(one)

    page = look(service, secret)
    assert page.status_code == 200
    assert all(text in page.text for text in (email, idp.workspace.name, "Analysts", "An owner of the workspace"))
    assert admin.get("/users")["users"] == []

    entered = accept(service, secret)
    assert (entered.status_code, entered.headers["Location"]) == (303, "/console/")
    cookie = entered.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=pvs_")
    assert all(flag in cookie for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    home = http.get(f"{service.base_url}/console/", headers=cookie_of(entered), timeout=10)
    assert (home.status_code, idp.workspace.slug in home.text) == (200, True)

    joined = member(admin, email)
    assert (joined["origin"], joined["active"], joined["owner"]) == ("invitation", True, False)
    assert roles(admin, email) == {"source-admin", "minimal-workspace-access"}
    assert [user["email"] for user in admin.get(f"/groups/{group}/users")["users"]] == [email]
    assert admin.get("/invitations")["invitations"] == []
    assert admin.get("/invites")["invites"] == []
    (accepted,) = events(admin, "invitation.accepted")
    assert (accepted["resourceName"], accepted["details"]["member_id"]) == (email, joined["id"])
    (handed,) = events(admin, "policy.handed_over")
    assert handed["details"]["given_to"] == f"member:{joined['id']}"
    assert secret not in str(admin.get("/audit-events"))


def test_a_letter_is_used_once(service, admin, email):
    invite(admin, email)
    secret = secret_to(service, email)
    assert accept(service, secret).status_code == 303
    for again in (accept(service, secret), look(service, secret)):
        assert again.status_code == 401
        assert "used already" in again.text
        assert "Set-Cookie" not in again.headers


def test_of_many_who_accept_at_once_one_gets_in(service, admin, email):
    invite(admin, email, SOURCE_ADMIN)
    secret = secret_to(service, email)
    told, barrier = [], threading.Barrier(8)

    def enter():
        barrier.wait()
        told.append(accept(service, secret).status_code)

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [303, *[401] * 7]
    assert [user["email"] for user in admin.get("/users")["users"]] == [email]


def test_nobodys_mail_box_is_filled_by_asking_again_and_again(service, admin, idp, email, command):
    invite(admin, email)
    again = f"/invitations/{shown(admin, email)['id']}/resend"
    for _ in range(3):
        refused = admin.request("POST", again)
        assert (refused.status_code, refused.json()["errors"][0]["type"]) == (429, "too_many_requests")
        assert 0 < int(refused.headers["Retry-After"]) <= 60
    by_operator = command("invitation", "resend", email, "--workspace", idp.workspace.slug)
    assert (by_operator.returncode, by_operator.stdout) == (1, "")
    secret_to(service, email)
    let_pause(email)
    assert [admin.request("POST", again).status_code for _ in range(3)] == [200, 429, 429]
    secret_to(service, email, letter=2)
    assert len(events(admin, "invitation.resent")) == 1
    assert len(letters_to(service, email)) == 2


def test_another_letter_makes_the_former_void_at_once(service, admin, email):
    invite(admin, email)
    first = secret_to(service, email)
    let_expire(email)
    again = admin.request("POST", f"/invitations/{shown(admin, email)['id']}/resend")
    assert again.status_code == 200
    assert again.json()["data"]["invitation"]["state"] == "pending"
    assert accept(service, first).status_code == 401
    second = secret_to(service, email, letter=2)
    assert accept(service, first).status_code == 401
    assert accept(service, second).status_code == 303
    assert len(events(admin, "invitation.resent")) == 1


@pytest.mark.parametrize("door", ["invites", "invitations"])
def test_what_is_taken_back_opens_nothing_and_leaves_nothing(service, admin, email, door):
    group = local_group(admin)
    invite(admin, email, SOURCE_ADMIN, groups=[group])
    secret = secret_to(service, email)
    identifier = shown(admin, email)["id"]
    asked = {"invites": f"/invites?emails[0]={email.upper()}", "invitations": f"/invitations/{identifier}"}
    gone = admin.request("DELETE", asked[door])
    assert (gone.status_code, gone.json()["data"]) == (200, {"status": "SUCCESS"})
    assert look(service, secret).status_code == accept(service, secret).status_code == 401
    assert admin.get("/users")["users"] == admin.get("/invitations")["invitations"] == []
    assert admin.get(f"/groups/{group}/invites")["emails"] == []
    assert admin.request("DELETE", asked[door]).status_code == 404
    assert [event["resourceName"] for event in events(admin, "invitation.revoked")] == [email]


def test_an_invitation_that_has_expired_opens_nothing_and_is_replaced_by_another(service, admin, email):
    invite(admin, email, SOURCE_ADMIN)
    secret = secret_to(service, email)
    let_expire(email)
    assert look(service, secret).status_code == accept(service, secret).status_code == 401
    assert shown(admin, email)["state"] == "expired"
    assert admin.get("/invites")["invites"] == []
    invite(admin, email, READER)
    (one,) = admin.get("/invitations")["invitations"]
    assert (one["state"], [held["roleId"] for held in one["permissions"]]) == ("pending", ["source-read-only"])
    assert [event["resourceName"] for event in events(admin, "invitation.expired")] == [email]


def test_invitations_that_expired_long_ago_are_swept_and_younger_ones_are_shown(admin, email):
    other = f"bob{email[3:]}"
    for one in (email, other):
        invite(admin, one, SOURCE_ADMIN)
    let_expire(email, ago="31 days")
    let_expire(other, ago="29 days")
    eventually(lambda: shown(admin, email) is None)
    assert shown(admin, other)["state"] == "expired"
    (swept,) = events(admin, "invitation.expired")
    assert (swept["actor"], swept["resourceName"]) == ("system", email)


@pytest.mark.parametrize("kind", ["nothing", "nonsense", "a session", "a sign-in link", "one that nobody made"])
def test_what_is_no_invitation_is_refused_on_a_page(service, admin, email, facts_of, kind):
    admin.request("GET", "/users")
    secret = {"nothing": "", "nonsense": "pvi_nonsense", "one that nobody made": "pvi_" + "0" * 49}.get(kind)
    if secret is None:
        facts_of("member", "add", email, "--workspace", admin.get("")["workspace"]["slug"])
        session = ("session", "create", "--email", email)
        secret = facts_of(*session)["token"] if kind == "a session" else facts_of("sign-in-link", email)["url"]
        secret = secret.rpartition("#")[2]
    for refused in (look(service, secret), accept(service, secret)):
        assert (refused.status_code, refused.headers["Content-Type"]) == (401, "text/html; charset=utf-8")
        assert "Set-Cookie" not in refused.headers


def test_an_invitation_is_no_sign_in_link_and_no_credential(service, admin, email, http):
    invite(admin, email, OWNER)
    secret = secret_to(service, email)
    form = http.post(f"{service.base_url}/sign-in/link", data={"secret": secret}, timeout=10, allow_redirects=False)
    assert form.status_code == 401
    for path in ("/api/users", "/scim/v2/Users"):
        headers = {"Authorization": f"Bearer {secret}"}
        assert http.get(f"{service.base_url}{path}", headers=headers, timeout=10).status_code == 401
    assert accept(service, secret).status_code == 303


def test_a_form_from_another_site_is_refused_and_uses_nothing_up(service, admin, email):
    invite(admin, email)
    secret = secret_to(service, email)
    for send in (look, accept):
        assert send(service, secret, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert accept(service, secret).status_code == 303


def test_names_are_text_on_the_page(service, admin, idp, email):
    hostile = "<img src=x onerror=alert(1)>"
    with transaction() as connection:
        connection.execute(update(Workspace).where(Workspace.id == idp.workspace.id).values(name=hostile))
    invite(admin, email, groups=[local_group(admin, hostile)])
    page = look(service, secret_to(service, email)).text
    assert "<img" not in page
    assert page.count("&lt;img") == 4


def test_an_owner_may_be_invited_and_is_one_once_they_accept(service, admin, email):
    invite(admin, email, OWNER, READER)
    one = shown(admin, email)
    assert (one["owner"], [held["roleId"] for held in one["permissions"]]) == (
        True,
        ["workspace-owner", "source-read-only"],
    )
    assert "as an owner" in look(service, secret := secret_to(service, email)).text
    assert accept(service, secret).status_code == 303
    assert member(admin, email)["owner"] is True


@pytest.mark.parametrize("lost", ["policy", "label", "resource", "ended", "group"])
def test_what_is_held_is_judged_again_when_it_is_handed_over(service, admin, email, lost):
    """What was taken away in the meantime isn't there any more, and the rest is."""
    source = {"resources": [{"type": "source", "id": "shop", "name": "Shop", "labels": ["environment:dev"]}]}
    assert admin.request("PUT", "/resources", source).status_code == 200
    held = {
        "label": {
            "roleId": "source-admin",
            "resources": [{"type": "WORKSPACE"}],
            "labels": [{"key": "a", "value": "b"}],
        },
        "resource": {"roleId": "source-admin", "resources": [{"type": "SOURCE", "id": "shop"}]},
        "ended": {**SOURCE_ADMIN, "endsAt": "2100-01-01T00:00:00Z"},
    }.get(lost, SOURCE_ADMIN)
    label = {"label": {"key": "a", "value": "b"}}
    assert admin.request("POST", "/labels", label).status_code == 201
    group = local_group(admin)
    invite(admin, email, held, READER, groups=[group])
    secret = secret_to(service, email)
    policy = shown(admin, email)["permissions"][0]["policyId"]
    if lost == "policy":
        assert admin.request("DELETE", f"/policies/{policy}").status_code == 200
    elif lost == "label":
        in_use = admin.request("DELETE", "/labels/a/b")
        assert (in_use.status_code, f"policy:{policy}" in in_use.text) == (409, True)
        assert admin.request("PATCH", "/labels/a/b", {"key": "c", "value": "d"}).status_code == 200
    elif lost == "resource":
        assert admin.request("DELETE", "/resources", {"resources": ["source:shop"]}).status_code == 200
    elif lost == "ended":
        with transaction() as connection:
            connection.exec_driver_sql("UPDATE policy SET ends_at = now() - interval '1 hour' WHERE id = %s", (policy,))
    else:
        assert admin.request("DELETE", f"/groups/{group}").status_code == 200
    assert accept(service, secret).status_code == 303
    kept = {"source-admin"} if lost in {"label", "group"} else set()
    assert roles(admin, email) == {"source-read-only", "minimal-workspace-access"} | kept
    groups = admin.get(f"/users/{member(admin, email)['id']}/groups")["groups"]
    assert len(groups) == (0 if lost == "group" else 1)
    if lost == "label":
        (line,) = [one for one in member(admin, email)["permissions"] if one["roleId"] == "source-admin"]
        assert line["labels"] == [{"key": "c", "value": "d"}]


def test_a_role_of_the_workspaces_own_stays_while_an_invitation_holds_it(service, admin, email):
    own = {"id": "reader", "name": "Reader", "actions": ["source.read"]}
    assert admin.request("POST", "/roles", own).status_code == 201
    invite(admin, email, {"roleId": "reader", "resources": WHOLE})
    assert admin.request("DELETE", "/roles/reader").status_code == 409
    assert accept(service, secret_to(service, email)).status_code == 303
    assert "reader" in roles(admin, email)


def test_who_is_pushed_while_invited_keeps_what_they_have_and_gets_what_is_held(service, admin, idp, email):
    group = local_group(admin)
    invite(admin, email, SOURCE_ADMIN, READER, groups=[group])
    secret = secret_to(service, email)
    pushed = idp.create_user(email, displayName="Ann", externalId="1")
    permissions = {"permissions": [READER]}
    assert admin.request("POST", f"/users/{pushed['id']}/permissions", permissions).status_code == 200
    assert admin.get("/invites")["invites"] == [email]
    assert roles(admin, email) == {"minimal-workspace-access", "source-read-only"}
    assert accept(service, secret).status_code == 303
    joined = member(admin, email)
    assert (joined["id"], joined["name"], joined["origin"]) == (pushed["id"], "Ann", "scim")
    assert sorted(held["roleId"] for held in joined["permissions"]) == ["source-admin", "source-read-only"]
    assert [one["id"] for one in admin.get(f"/users/{joined['id']}/groups")["groups"]] == [group]
    assert admin.get("/invitations")["invitations"] == []


def test_who_is_pushed_at_the_very_moment_of_accepting_is_one_member_with_what_is_held(service, admin, idp, email):
    for number in range(5):
        address = f"{number}{email}"
        invite(admin, address, SOURCE_ADMIN)
        secret = secret_to(service, address)
        told, barrier = {}, threading.Barrier(2)

        def enter(secret=secret, told=told, barrier=barrier):
            barrier.wait()
            told["accepted"] = accept(service, secret).status_code

        def push(address=address, told=told, barrier=barrier):
            barrier.wait()
            told["pushed"] = idp.request("POST", "/Users", {"schemas": [USER_URN], "userName": address}).status_code

        both = [threading.Thread(target=enter), threading.Thread(target=push)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert told["accepted"] == 303
        assert told["pushed"] in {201, 409}
        assert roles(admin, address) == {"source-admin", "minimal-workspace-access"}
    assert len(admin.get("/users")["users"]) == 5


def test_an_invitation_never_restores_whom_somebody_has_suspended(service, admin, idp, email):
    invite(admin, email, SOURCE_ADMIN)
    secret = secret_to(service, email)
    pushed = idp.create_user(email)
    path = f"/Users/{pushed['id']}"
    assert idp.patch(path, {"op": "replace", "value": {"active": False}}).ok
    refused = accept(service, secret)
    assert refused.status_code == 403
    assert "suspended" in refused.text
    assert "Set-Cookie" not in refused.headers
    assert member(admin, email)["active"] is False
    assert idp.patch(path, {"op": "replace", "value": {"active": True}}).ok
    assert accept(service, secret).status_code == 303
    assert "source-admin" in roles(admin, email)


@pytest.mark.parametrize("how", ["removed by the identity provider", "removed by an admin", "given another address"])
def test_who_is_dismissed_does_not_come_back_by_a_letter_that_lies_about(service, admin, idp, email, how):
    invite(admin, email, OWNER)
    secret = secret_to(service, email)
    pushed = idp.create_user(email)
    if how == "removed by the identity provider":
        assert idp.request("DELETE", f"/Users/{pushed['id']}").status_code == 204
    elif how == "removed by an admin":
        assert admin.request("DELETE", f"/users?userIds={pushed['id']}").status_code == 200
    else:
        renamed = {"op": "replace", "path": "userName", "value": f"other{email}"}
        assert idp.patch(f"/Users/{pushed['id']}", renamed).ok
    assert accept(service, secret).status_code == 401
    assert member(admin, email) is None
    assert [event["resourceName"] for event in events(admin, "invitation.revoked")] == [email]


def test_a_session_by_invitation_opens_that_workspace_alone(service, new_idp, admin, idp, email, http):
    other = new_idp()
    other.create_user(email)
    invite(admin, email)
    entered = accept(service, secret_to(service, email))
    home = http.get(f"{service.base_url}/console/", headers=cookie_of(entered), timeout=10)
    assert (idp.workspace.slug in home.text, other.workspace.slug in home.text) == (True, False)


def test_accepting_into_a_hipaa_workspace_ends_older_sessions_and_begins_a_short_one(
    service, new_idp, new_admin, email, http, facts_of
):
    new_idp().create_user(email)
    before = facts_of("session", "create", "--email", email)["token"]
    hipaa = new_idp(hipaa=True)
    admin = new_admin(hipaa.workspace.slug)
    invite(admin, email)
    secret = secret_to(service, email)
    assert "HIPAA" in look(service, secret).text
    assert facts_of("session", "check", before)["active"] is True
    entered = accept(service, secret)
    told = facts_of("session", "check", before)
    assert (told["active"], told["reason"]) == (False, "revoked_hipaa_change")
    new = facts_of("session", "check", cookie_of(entered)["Cookie"].partition("=")[2])
    assert (new["active"], new["policy"]) == (True, "hipaa")


def test_the_answer_to_an_invitation_tells_nothing_of_other_workspaces(service, new_idp, admin, email):
    known, unknown = email, f"nobody{email[3:]}"
    new_idp().create_user(known)
    answers = [invite(admin, one) for one in (known, unknown)]
    assert [one.text.replace(known, "X").replace(unknown, "X") for one in answers] == ['{"data":{"emails":["X"]}}'] * 2
    letters = [letters_to(service, one)[0].body for one in (known, unknown) if secret_to(service, one)]
    assert len({len(text.replace(known, "X").replace(unknown, "X")) for text in letters}) == 1
    refused = [invite(admin, one, status=409).text for one in (known, unknown)]
    assert refused[0].replace(known, "X") == refused[1].replace(unknown, "X")


@pytest.mark.parametrize("state", ["active", "suspended", "invited"])
def test_whom_the_workspace_has_is_not_invited_again(admin, idp, email, state):
    if state == "invited":
        invite(admin, email, READER)
    else:
        idp.create_user(email, active=state == "active")
    before = [(one["id"], one["permissions"]) for one in admin.get("/invitations")["invitations"]]
    refused = invite(admin, email.upper(), SOURCE_ADMIN, status=409)
    assert refused.json()["errors"][0]["field"] == "email"
    assert [(one["id"], one["permissions"]) for one in admin.get("/invitations")["invitations"]] == before


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        " ",
        "ann",
        "ann@",
        "@corp.example",
        "a b@corp.example",
        "ann@corp.example, bob@corp.example",
        "Ann <ann@corp.example>",
        "ann@corp.example\nBcc: bob@corp.example",
        "a\u0000@corp.example",
        f"{'a' * 250}@b.example",
    ],
)
def test_what_is_no_address_gets_no_letter(admin, wrong):
    refused = invite(admin, wrong, status=422)
    assert refused.json()["errors"][0]["field"] == "email"
    assert admin.get("/invitations")["invitations"] == []


def test_people_are_invited_all_of_them_or_none(admin, idp, email):
    idp.create_user(email)
    fine = {"email": f"bob{email[3:]}"}
    sent = [fine, {"email": email}]
    assert admin.request("POST", "/invites", {"invites": sent}).status_code == 409
    assert admin.request("POST", "/invites", {"invites": [fine, fine]}).status_code == 409
    for body in ({}, {"invites": []}, {"invites": [fine], "x": 1}, {"invites": [{**fine, "state": "accepted"}]}):
        assert admin.request("POST", "/invites", body).status_code == 422, body
    assert admin.get("/invitations")["invitations"] == []
    assert admin.request("POST", "/invites", {"invites": [fine]}).json() == {"data": {"emails": [fine["email"]]}}
    both = admin.request("DELETE", "/invites", params={"emails": [fine["email"], "nobody@corp.example"]})
    assert both.status_code == 404
    assert admin.get("/invites")["invites"] == [fine["email"]]


def test_nothing_is_invited_for_a_preview(admin, email):
    for method, path, body in (
        ("POST", "/invites", {"invites": [{"email": email}]}),
        ("DELETE", f"/invites?emails={email}", None),
    ):
        refused = admin.request(method, path, body, params={"dryRun": "true"})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "dryRun")
    assert admin.get("/invitations")["invitations"] == []


def test_only_owners_invite_and_nobody_else_takes_back(admin, idp, new_admin, email):
    own = {"id": "helper", "name": "Helper", "actions": ["invitation.read", "member.read"]}
    assert admin.request("POST", "/roles", own).status_code == 201
    managing = {"id": "manager", "name": "Manager", "actions": ["invitation.create"]}
    assert admin.request("POST", "/roles", managing).status_code == 422
    invite(admin, email)
    identifier = shown(admin, email)["id"]
    helper = new_admin(idp.workspace.slug, "helper")
    assert helper.get("/invites")["invites"] == [email]
    weak = new_admin(idp.workspace.slug, "workspace-member")
    for who in (helper, weak):
        for method, path, body in (
            ("POST", "/invites", {"invites": [{"email": "x@corp.example"}]}),
            ("DELETE", f"/invites?emails={email}", None),
            ("DELETE", f"/invitations/{identifier}", None),
            ("POST", f"/invitations/{identifier}/resend", None),
        ):
            refused = who.request(method, path, body)
            assert (refused.status_code, refused.json()["errors"][0]["type"]) == (403, "not_allowed"), path
    assert weak.request("GET", "/invites").status_code == weak.request("GET", "/invitations").status_code == 403
    assert admin.get("/invites")["invites"] == [email]


def test_who_is_invited_comes_into_groups_and_goes_like_a_member(service, admin, idp, email):
    group, pushed = local_group(admin), idp.create_group("Pushed")["id"]
    colleague = f"bob{email[3:]}"
    idp.create_user(colleague)
    invite(admin, email)
    users = f"/groups/{group}/users"

    def inside():
        members = {user["email"] for user in admin.get(users)["users"]}
        return members, admin.get(f"/groups/{group}/invites")["emails"]

    added = admin.request("POST", users, {"emails": [email.upper(), colleague]})
    assert (added.status_code, added.json()["data"]["userGroup"]["memberCount"]) == (200, 1)
    assert inside() == ({colleague}, [email])
    assert admin.request("POST", users, {"emails": [email]}).status_code == 200
    assert admin.request("PUT", users, {"emails": [colleague]}).status_code == 200
    assert inside() == ({colleague}, [])
    assert admin.request("PUT", users, {"emails": [email]}).status_code == 200
    assert inside() == (set(), [email])
    assert admin.request("DELETE", users, params={"emails": email}).status_code == 200
    assert inside() == (set(), [])
    assert admin.request("POST", users, {"emails": [email, "nobody@corp.example"]}).status_code == 422
    assert inside() == (set(), [])
    assert admin.request("POST", users, {"emails": [email]}, params={"dryRun": "true"}).status_code == 200
    assert inside() == (set(), [])
    assert admin.request("POST", f"/groups/{pushed}/users", {"emails": [email]}).status_code == 409
    invite(admin, f"cid{email[3:]}", groups=[pushed], status=409)
    assert admin.request("POST", users, {"emails": [email]}).status_code == 200
    assert accept(service, secret_to(service, email)).status_code == 303
    assert inside() == ({email}, [])
    changed = [event["details"] for event in events(admin, "group.invitations_changed")]
    assert [(len(one["added"]), len(one["removed"])) for one in changed] == [(1, 0), (0, 1), (1, 0), (0, 1), (1, 0)]


def test_whoever_proves_an_address_elsewhere_finds_what_it_is_invited_to(app, new_idp, idp, admin, email):
    invite(admin, email)
    with transaction() as connection:
        found = invitations.pending_for(connection, workspace_id=idp.workspace.id, email=email.upper())
        assert found is not None
        assert str(found.id) == shown(admin, email)["id"]
        elsewhere = new_idp().workspace.id
        assert invitations.pending_for(connection, workspace_id=elsewhere, email=email) is None
    let_expire(email)
    with transaction() as connection:
        assert invitations.pending_for(connection, workspace_id=idp.workspace.id, email=email) is None


def test_nothing_stored_of_an_invitation_is_its_secret(service, app, admin, email):
    invite(admin, email)
    secret = secret_to(service, email)
    with reading() as connection:
        for table in ("invitation", "event"):
            rows = connection.exec_driver_sql(f"SELECT t::text FROM {table} t").scalars()  # noqa: S608 - a constant
            assert not any(secret in row or secret[4:47] in row for row in rows), table
    assert secret not in service.output.read_text()


@pytest.mark.parametrize("role", ["workspace-owner", "source-admin"])
def test_nobody_invites_to_more_than_they_have_whichever_door_they_come_through(app, idp, admin, email, role):
    """Only owners come through the doors that there are; the rule doesn't rest on that."""
    with reading() as connection:
        of, catalogue = idp.workspace.id, context().catalogue
        roles = custom_roles.of_workspace(connection, workspace_id=of, catalogue=catalogue)
    reader = Grant(roles["source-read-only"], Scope(), Path("policy"))
    weak = Giver(Actor("person", str(uuid4())), roles, Facts((reader,)))
    with pytest.raises(NotAllowed), transaction() as connection:
        admission.invite(
            connection,
            workspace_id=idp.workspace.id,
            email=email,
            terms=[Terms(role)],
            lifetime=timedelta(days=1),
            giver=weak,
        )
    assert admin.get("/invitations")["invitations"] == []


@pytest.mark.parametrize("how", ["revoked", "suspended", "demoted"])
def test_an_invitation_ends_with_whoever_has_invited(service, admin, idp, email, how):
    owner, other = (idp.create_user(f"{name}@{idp.workspace.slug}.example")["id"] for name in ("boss", "other"))
    for who in (owner, other):
        assert admin.request("PUT", f"/users/{who}/permissions", {"permissions": [OWNER]}).status_code == 200
    made, theirs = made_by(admin, ownerId=owner)
    invite(theirs, email, OWNER)
    secret = secret_to(service, email)
    assert look(service, secret).status_code == 200
    if how == "revoked":
        assert admin.request("DELETE", f"/tokens/{made['id']}").status_code == 200
    elif how == "demoted":
        assert admin.request("PUT", f"/users/{owner}/permissions", {"permissions": []}).status_code == 200
    else:
        idp.patch(f"/Users/{owner}", {"op": "replace", "path": "active", "value": False})
    refused = [look(service, secret), accept(service, secret)]
    assert [answer.status_code for answer in refused] == [401, 401]
    assert all("was taken back" in answer.text for answer in refused)
    assert member(admin, email) is None
    # Whoever sends it again answers for it.
    let_pause(email)
    again = f"/invitations/{shown(admin, email)['id']}/resend"
    assert admin.request("POST", again).status_code == 200
    assert accept(service, secret_to(service, email, letter=2)).status_code == 303


def test_an_invitation_by_a_client_ends_with_the_client(service, admin, program, email):
    theirs = Admin(admin.base_url, program.token())
    invite(theirs, email, READER)
    secret = secret_to(service, email)
    assert look(service, secret).status_code == 200
    assert admin.request("DELETE", f"/oauth-clients/{program.id}").status_code == 200
    assert accept(service, secret).status_code == 401


def test_a_person_invites_for_as_long_as_they_are_an_active_member(app, idp, email):
    boss = f"boss@{idp.workspace.slug}.example"
    user = idp.create_user(boss)
    with transaction() as connection:
        user_id, _ = users.by_email(connection, boss)
        of, by = idp.workspace.id, Actor("person", str(user_id))
        made = {"workspace_id": of, "email": email, "lifetime": timedelta(days=1), "by": by}
        found = invitations.create(connection, owner=False, **made)
        assert inviter.stands(connection, found)
        assert not inviter.stands(connection, dataclasses.replace(found, owner=True))
        assert not inviter.stands(connection, dataclasses.replace(found, inviter=f"person:{uuid4()}"))
        assert inviter.stands(connection, dataclasses.replace(found, owner=True, inviter="operator"))
    idp.patch(f"/Users/{user['id']}", {"op": "replace", "path": "active", "value": False})
    with reading() as connection:
        assert not inviter.stands(connection, found)
