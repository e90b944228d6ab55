"""Keycloak's SCIM extensions: no look-up before creating, booleans as text in PATCH, groups set whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from provisioning.simulator.by_replacement import ByReplacement
from provisioning.simulator.client import PATCH_URN
from provisioning.simulator.company import Person, Team
from provisioning.simulator.idp import quoted


class Keycloak(ByReplacement):
    """Whom a conflict points to is found by the externalId, and brought up to date."""

    name: ClassVar[str] = "keycloak"
    headers: ClassVar[Mapping[str, str]] = {
        "User-Agent": "Apache-HttpClient/4.5 (Java)",
        "Content-Type": "application/scim+json",
    }
    deletes: ClassVar[bool] = True

    def user(self, person: Person) -> dict[str, Any]:
        """An address has no type."""
        return {**super().user(person), "emails": [{"value": person.user_name, "primary": True}]}

    def push_person(self, number: int, person: Person) -> None:
        """Create first, and ask later."""
        if person.external_id in self.linked:
            super().push_person(number, person)
            return
        made = self.client.send("user create", "POST", "/Users", expect=(201, 409), body=self.user(person))
        if made is None or "id" not in made:
            by_id = f"externalId eq {quoted(person.external_id)}"
            made = self.look_up("user look-up", "/Users", by_id)
        if made is not None:
            self.user_ids[number] = made["id"]
            if self.as_sent(person)(made):
                self.update(made["id"], person)

    def update(self, identifier: str, person: Person) -> None:
        """One operation an attribute; the state as text."""
        attributes = {"active": str(person.active).lower(), "userName": person.user_name}
        attributes |= {"displayName": person.display_name, "name.familyName": person.family_name}
        operations = [{"op": "replace", "path": path, "value": value} for path, value in attributes.items()]
        body = {"schemas": [PATCH_URN], "Operations": operations}
        check = self.as_sent(person)
        self.client.send("user change", "PATCH", f"/Users/{identifier}", expect=(200,), body=body, check=check)

    def set_team(self, number: int, team: Team) -> None:
        """Everything in one request; references are relative; a group without anybody is emptied without a value."""
        inside = [{**member, "$ref": f"Users/{member['value']}"} for member in self.members(team.members)]
        members: dict[str, Any] = {"op": "remove", "path": "members", "value": None}
        if inside:
            members = {"op": "replace", "path": "members", "value": inside}
        names = {"displayName": team.name, "externalId": team.external_id}
        operations = [{"op": "replace", "path": path, "value": value} for path, value in names.items()]
        self.patch_team(number, *operations, members)

    def change_team(self, number: int) -> None:
        """Empty it, then the whole of it: the members listener may fire in any order."""
        team = self.company.after.teams[number]
        self.set_team(number, replace(team, members=frozenset()))
        self.set_team(number, team)
