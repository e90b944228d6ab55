"""An OpenID provider of others, and the way through it as a browser goes it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import pytest
import requests

from provisioning.context import context
from provisioning.database import transaction
from provisioning.identities import client_keys, domains, providers
from provisioning.identities.providers import Terms
from provisioning.web.sign_in import addresses
from tests import node
from tests.conftest import TEST, Idp
from tests.service import Service, free_port

NODE = Path(__file__).parent / "node"
_ACTION = re.compile(r'<form[^>]* action="([^"]+)"')


@dataclass
class OpenIdProvider:
    """A running provider."""

    issuer: str
    people_file: Path
    people: dict[str, dict[str, Any]] = field(default_factory=dict)

    def know(self, login: str, **claims: Any) -> str:
        """Have somebody be known there."""
        self.people[login] = claims
        self.people_file.write_text(json.dumps(self.people))
        return login

    def register(self, connection_id: UUID, **metadata: Any) -> dict[str, Any]:
        """Become a client of it (OpenID Connect Dynamic Client Registration 1.0), as an admin does by hand."""
        ours = addresses.of(connection_id)
        sent = {
            "redirect_uris": [ours["redirect_uri"]],
            "post_logout_redirect_uris": [ours["post_logout_redirect_uri"]],
            "backchannel_logout_uri": ours["backchannel_logout_uri"],
            "backchannel_logout_session_required": True,
            **metadata,
        }
        answer = requests.post(f"{self.issuer}/reg", json=sent, timeout=10)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def walk(self, http: requests.Session, address: str, login: str, *, until: str) -> str:
        """Sign in on its pages, and agree; the address that it sends the browser to in the end."""
        for _ in range(12):
            page = http.get(address, timeout=10, allow_redirects=False)
            if page.is_redirect:
                address = urljoin(address, page.headers["Location"])
            else:
                action = _ACTION.search(page.text)
                assert action, page.text
                prompt = "login" if 'name="login"' in page.text else "consent"
                sent = {"prompt": prompt, "login": login, "password": "any"}
                page = http.post(unescape(action[1]), data=sent, timeout=10, allow_redirects=False)
                address = urljoin(address, page.headers["Location"])
            if address.startswith(until):
                return address
        raise AssertionError(address)


@pytest.fixture(scope="session")
def openid_provider(pytestconfig, tmp_path_factory) -> Iterator[OpenIdProvider]:
    """The provider, running."""
    installed = node.modules(pytestconfig, NODE, what="an OpenID provider of others")
    people = tmp_path_factory.mktemp("openid") / "people.json"
    port = free_port()
    command = ["node", str(NODE / "provider.js"), str(port), str(people)]
    environ = {"PATH": os.environ["PATH"], "NODE_MODULES": str(installed)}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        running = OpenIdProvider(f"http://127.0.0.1:{port}", people)
        running.know("nobody")
        yield running
        process.terminate()


@dataclass
class Door:
    """A connection through which people sign in."""

    idp: Idp
    base_url: str
    provider: OpenIdProvider
    browser: requests.Session = field(default_factory=requests.Session)

    @property
    def address(self) -> str:
        """Where signing in begins."""
        return f"{self.base_url}/sign-in/with/{self.idp.connection.id}"

    def come(self, login: str) -> requests.Response:
        """Sign in as somebody whom the provider knows; the answer to the browser that comes back."""
        sent = requests.get(self.address, timeout=20, allow_redirects=False)
        assert sent.status_code == 302, sent.text
        back = self.provider.walk(self.browser, sent.headers["Location"], login, until=self.base_url)
        return requests.get(back, headers=carried(sent), timeout=20, allow_redirects=False)


def carried(response: requests.Response) -> dict[str, str]:
    """The cookies of an answer as a browser sends them back; this client keeps secure ones from plain addresses."""
    return {"Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in response.cookies)}


@pytest.fixture
def new_door(service: Service, app, openid_provider) -> Callable[..., Door]:
    """Has people sign in to a workspace through the provider; by secret, or by a key of ours."""

    def make(idp: Idp, *, by_key: bool = False, domain: str | None = None, **terms: Any) -> Door:
        credential, metadata = client_keys.new(), {}
        if by_key:
            metadata = {
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks": {"keys": [client_keys.public(credential)]},
            }
        client = openid_provider.register(idp.connection.id, **metadata)
        where = {"workspace_id": idp.workspace.id, "connection_id": idp.connection.id, "by": TEST}
        wanted = Terms(
            issuer=openid_provider.issuer,
            client_id=client["client_id"],
            auth_method="private_key_jwt" if by_key else "client_secret_basic",
            credential=context().credentials.seal((credential if by_key else client["client_secret"]).encode()),
            **terms,
        )
        with transaction() as database:
            providers.set_(database, terms=wanted, **where)
            domains.set_(database, domains=[domain] if domain else [], **where)
        return Door(idp, service.base_url, openid_provider)

    return make


@pytest.fixture
def door(new_door, idp) -> Door:
    """A connection through which people sign in, and that brings nobody in by itself."""
    return new_door(idp)
