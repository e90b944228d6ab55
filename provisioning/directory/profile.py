"""What the directory keeps beside a member's or group's SCIM document, so that it can be found by index."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from provisioning.scim.compare import fold
from provisioning.scim.definitions import GROUP, USER
from provisioning.scim.search import searchable

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class Profile:
    """A SCIM User's document, and the attributes of it that have columns of their own."""

    document: dict[str, Any]
    user_name: str
    external_id: str | None
    display_name: str | None
    active: bool
    email: str | None

    @classmethod
    def of(cls, document: dict[str, Any]) -> Profile:
        """Read the profile out of a document that has been validated."""
        return cls(
            document=document,
            user_name=document["userName"],
            external_id=document.get("externalId"),
            display_name=document.get("displayName"),
            active=document.get("active", True),
            email=_address(document),
        )

    def columns(self) -> dict[str, Any]:
        """The values of the member's columns."""
        return {
            "document": self.document,
            "search": searchable(self.document, USER),
            "user_name": self.user_name,
            "user_name_key": fold(self.user_name),
            "external_id": self.external_id,
            "display_name": self.display_name,
            "display_name_key": None if self.display_name is None else fold(self.display_name),
            "active": self.active,
        }


def _address(document: dict[str, Any]) -> str | None:
    """The address that makes the person: the userName where it is one, else the primary e-mail, else the first."""
    user_name = str(document["userName"]).strip()
    if _ADDRESS.fullmatch(user_name):
        return user_name
    emails = [e for e in document.get("emails", []) if _ADDRESS.fullmatch(str(e.get("value", "")).strip())]
    primary = [e for e in emails if e.get("primary")]
    return str((primary or emails)[0]["value"]).strip() if emails else None


@dataclass(frozen=True, slots=True)
class GroupProfile:
    """A SCIM Group's document without its members, and the attributes of it that have columns of their own."""

    document: dict[str, Any]
    display_name: str
    external_id: str | None

    @classmethod
    def of(cls, document: dict[str, Any]) -> GroupProfile:
        """Read the profile out of a document that has been validated."""
        return cls(document=document, display_name=document["displayName"], external_id=document.get("externalId"))

    def columns(self) -> dict[str, Any]:
        """The values of the group's columns."""
        return {
            "document": self.document,
            "search": searchable(self.document, GROUP),
            "display_name": self.display_name,
            "display_name_key": fold(self.display_name),
            "external_id": self.external_id,
        }
