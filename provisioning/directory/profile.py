"""What the directory keeps beside a member's or group's SCIM document, so that it can be found by index."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson

from provisioning.scim.compare import fold
from provisioning.scim.definitions import GROUP, USER
from provisioning.scim.schema import ResourceType
from provisioning.scim.search import searchable

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class Profile:
    """A SCIM User's document, and the attributes of it that are kept beside it."""

    document: dict[str, Any]
    search: dict[str, Any]
    user_name: str
    external_id: str | None
    display_name: str | None
    active: bool
    email: str | None
    # Of each attribute that only one member can have the value of: a digest of what is compared.
    unique: dict[str, bytes]

    # Those that `columns` tells.
    COLUMNS: ClassVar = (
        *("document", "search", "user_name", "user_name_key", "display_name", "display_name_key"),
        "active",
    )

    @classmethod
    def of(cls, document: Mapping[str, Any], kind: ResourceType = USER, *, active: bool = True) -> Profile:
        """Read the profile out of a document that has been validated.

        Args:
            document: of a User; the externalId, which means something to one connection alone, is taken out of it.
            kind: the User as the workspace has it.
            active: what holds where the document doesn't say.
        """
        kept = {name: value for name, value in document.items() if name != "externalId"}
        search = searchable(kept, kind)
        external_id = document.get("externalId")
        return cls(
            document=kept,
            search=search,
            user_name=document["userName"],
            # A blank is no name: people who share it must never be taken for one another.
            external_id=external_id if external_id and external_id.strip() else None,
            display_name=document.get("displayName"),
            active=document.get("active", active),
            email=address(document),
            unique=_unique(search, kind),
        )

    def columns(self) -> dict[str, Any]:
        """The values of the member's columns."""
        return {
            "document": self.document,
            "search": self.search,
            "user_name": self.user_name,
            "user_name_key": fold(self.user_name),
            "display_name": self.display_name,
            "display_name_key": None if self.display_name is None else fold(self.display_name),
            "active": self.active,
        }


def _unique(search: Mapping[str, Any], kind: ResourceType) -> dict[str, bytes]:
    """Extensions' attributes whose values no two members share; the core's userName has an index of its own."""
    return {
        f"{extension.id.lower()}:{attribute.name}": hashlib.sha256(orjson.dumps(held[attribute.name])).digest()
        for extension in kind.extensions
        if (held := search.get(extension.id))
        for attribute in extension.attributes
        if attribute.uniqueness != "none" and attribute.name in held
    }


def address(document: Mapping[str, Any]) -> str | None:
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
    search: dict[str, Any]
    display_name: str
    external_id: str | None

    # Those that `columns` tells.
    COLUMNS: ClassVar = ("document", "search", "display_name", "display_name_key", "external_id")

    @classmethod
    def of(cls, document: dict[str, Any], kind: ResourceType = GROUP) -> GroupProfile:
        """Read the profile out of a document that has been validated."""
        return cls(document, searchable(document, kind), document["displayName"], document.get("externalId"))

    def columns(self) -> dict[str, Any]:
        """The values of the group's columns."""
        return {
            "document": self.document,
            "search": self.search,
            "display_name": self.display_name,
            "display_name_key": fold(self.display_name),
            "external_id": self.external_id,
        }
