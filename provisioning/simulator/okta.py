"""Okta, as its catalogue apps speak: PUT for attributes, PATCH without a path for activation, groups by PATCH."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from provisioning.simulator.client import ENTERPRISE_URN, PATCH_URN, USER_URN
from provisioning.simulator.company import Person, State, Team
from provisioning.simulator.idp import IdentityProvider, new_group, quoted


class Okta(IdentityProvider):
    """Okta never deletes a person; one who returns is created again or reactivated."""

    name: ClassVar[str] = "okta"
    headers: ClassVar[Mapping[str, str]] = {
        "User-Agent": "Okta SCIM Client 1.0.0",
        "Content-Type": "application/scim+json; charset=utf-8",
    }

    def connection_test(self) -> None:
        """The `Test API credentials` button."""
        self.client.send("test", "GET", "/Users", expect=(200,), params={"startIndex": "1", "count": "2"})
        self.client.send("test", "GET", "/Groups", expect=(200,), params={"startIndex": "1", "count": "100"})

    def user(self, person: Person) -> dict[str, Any]:
        """A person in Okta's standard mapping."""
        return {
            "schemas": [USER_URN, ENTERPRISE_URN],
            "userName": person.user_name,
            "name": {"givenName": person.given_name, "familyName": person.family_name},
            "emails": [{"primary": True, "value": person.user_name, "type": "work"}],
            "displayName": person.display_name,
            "title": person.title,
            "locale": "en-US",
            "externalId": person.external_id,
            "groups": [],
            "active": person.active,
            ENTERPRISE_URN: {"department": person.department},
        }

    def push_person(self, number: int, person: Person) -> None:
        """Look up by userName, then by externalId; create with a random password, or replace."""
        found = self._find(person)
        if found is None:
            body = {**self.user(person), "password": "a-random-one-1mz050nq"}
            check = self.as_sent(person)
            found = self.client.send("user create", "POST", "/Users", expect=(201,), body=body, check=check)
        elif self.as_sent(person)(found):
            self._replace(found["id"], person)
        if found is not None:
            self.user_ids[number] = found["id"]

    def _find(self, person: Person) -> dict[str, Any] | None:
        page = {"startIndex": "1", "count": "100"}
        by_name = f"userName eq {quoted(person.user_name)}"
        found = self.look_up("user look-up", "/Users", by_name, **page)
        if found is not None:
            return found
        return self.look_up("user look-up", "/Users", f"externalId eq {quoted(person.external_id)}", **page)

    def _replace(self, identifier: str, person: Person) -> None:
        """Read, then send the whole of it back with the changes; read-only attributes are echoed along."""
        read = self.client.send("user read", "GET", f"/Users/{identifier}", expect=(200,))
        body = {**(read or {}), **self.user(person)}
        check = self.as_sent(person)
        self.client.send("user replace", "PUT", f"/Users/{identifier}", expect=(200,), body=body, check=check)

    def _activate(self, identifier: str, *, active: bool) -> None:
        body = {"schemas": [PATCH_URN], "Operations": [{"op": "replace", "value": {"active": active}}]}
        kind = "user reactivate" if active else "user deactivate"
        self.client.send(kind, "PATCH", f"/Users/{identifier}", expect=(200, 204), body=body)

    def push_team(self, number: int, team: Team, *, also_called: str | None) -> None:
        """`Push groups`: create empty, then add; a group that is there gets its name and its whole membership."""
        page = {"startIndex": "1", "count": "100"}
        names = [team.name] if also_called is None else [team.name, also_called]
        found = None
        for name in names:
            found = found or self.look_up("group look-up", "/Groups", f"displayName eq {quoted(name)}", **page)
        if found is None:
            body = {**new_group(team), "members": []}
            found = self.client.send("group create", "POST", "/Groups", expect=(201,), body=body)
            change = {"op": "add", "path": "members", "value": self._displayed(team)}
        else:
            change = {"op": "replace", "path": "members", "value": self._displayed(team)}
        if found is not None:
            self.group_ids[number] = found["id"]
            self._write_team(number, team, change)

    def _displayed(self, team: Team) -> list[dict[str, Any]]:
        people = {**self.company.before.people, **self.company.after.people}
        by_id = {self.user_ids[number]: people[number].user_name for number in team.members if number in self.user_ids}
        return [{"value": identifier, "display": display} for identifier, display in sorted(by_id.items())]

    def _write_team(self, number: int, team: Team, *changes: dict[str, Any]) -> None:
        """The name goes ahead of every change of membership."""
        identifier = self.group_ids[number]
        rename = {"op": "replace", "value": {"id": identifier, "displayName": team.name}}
        for kind, operations in (("group rename", [rename]), ("group members", list(changes))):
            body = {"schemas": [PATCH_URN], "Operations": operations}
            self.client.send(kind, "PATCH", f"/Groups/{identifier}", expect=(200, 204), body=body)

    def incremental(self) -> None:
        """A day: newcomers, changed profiles, deactivations, returns, group changes; what was sent may come twice."""
        day = self.company
        self.each(sorted(day.joining), lambda n: self.push_person(n, day.after.people[n]))
        self.each(self.known(day.updated), lambda n: self._replace(self.user_ids[n], day.after.people[n]))
        for number in self.known(day.suspended | day.returning | day.leaving):
            self._activate(self.user_ids[number], active=False)
        for number in self.known(day.returning):
            self._activate(self.user_ids[number], active=True)
        self.each([n for n in day.after.teams if n in self.group_ids], self._change_team)
        for number in day.dissolved_teams & self.group_ids.keys():
            self.client.send("group delete", "DELETE", f"/Groups/{self.group_ids[number]}", expect=(204,))

    def after_the_day(self) -> State:
        """Those who have left are still there, deactivated."""
        day = self.company
        left = {number: replace(day.before.people[number], active=False) for number in day.leaving}
        return State({**day.after.people, **left}, day.after.teams)

    def _change_team(self, number: int) -> None:
        team, before = self.company.after.teams[number], self.company.before.teams[number]
        gone = self.members(before.members - team.members)
        removals = [{"op": "remove", "path": f'members[value eq "{member["value"]}"]'} for member in gone]
        additions = {"op": "add", "path": "members", "value": self.members(team.members - before.members)}
        self._write_team(number, team, *removals, additions)
        self._write_team(number, team, additions)


class OktaOwnApp(Okta):
    """An app of one's own, made with the wizard: all of it by PUT, a person's state and a group's members, too."""

    variant: ClassVar[str | None] = "put"

    def _activate(self, identifier: str, *, active: bool) -> None:
        """Read, then send the whole of it back with another state."""
        kind, path = "user reactivate" if active else "user deactivate", f"/Users/{identifier}"
        read = self.client.send("user read", "GET", path, expect=(200,))

        def is_so(document: Any) -> str | None:
            return None if document.get("active") is active else f"active came back as {document.get('active')!r}"

        self.client.send(kind, "PUT", path, expect=(200,), body={**(read or {}), "active": active}, check=is_so)

    def _write_team(self, number: int, team: Team, *changes: dict[str, Any]) -> None:  # noqa: ARG002 - told whole
        """Read, then send the whole of it back, with its name and all of its members."""
        path = f"/Groups/{self.group_ids[number]}"
        read = self.client.send("group read", "GET", path, expect=(200,))
        body = {**(read or {}), **new_group(team), "members": self._displayed(team)}
        self.client.send("group replace", "PUT", path, expect=(200, 204), body=body)
