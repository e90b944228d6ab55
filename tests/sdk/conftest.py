"""What the vendor's SDKs are set to work on: a workspace with five members and a source."""

from __future__ import annotations

from typing import NamedTuple

import pytest


class Person(NamedTuple):
    """A member, as the vendor's models show one."""

    id: str
    email: str
    name: str


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


@pytest.fixture
def people(idp) -> list[Person]:
    named = [(f"p{number}@corp.example", f"P{number}") for number in range(5)]
    return [Person(idp.create_user(email, displayName=name)["id"], email, name) for email, name in named]


@pytest.fixture
def source(admin) -> str:
    """The id of a source; there is a warehouse, too."""
    resources = [{"type": "source", "id": "shop", "name": "Shop"}, {"type": "warehouse", "id": "w", "name": "W"}]
    assert admin.request("PUT", "/resources", {"resources": resources}).status_code == 200
    return "shop"
