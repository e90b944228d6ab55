"""Keycloak's SCIM extensions: no look-up before creating, booleans as text in PATCH, groups set whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from provisioning.simulator.by_replacement import ByReplacement
from provisioning.simulator.client import PATCH_URN
from provisioning.simulator.company import Person, Team
from provisioning.simulator.idp import new_group, quoted


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

    def _inside(self, team: Team) -> list[dict[str, Any]]:
        """Members, whose references are relative."""
        return [{**member, "$ref": f"Users/{member['value']}"} for member in self.members(team.members)]

    def set_team(self, number: int, team: Team) -> None:
        """Everything in one request; a group without anybody is emptied without a value."""
        inside = self._inside(team)
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


class KeycloakByPut(Keycloak):
    """As the extensions are preset: people and groups whole, and what is an empty list is left out."""

    variant: ClassVar[str | None] = "put"

    def update(self, identifier: str, person: Person) -> None:
        """The whole of somebody."""
        super(Keycloak, self).update(identifier, person)

    def set_team(self, number: int, team: Team) -> None:
        """The whole of a group; where nobody is in it, nothing is said of members."""
        identifier = self.group_ids[number]
        body = {**new_group(team), "id": identifier, "externalId": team.external_id}
        inside = self._inside(team)
        if inside:
            body["members"] = inside
        self.client.send("group replace", "PUT", f"/Groups/{identifier}", expect=(200,), body=body)


class KeycloakDeactivating(KeycloakByPut):
    """With the option to deactivate instead of deleting: who leaves is read, and written back inactive."""

    variant: ClassVar[str | None] = "deactivate"
    deletes: ClassVar[bool] = False

    def leave(self, number: int) -> None:
        """Nothing is written where somebody is inactive already."""
        path = f"/Users/{self.user_ids[number]}"
        read = self.client.send("user read", "GET", path, expect=(200,))
        if read is not None and read.get("active"):
            gone = replace(self.company.before.people[number], active=False)
            body, check = {**read, "active": False}, self.as_sent(gone)
            self.client.send("user deactivate", "PUT", path, expect=(200,), body=body, check=check)
