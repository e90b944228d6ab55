"""People at the console: signed in as owners or with a role of their own, as a browser without scripts speaks."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import requests

from provisioning.access import custom_roles, policies
from provisioning.access.policies import Giver, Subject, Terms
from provisioning.context import context
from provisioning.credentials import Kind, Secret
from provisioning.database import transaction
from provisioning.directory import owners, roster, users
from provisioning.sessions import lifecycle
from provisioning.web.console import forms, seen
from provisioning.web.cookie import SESSION_COOKIE
from tests.conftest import TEST, Idp

_QUESTION = re.compile(r'<form [^>]*class="foreseen">.*?</form>', re.DOTALL)
_COUNTED_AT = re.compile(r'hx-post="([^"]+)"')
_CARRIED = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
_HIDDEN = re.compile(rf'name="({forms.FIELD}|{seen.FIELD})" value="([^"]*)"')


@dataclass(frozen=True)
class Visitor:
    """Somebody who is signed in, and the workspace whose pages they look at."""

    base_url: str
    slug: str
    email: str
    session: Secret
    http: requests.Session = field(default_factory=requests.Session)

    @property
    def cookie(self) -> str:
        """What the browser sends along."""
        return f"{SESSION_COOKIE}={self.session.text}"

    def open(self, address: str, method: str = "GET", **kwargs: Any) -> requests.Response:
        """Any address of the service; no redirection is followed."""
        headers = {"Cookie": self.cookie} | kwargs.pop("headers", {})
        where = f"{self.base_url}{address}"
        return self.http.request(method, where, headers=headers, timeout=20, allow_redirects=False, **kwargs)

    def get(self, path: str = "") -> requests.Response:
        """A page of the workspace."""
        return self.open(self.address(path))

    def post(self, path: str, data: dict[str, str] | None = None, **headers: str) -> requests.Response:
        """A form as it is; whether it carries a token is the caller's business."""
        return self.open(self.address(path), "POST", data=data, headers=headers)

    def send(self, page: str, path: str, data: dict[str, str] | None = None) -> requests.Response:
        """A form that stands on a page, with the token that the page gave it."""
        return self.post(path, self.hidden(page) | (data or {}), **{"Sec-Fetch-Site": "same-origin"})

    def numbers(self, asked: requests.Response, *more: tuple[str, str], script: bool = True) -> requests.Response:
        """What a question would do, as its page has it counted: with all that its form carries.

        Args:
            asked: the page of the question.
            more: fields beside them.
            script: whether the page asks by itself; else whoever reads it presses the button.
        """
        question = _QUESTION.search(asked.text)
        assert question is not None, asked.text
        (address,) = _COUNTED_AT.findall(question[0])
        carried = [(name, html.unescape(value)) for name, value in _CARRIED.findall(question[0])]
        headers = {"Sec-Fetch-Site": "same-origin"} | ({"HX-Request": "true"} if script else {})
        return self.open(address, "POST", data=[*carried, *more], headers=headers)

    def token(self, page: str) -> str:
        """The token of a page's forms."""
        return self.hidden(page)[forms.FIELD]

    def hidden(self, page: str) -> dict[str, str]:
        """What forms of a page carry: their token, and what they were made of."""
        text = self.get(page).text
        found = {name: html.unescape(value) for name, value in _HIDDEN.findall(text)}
        assert forms.FIELD in found, page
        return found

    def address(self, path: str) -> str:
        """The address of a page of the workspace."""
        return f"/console/{self.slug}{path}"


def visitor(idp: Idp, email: str, reach_id: UUID | None = None) -> Visitor:
    """A member of a workspace, signed in; to one workspace alone where that is said."""
    secret = context().keyring.mint(Kind.SESSION)
    with transaction() as database:
        account = users.by_email(database, email)
        assert account is not None
        who = {"user_id": account[0], "reach_id": reach_id}
        lifecycle.begin(database, digest=secret.digest, policy=context().session_policy, by=TEST, **who)
    return Visitor(idp.base_url, idp.workspace.slug, email, secret)


def owner_of(idp: Idp, name: str = "owner") -> Visitor:
    """An owner of the workspace, signed in."""
    email = f"{name}@{idp.workspace.slug}.example"
    idp.create_user(email, displayName=name.capitalize())
    with transaction() as database:
        member = roster.by_email(database, workspace_id=idp.workspace.id, email=email)
        owners.appoint(database, member=member, by=TEST)
    return visitor(idp, email)


def member_of(idp: Idp, *actions: str, name: str = "member") -> Visitor:
    """A member of the workspace who may do these things and no others, signed in."""
    email = f"{name}@{idp.workspace.slug}.example"
    user = idp.create_user(email, displayName=name.capitalize())
    if actions:
        with transaction() as database:
            where = {"workspace_id": idp.workspace.id, "catalogue": context().catalogue}
            told = {"key": f"of-{name}", "name": f"Of {name}", "description": "For a test.", "actions": actions}
            role = custom_roles.create(database, by=TEST, **where, **told)
            giver = Giver(TEST, custom_roles.of_workspace(database, **where))
            subject, terms = Subject("member", user["id"]), Terms(role.key)
            policies.give(database, workspace_id=idp.workspace.id, subject=subject, terms=terms, giver=giver)
    return visitor(idp, email)
