"""Microsoft Entra ID: PATCH with paths and capital operations and booleans as text, or closer to the standard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from uuid import uuid4

from provisioning.simulator.client import ENTERPRISE_URN, PATCH_URN, USER_URN
from provisioning.simulator.company import Person, Team
from provisioning.simulator.idp import IdentityProvider, new_group, quoted

_AT_ONCE = 20
_ADSCIM_URN = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"


class Entra(IdentityProvider):
    """Entra ID deactivates first, and deletes a person a month later."""

    name: ClassVar[str] = "entra"
    headers: ClassVar[Mapping[str, str]] = {
        "User-Agent": "SCIM-Client/1.0",
        "Adscimversion": "v2",
        "Content-Type": "application/scim+json; charset=utf-8",
    }
    op_add: ClassVar[str] = "Add"

    def connection_test(self) -> None:
        """The `Test connection` button: somebody who can't be there; anything but an empty list is quarantine."""

        def empty(document: Any) -> str | None:
            return "somebody was found" if document["totalResults"] else None

        params = {"filter": f'userName eq "{uuid4()}"'}
        self.client.send("test", "GET", "/Users", expect=(200,), params=params, check=empty)

    def user(self, person: Person) -> dict[str, Any]:
        """A person in Entra ID's default mapping, with the object id as externalId."""
        return {
            "schemas": [USER_URN, ENTERPRISE_URN],
            "externalId": person.external_id,
            "userName": person.user_name,
            "active": person.active,
            "displayName": person.display_name,
            "title": person.title,
            "emails": [{"primary": True, "type": "work", "value": person.user_name}],
            "meta": {"resourceType": "User"},
            "name": {
                "formatted": person.display_name,
                "familyName": person.family_name,
                "givenName": person.given_name,
            },
            "addresses": None,
            "roles": [],
            ENTERPRISE_URN: {"department": person.department, "employeeNumber": person.external_id[-6:]},
        }

    def full(self) -> None:
        """People, teams, and then the references between people."""
        super().full()
        self.each(self.company.before.people.items(), lambda item: self._set_manager(*item))

    def push_person(self, number: int, person: Person) -> None:
        """Look up by userName, then by externalId; create, or patch what differs."""
        by_name = f"userName eq {quoted(person.user_name)}"
        by_id = f"externalId eq {quoted(person.external_id)}"
        found = self.look_up("user look-up", "/Users", by_name) or self.look_up("user look-up", "/Users", by_id)
        if found is None:
            body, check = self.user(person), self.as_sent(person)
            found = self.client.send("user create", "POST", "/Users", expect=(201,), body=body, check=check)
        elif self.as_sent(person)(found):
            self._update(found["id"], person)
        if found is not None:
            self.user_ids[number] = found["id"]

    def _update(self, identifier: str, person: Person) -> None:
        """Attribute by attribute, each by its path."""
        values = {
            "displayName": person.display_name,
            "userName": person.user_name,
            "externalId": person.external_id,
            'emails[type eq "work"].value': person.user_name,
            "name.familyName": person.family_name,
            "name.formatted": person.display_name,
            "title": person.title,
            f"{ENTERPRISE_URN}:department": person.department,
            "active": str(person.active),
        }
        operations = [{"op": "Replace", "path": path, "value": value} for path, value in values.items()]
        operations.append({"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "+1 555 0100"})
        self._patch("user update", f"/Users/{identifier}", operations)
        self.client.send("user read", "GET", f"/Users/{identifier}", expect=(200,), check=self.as_sent(person))

    def _set_manager(self, number: int, person: Person) -> None:
        manager = None if person.manager is None else self.user_ids.get(person.manager)
        if manager is not None and number in self.user_ids:
            operation = {"op": self.op_add, "path": f"{ENTERPRISE_URN}:manager", "value": manager}
            self._patch("manager", f"/Users/{self.user_ids[number]}", [operation])

    def _set_active(self, identifier: str, *, active: bool) -> None:
        kind = "user reactivate" if active else "user deactivate"
        self._patch(kind, f"/Users/{identifier}", [{"op": "Replace", "path": "active", "value": str(active)}])

    def _patch(self, kind: str, path: str, operations: list[dict[str, Any]]) -> None:
        body = {"schemas": [PATCH_URN], "Operations": operations}
        self.client.send(kind, "PATCH", path, expect=(200, 204), body=body)

    def push_team(self, number: int, team: Team, *, also_called: str | None) -> None:
        """Look up without members; create empty; add in batches, which are under way at once."""
        params = {"excludedAttributes": "members"}
        names = [team.name] if also_called is None else [team.name, also_called]
        found = None
        for name in names:
            condition = f"displayName eq {quoted(name)}"
            found = found or self.look_up("group look-up", "/Groups", condition, **params)
        if found is None:
            body = new_group(team)
            body |= {"schemas": [*body["schemas"], _ADSCIM_URN], "externalId": team.external_id}
            found = self.client.send("group create", "POST", "/Groups", expect=(201,), body=body)
        if found is None:
            return
        self.group_ids[number] = found["id"]
        if found.get("displayName") != team.name:
            self._rename(number, team)
        self._add(number, team.members)
        self._remove(number, self._strangers(found["id"], team))

    def _strangers(self, identifier: str, team: Team) -> list[dict[str, Any]]:
        """Members from an earlier run who are not in the team."""
        read = self.client.send("group read", "GET", f"/Groups/{identifier}", expect=(200,)) or {}
        wanted = {member["value"] for member in self.members(team.members)}
        return [{"value": m["value"]} for m in read.get("members", []) if m["value"] not in wanted]

    def _rename(self, number: int, team: Team) -> None:
        operation = {"op": "Replace", "path": "displayName", "value": team.name}
        self._patch("group rename", f"/Groups/{self.group_ids[number]}", [operation])

    def _add(self, number: int, people: frozenset[int]) -> None:
        def send(batch: list[dict[str, Any]]) -> None:
            operation = {"op": self.op_add, "path": "members", "value": batch}
            self._patch("group members", f"/Groups/{self.group_ids[number]}", [operation])

        self.each(_batches([{"$ref": None, **member} for member in self.members(people)]), send)

    def _remove(self, number: int, members: list[dict[str, Any]]) -> None:
        for member in members:
            operation = {"op": "Remove", "path": "members", "value": [{"$ref": None, **member}]}
            self._patch("group members", f"/Groups/{self.group_ids[number]}", [operation])

    def incremental(self) -> None:
        """A day: newcomers, changed profiles, suspensions, returns, deletions, group changes, repeated additions."""
        day = self.company
        self.each(sorted(day.joining), lambda n: self.push_person(n, day.after.people[n]))
        self.each(self.known(day.updated), lambda n: self._update(self.user_ids[n], day.after.people[n]))
        for number in self.known(day.suspended | day.returning | day.leaving):
            self._set_active(self.user_ids[number], active=False)
        for number in self.known(day.returning):
            self._set_active(self.user_ids[number], active=True)
        self.each([n for n in day.after.teams if n in self.group_ids], self._change_team)
        for number in self.known(day.leaving):
            self._delete("user", f"/Users/{self.user_ids.pop(number)}")
        for number in day.dissolved_teams & self.group_ids.keys():
            self._delete("group", f"/Groups/{self.group_ids[number]}")

    def _delete(self, kind: str, path: str) -> None:
        self.client.send(f"{kind} delete", "DELETE", path, expect=(204,))
        self.client.send(f"{kind} gone", "GET", path, expect=(404,))

    def _change_team(self, number: int) -> None:
        team, (into, out) = self.company.after.teams[number], self.company.moved[number]
        if number in self.company.renamed_teams:
            self._rename(number, team)
        self._remove(number, self.members(out))
        self._add(number, into)
        self._add(number, team.members)
        # What was held back after a failure comes late, and may have come before.
        self._remove(number, self.members(out))
        for person in self.known(into):
            self._check_membership(number, person)

    def _check_membership(self, number: int, person: int) -> None:
        identifier, member = self.group_ids[number], self.user_ids[person]
        condition = f'id eq "{identifier}" and members eq "{member}"'
        if self.look_up("membership check", "/Groups", condition, attributes="id") is None:
            self.report.find(f"the membership of {member} in {identifier} is not found by a filter")


class EntraFlagged(Entra):
    """With `aadOptscim062020` on the tenant URL: small operations, values without a path, members by a value path."""

    variant: ClassVar[str | None] = "flagged"
    op_add: ClassVar[str] = "add"

    def _update(self, identifier: str, person: Person) -> None:
        """What has a filter by its path, and all the rest in one value, under dotted names and names with their URN."""
        value = {
            "displayName": person.display_name,
            "userName": person.user_name,
            "externalId": person.external_id,
            "name.familyName": person.family_name,
            "name.formatted": person.display_name,
            "title": person.title,
            "active": person.active,
            f"{ENTERPRISE_URN}:department": person.department,
        }
        mail = {"op": "replace", "path": 'emails[type eq "work"].value', "value": person.user_name}
        self._patch("user update", f"/Users/{identifier}", [mail, {"op": "replace", "value": value}])
        self.client.send("user read", "GET", f"/Users/{identifier}", expect=(200,), check=self.as_sent(person))

    def _set_active(self, identifier: str, *, active: bool) -> None:
        kind = "user reactivate" if active else "user deactivate"
        self._patch(kind, f"/Users/{identifier}", [{"op": "replace", "path": "active", "value": active}])

    def _rename(self, number: int, team: Team) -> None:
        operation = {"op": "replace", "value": {"displayName": team.name}}
        self._patch("group rename", f"/Groups/{self.group_ids[number]}", [operation])

    def _remove(self, number: int, members: list[dict[str, Any]]) -> None:
        for member in members:
            operation = {"op": "remove", "path": f'members[value eq "{member["value"]}"]'}
            self._patch("group members", f"/Groups/{self.group_ids[number]}", [operation])

    def incremental(self) -> None:
        """Who is provisioned on demand comes without regard to the flag: both forms meet on one connection."""
        day = self.company
        for number in self.known(day.updated)[:1]:
            super()._update(self.user_ids[number], day.after.people[number])
        super().incremental()


def _batches(members: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(members), _AT_ONCE):
        yield members[start : start + _AT_ONCE]
