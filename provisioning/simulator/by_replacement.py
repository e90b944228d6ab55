"""What most identity providers do: find by userName, create, replace the whole of a User, and patch groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from provisioning.simulator.client import PATCH_URN, USER_URN
from provisioning.simulator.company import Person, State, Team
from provisioning.simulator.idp import IdentityProvider, new_group, quoted


class ByReplacement(IdentityProvider):
    """One that differs says so by overriding the step in which it does."""

    headers: ClassVar[Mapping[str, str]] = {"Content-Type": "application/scim+json"}
    linked: Mapping[str, dict[str, Any]] = {}
    # Whether who leaves is deleted; else they are deactivated and stay.
    deletes: ClassVar[bool] = False

    def connection_test(self) -> None:
        """Look whether anybody answers."""
        self.client.send("test", "GET", "/ServiceProviderConfig", expect=(200,))

    def user(self, person: Person) -> dict[str, Any]:
        """A person in core attributes."""
        return {
            "schemas": [USER_URN],
            "userName": person.user_name,
            "name": {"givenName": person.given_name, "familyName": person.family_name},
            "emails": [{"primary": True, "value": person.user_name, "type": "work"}],
            "displayName": person.display_name,
            "externalId": person.external_id,
            "active": person.active,
        }

    def user_filter(self, person: Person) -> str:
        """How somebody is looked up."""
        return f"userName eq {quoted(person.user_name)}"

    def full(self) -> None:
        """An identity provider remembers whom it has pushed; a played one has to look first."""
        self.linked = {one["externalId"]: one for one in self.everybody() if "externalId" in one}
        super().full()

    def push_person(self, number: int, person: Person) -> None:
        """Look up whom it doesn't remember; create, or replace where something differs."""
        found = self.linked.get(person.external_id)
        if found is None:
            found = self.look_up("user look-up", "/Users", self.user_filter(person))
        if found is None:
            check = self.as_sent(person)
            body = self.user(person)
            found = self.client.send("user create", "POST", "/Users", expect=(201,), body=body, check=check)
        elif self.as_sent(person)(found):
            self.update(found["id"], person)
        if found is not None:
            self.user_ids[number] = found["id"]

    def update(self, identifier: str, person: Person) -> None:
        """Bring somebody up to date."""
        body, check = self.user(person), self.as_sent(person)
        self.client.send("user replace", "PUT", f"/Users/{identifier}", expect=(200,), body=body, check=check)

    def leave(self, number: int) -> None:
        """Somebody leaves."""
        if self.deletes:
            self.client.send("user delete", "DELETE", f"/Users/{self.user_ids.pop(number)}", expect=(204,))
        else:
            self.update(self.user_ids[number], replace(self.company.before.people[number], active=False))

    def push_team(self, number: int, team: Team, *, also_called: str | None) -> None:
        """Look up by name; create empty, then add everybody; or set the whole membership of one that is there."""
        found = None
        for name in filter(None, (team.name, also_called)):
            found = found or self.look_up("group look-up", "/Groups", f"displayName eq {quoted(name)}")
        if found is None:
            body = {**new_group(team), "externalId": team.external_id}
            found = self.client.send("group create", "POST", "/Groups", expect=(201,), body=body)
        if found is not None:
            self.group_ids[number] = found["id"]
            self.set_team(number, team)

    def set_team(self, number: int, team: Team) -> None:
        """Give a group its name and the whole of its membership."""
        rename = {"op": "replace", "path": "displayName", "value": team.name}
        self.patch_team(number, rename)
        self.patch_team(number, {"op": "replace", "path": "members", "value": self.members(team.members)})

    def differing(self, number: int, team: Team) -> tuple[list[str], list[str]]:
        """Read a group; the ids of who is missing in it, and of who is too many."""
        read = self.client.send("group read", "GET", f"/Groups/{self.group_ids[number]}", expect=(200,))
        there = {member["value"] for member in (read or {}).get("members", [])}
        wanted = {member["value"] for member in self.members(team.members)}
        return sorted(wanted - there), sorted(there - wanted)

    def change_team(self, number: int) -> None:
        """A day's changes of a group: what was sent is sent again, as after an answer that got lost."""
        team, before = self.company.after.teams[number], self.company.before.teams[number]
        if team.name != before.name:
            self.patch_team(number, {"op": "replace", "path": "displayName", "value": team.name})
        gone, new = before.members - team.members, team.members - before.members
        for _ in range(2):
            if gone:
                self.remove_from_team(number, gone)
            if new:
                self.patch_team(number, {"op": "add", "path": "members", "value": self.members(new)})

    def remove_from_team(self, number: int, gone: frozenset[int]) -> None:
        """Take people out of a group by the list of them."""
        self.patch_team(number, {"op": "remove", "path": "members", "value": self.members(gone)})

    def patch_team(self, number: int, *operations: dict[str, Any]) -> None:
        """Change a group."""
        body = {"schemas": [PATCH_URN], "Operations": list(operations)}
        path = f"/Groups/{self.group_ids[number]}"
        self.client.send("group change", "PATCH", path, expect=(200, 204), body=body)

    def incremental(self) -> None:
        """A day: newcomers, changed profiles, deactivations, returns, departures, group changes."""
        day = self.company
        self.each(sorted(day.joining), lambda n: self.push_person(n, day.after.people[n]))
        self.each(self.known(day.updated), lambda n: self.update(self.user_ids[n], day.after.people[n]))
        for number in self.known(day.suspended | day.returning):
            self.update(self.user_ids[number], replace(day.before.people[number], active=False))
        for number in self.known(day.suspended):
            self.update(self.user_ids[number], day.after.people[number])
        for number in self.known(day.returning):
            self.update(self.user_ids[number], day.after.people[number])
        self.each([n for n in day.after.teams if n in self.group_ids], self.change_team)
        for number in self.known(day.leaving):
            self.leave(number)
        for number in day.dissolved_teams & self.group_ids.keys():
            self.client.send("group delete", "DELETE", f"/Groups/{self.group_ids[number]}", expect=(204,))

    def after_the_day(self) -> State:
        """Those who have left are gone, or are still there, deactivated."""
        day = self.company
        if self.deletes:
            return day.after
        left = {number: replace(day.before.people[number], active=False) for number in day.leaving}
        return State({**day.after.people, **left}, day.after.teams)


class UsersAlone(ByReplacement):
    """One that pushes no groups."""

    def push_team(self, number: int, team: Team, *, also_called: str | None) -> None:
        """Groups stay at home."""

    def verify(self, state: State) -> None:
        """The last look, at people alone."""
        super().verify(State(state.people, {}))
