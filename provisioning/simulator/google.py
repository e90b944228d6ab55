"""Google Workspace: people alone; reads the schemas for its mapping, and names a schema of SCIM 1.0 beside its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from provisioning.simulator.by_replacement import UsersAlone
from provisioning.simulator.client import USER_URN
from provisioning.simulator.company import Person


class Google(UsersAlone):
    """It suspends and deletes by independent triggers, so that a deletion may come without a suspension before it."""

    name: ClassVar[str] = "google"
    headers: ClassVar[Mapping[str, str]] = {
        "User-Agent": "Google-Auto-Provisioning",
        "Content-Type": "application/json",
    }
    deletes: ClassVar[bool] = True

    def connection_test(self) -> None:
        """Everybody without a question, then the schemas that its mapping list is made of."""
        self.client.send("test", "GET", "/Users", expect=(200,))
        self.client.send("test", "GET", "/Schemas", expect=(200,), check=_has_mapping)

    def user(self, person: Person) -> dict[str, Any]:
        """Core attributes, under two URNs."""
        return {**super().user(person), "schemas": ["urn:scim:schemas:core:1.0", USER_URN]}


def _has_mapping(document: Any) -> str | None:
    """Its mapping list needs the flags of what it maps to."""
    found = {schema["id"]: schema for schema in document["Resources"]}
    attributes = {one["name"]: one for one in found.get(USER_URN, {}).get("attributes", [])}
    if not attributes.get("userName", {}).get("required"):
        return "/Schemas does not say that userName is required"
    if not attributes.get("emails", {}).get("multiValued"):
        return "/Schemas does not say that emails has several values"
    return None
