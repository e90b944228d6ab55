"""What tests of API tokens share: making them at the door, and asking with them."""

from __future__ import annotations

from typing import Any

from tests.conftest import Admin

WHOLE = [{"type": "WORKSPACE"}]
OWNER = [{"roleId": "workspace-owner", "resources": WHOLE}]
SOURCE_ADMIN = [{"roleId": "source-admin", "resources": WHOLE}]
DAY = 86_400


def made_by(admin: Admin, **asked: Any) -> tuple[dict[str, Any], Admin]:
    """A new token as it is told, and a program that has it."""
    answer = admin.request("POST", "/tokens", {"name": "t", "permissions": OWNER, **asked})
    assert answer.status_code == 201, answer.text
    made = answer.json()["data"]["token"]
    secret = made.pop("secret")
    return made, Admin(admin.base_url, secret)


def status(admin: Admin) -> int:
    """How a plain question with a token is answered."""
    return admin.request("GET", "").status_code


def events(admin: Admin, token_id: str) -> list[dict[str, Any]]:
    """What happened to a token, oldest first."""
    told = admin.get("/audit-events", resourceType="token", resourceId=token_id)["events"]
    return list(reversed(told))


def names(admin: Admin, token_id: str) -> list[str]:
    """The kinds of it."""
    return [event["type"] for event in events(admin, token_id)]
