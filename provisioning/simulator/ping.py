"""PingFederate: values without quotation marks in filters, groups read whole and overwritten by PUT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from provisioning.simulator.by_replacement import ByReplacement
from provisioning.simulator.company import Person, Team
from provisioning.simulator.idp import new_group

_PAGE = 100


class Ping(ByReplacement):
    """It provisions people who are disabled at once, and gives no name of its own."""

    name: ClassVar[str] = "ping"
    headers: ClassVar[Mapping[str, str]] = {
        "User-Agent": "Apache-HttpClient/4.5",
        "Content-Type": "application/scim+json",
    }

    def connection_test(self) -> None:
        """One page of people."""
        self.client.send("test", "GET", "/Users", expect=(200,), params={"startIndex": "1", "count": "1"})

    def user_filter(self, person: Person) -> str:
        """The filter that an admin types, with the name put in as it is."""
        return f"userName eq {person.user_name}"

    def push_team(self, number: int, team: Team, *, also_called: str | None) -> None:
        """It reads all groups, matches them itself, and writes the whole of each."""
        there = {group["displayName"]: group for group in self._groups()}
        found = there.get(team.name) or there.get(also_called or "")
        if found is None:
            body = self._whole(team)
            found = self.client.send("group create", "POST", "/Groups", expect=(201,), body=body)
        else:
            self._overwrite(found["id"], team)
        if found is not None:
            self.group_ids[number] = found["id"]

    def _groups(self) -> list[dict[str, Any]]:
        groups: list[dict[str, Any]] = []
        while True:
            params = {"startIndex": str(len(groups) + 1), "count": str(_PAGE), "excludedAttributes": "members"}
            page = self.client.send("group import", "GET", "/Groups", expect=(200,), params=params)
            if not page or not page["Resources"]:
                return groups
            groups += page["Resources"]

    def _whole(self, team: Team) -> dict[str, Any]:
        return {**new_group(team), "externalId": team.external_id, "members": self.members(team.members)}

    def _overwrite(self, identifier: str, team: Team) -> None:
        self.client.send("group replace", "PUT", f"/Groups/{identifier}", expect=(200, 204), body=self._whole(team))

    def change_team(self, number: int) -> None:
        """The whole of it, twice: the answer may get lost."""
        for _ in range(2):
            self._overwrite(self.group_ids[number], self.company.after.teams[number])
