"""Reads the letters that the running service has put into its data folder."""

from __future__ import annotations

import re

import requests
from sqlalchemy import update

from provisioning.database import transaction
from provisioning.directory import invitations
from provisioning.directory.models import Invitation
from provisioning.post import folder
from provisioning.post.folder import Kept
from tests.service import Service
from tests.waiting import eventually

_LINK = re.compile(r"^(\S+)/sign-in/invitation#(pvi_\w+)$", re.MULTILINE)


def letters_to(service: Service, email: str) -> list[Kept]:
    """The letters to somebody so far, oldest first."""
    return [kept for kept in folder.every(service.data_dir / "mail") if kept.message["To"] == email]


def secret_to(service: Service, email: str, *, letter: int = 1) -> str:
    """The secret in the first, second ... letter to somebody, once a worker has written it."""
    eventually(lambda: len(letters_to(service, email)) >= letter)
    found = _LINK.search(letters_to(service, email)[letter - 1].body)
    assert found is not None
    assert found[1] == service.base_url
    return found[2]


def look(service: Service, secret: str, **headers: str) -> requests.Response:
    """Ask what an invitation is about, as the page of its link does."""
    url = f"{service.base_url}/sign-in/invitation/look"
    return requests.post(url, data={"secret": secret}, headers=headers, timeout=20)


def accept(service: Service, secret: str, **headers: str) -> requests.Response:
    """Send the form off that accepts."""
    url = f"{service.base_url}/sign-in/invitation"
    return requests.post(url, data={"secret": secret}, headers=headers, timeout=20, allow_redirects=False)


def let_pause(email: str) -> None:
    """The last letter was asked for a minute ago."""
    with transaction() as connection:
        earlier = Invitation.expires_at - invitations.LETTER_PAUSE
        connection.execute(update(Invitation).where(Invitation.email == email).values(expires_at=earlier))
