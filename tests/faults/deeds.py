"""What is done to the service while it is killed: one request each, on something that nobody else has to do with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import requests
from sqlalchemy import select

from provisioning.access import founding
from provisioning.access.models import MappingRow, Policy
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import transaction
from provisioning.directory.models import Member, Membership, Workspace
from provisioning.directory.roster import MemberView
from provisioning.sessions import links
from provisioning.sessions.models import Session
from provisioning.tokens.models import ApiToken
from tests.conftest import GROUP_URN, PATCH_URN, TEST, USER_URN
from tests.faults.company import Company, sign_in
from tests.faults.looking import count, judged, value
from tests.web.tokens import OWNER

_JSON = {"Content-Type": "application/json"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_numbers = itertools.count()
_hundreds: dict[str, list[MemberView]] = {}


@dataclass(frozen=True)
class Deed:
    """One request, what the tables say of it, and how it may be answered, also when it is sent again.

    What PostgreSQL is told in the message that commits it stands in `commits`: all of it, where one statement does all.
    """

    method: str
    path: str
    state: Callable[[], Any]
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    answers: frozenset[int] = frozenset({200})
    commits: bytes = b"COMMIT\0"


@dataclass(frozen=True)
class Victim:
    """The process that is killed, and the company that it serves."""

    url: str
    company: Company

    def send(self, deed: Deed, *, kill_at: int = 0) -> requests.Response | None:
        """Send a request; None where nobody answered it."""
        headers = {**deed.headers, "Kill-At": str(kill_at)}
        body = deed.body if isinstance(deed.body, str | None) else orjson.dumps(deed.body)
        try:
            return requests.request(
                deed.method, f"{self.url}{deed.path}", data=body, headers=headers, timeout=20, allow_redirects=False
            )
        except requests.ConnectionError:
            return None

    def made(self, deed: Deed) -> Any:
        """Send a request that must be answered well; what is answered."""
        answer = self.send(deed)
        assert answer is not None
        assert answer.ok, answer.text
        return answer.json()


def unique() -> str:
    """A name that nothing has yet."""
    return f"n{next(_numbers)}"


def clinic(people: int) -> tuple[str, list[str]]:
    """A workspace that is not HIPAA-eligible yet: its slug, and a session of each of its members."""
    slug = f"clinic-{unique()}"
    with transaction() as connection:
        made = founding.found_workspace(connection, slug=slug, name=slug, hipaa_eligible=False, by=TEST)
    there = Company(made.id, slug, {}, {})
    return slug, [sign_in(there.hire()) for _ in range(people)]


def _hundred(company: Company) -> list[MemberView]:
    """The same hundred members each time."""
    if company.slug not in _hundreds:
        _hundreds[company.slug] = [company.hire() for _ in range(100)]
    return _hundreds[company.slug]


def suspend(victim: Victim) -> Deed:
    """An identity provider suspends a member who is signed in."""
    member = victim.company.hire()
    session = sign_in(member)
    body = {"schemas": [PATCH_URN], "Operations": [{"op": "replace", "path": "active", "value": False}]}

    def state() -> Any:
        return value(select(Member.active).where(Member.id == member.id)), judged(session).active

    return Deed("PATCH", f"/scim/v2/Users/{member.id}", state, body, victim.company.scim)


def make_eligible(_victim: Victim) -> Deed:
    """The operator makes a workspace HIPAA-eligible."""
    slug, sessions = clinic(1)

    def state() -> Any:
        return value(select(Workspace.hipaa_eligible).where(Workspace.slug == slug)), judged(sessions[0]).active

    return Deed("POST", "/-/command", state, ["workspace", "set-hipaa", slug, "on"])


def add_a_hundred(victim: Victim) -> Deed:
    """An identity provider puts a hundred people into a group."""
    people = [{"value": str(member.id)} for member in _hundred(victim.company)]
    new = {"schemas": [GROUP_URN], "displayName": unique()}
    group = victim.made(Deed("POST", "/scim/v2/Groups", dict, new, victim.company.scim))["id"]
    body = {"schemas": [PATCH_URN], "Operations": [{"op": "add", "path": "members", "value": people}]}
    path = f"/scim/v2/Groups/{group}"
    return Deed(
        "PATCH",
        path,
        lambda: count(Membership, Membership.group_id == group),
        body,
        victim.company.scim,
        commits=b"group.members_changed",
    )


def revoke_a_token(victim: Victim) -> Deed:
    """An admin revokes an API token."""
    headers = {**victim.company.api, **_JSON}
    new = victim.made(Deed("POST", "/api/tokens", dict, {"name": "t", "permissions": OWNER}, headers))
    token = new["data"]["token"]["id"]
    ended = select(ApiToken.ended_reason).where(ApiToken.id == token)
    answers = frozenset({200, 404})
    return Deed("DELETE", f"/api/tokens/{token}", lambda: value(ended), None, victim.company.api, answers)


def save_a_mapping(victim: Victim) -> Deed:
    """An admin writes a mapping, under a key that has it written once."""
    name = unique()
    body = {"name": name, "condition": f'displayName eq "{name}"', "role": "source-admin"}

    mine, given = MappingRow.name == name, Policy.mapping_id == MappingRow.id
    headers = {**victim.company.api, **_JSON, "Idempotency-Key": name}

    def state() -> Any:
        return count(MappingRow, mine), count(Policy, given, mine)

    return Deed("POST", "/api/mappings", state, body, headers, frozenset({201}))


def sign_in_by_link(victim: Victim) -> Deed:
    """Somebody signs in; of the answer that got lost nobody knows the cookie, and the link is used up."""
    member = victim.company.hire()
    secret = context().keyring.mint(Kind.SIGN_IN_LINK)
    with transaction() as connection:
        links.issue(connection, user_id=member.user_id, digest=secret.digest, by=TEST)
    begun, answers = Session.user_id == member.user_id, frozenset({303, 401})
    return Deed("POST", "/sign-in/link", lambda: count(Session, begun), f"secret={secret.text}", _FORM, answers)


def push_a_person(victim: Victim) -> Deed:
    """An identity provider pushes somebody new."""
    name = f"{unique()}@corp.example"
    body = {"schemas": [USER_URN], "userName": name, "active": True}
    there, answers = Member.user_name == name, frozenset({201, 409})
    headers = victim.company.scim
    return Deed("POST", "/scim/v2/Users", lambda: count(Member, there), body, headers, answers, b"member.added")


DEEDS = (
    suspend,
    make_eligible,
    add_a_hundred,
    revoke_a_token,
    save_a_mapping,
    sign_in_by_link,
    push_a_person,
)
