"""OneLogin: bodies from an admin's template, with URNs of older drafts, the only e-mail bare, and booleans as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote_plus

from provisioning.simulator.by_replacement import ByReplacement
from provisioning.simulator.company import Person, Team

_CORE, _ENTERPRISE = "urn:scim:schemas:core:2.0", "urn:scim:schemas:extension:enterprise:2.0"


class OneLogin(ByReplacement):
    """It gives no name of its own, and leaves a stray `&` behind its queries."""

    name: ClassVar[str] = "onelogin"
    headers: ClassVar[Mapping[str, str]] = {"User-Agent": "", "Accept": "", "Content-Type": "application/json"}

    def connection_test(self) -> None:
        """A look-up of somebody who isn't there."""
        self._look("nobody-of-this-name")

    def _look(self, name: str) -> Any:
        query = quote_plus(f'userName eq "{name}"')
        return self.client.send("user look-up", "GET", f"/Users?filter={query}&", expect=(200,))

    def user(self, person: Person) -> dict[str, Any]:
        """The template of its SCIM connectors."""
        return {
            "schemas": [_CORE, _ENTERPRISE],
            "id": None,
            "userName": person.user_name,
            "externalId": person.external_id,
            "name": {"familyName": person.family_name, "givenName": person.given_name},
            "displayName": person.display_name,
            "emails": {"value": person.user_name, "type": "work", "primary": True},
            _ENTERPRISE: {"department": person.department},
            "active": str(person.active).lower(),
        }

    def kept(self, person: Person) -> dict[str, Any]:
        """Text or not, it reads a boolean."""
        return {**self.user(person), "active": person.active}

    def push_person(self, number: int, person: Person) -> None:
        """Look up, create or replace; then `refresh entitlements` reads the groups."""
        super().push_person(number, person)
        self._look(person.user_name)
        self.client.send("group import", "GET", "/Groups", expect=(200,))

    def set_team(self, number: int, team: Team) -> None:
        """Rules put people into groups one after another."""
        self.patch_team(number, {"op": "replace", "value": {"displayName": team.name}})
        missing, too_many = self.differing(number, team)
        for op, who in (("add", missing), ("remove", too_many)):
            for member in who:
                self.patch_team(number, {"op": op, "path": "members", "value": [{"value": member}]})


class OneLoginDeleting(OneLogin):
    """Where who is removed is deleted, not suspended."""

    variant: ClassVar[str | None] = "delete"
    deletes: ClassVar[bool] = True
