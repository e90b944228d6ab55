"""PingFederate and PingOne: values without quotation marks in filters, groups read whole, and overwritten or merged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from provisioning.simulator.by_replacement import ByReplacement
from provisioning.simulator.client import PATCH_URN
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
    # A nested search in the directory finds the people in a group's groups, too.
    flattens: ClassVar[bool] = True

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


class PingDeleting(Ping):
    """With *Remove User Action* set to *Delete*."""

    variant: ClassVar[str | None] = "delete"
    deletes: ClassVar[bool] = True


class PingMerging(Ping):
    """With *Group membership handling* set to *Merge*: its people come and go by PATCH, and those of others stay."""

    variant: ClassVar[str | None] = "merge"

    def _overwrite(self, identifier: str, team: Team) -> None:
        """The name, who is missing, and who was put there by it and is too many."""
        self._patch(identifier, {"op": "replace", "path": "displayName", "value": team.name})
        read = self.client.send("group read", "GET", f"/Groups/{identifier}", expect=(200,)) or {}
        there = {member["value"] for member in read.get("members", [])}
        wanted = {member["value"] for member in self.members(team.members)}
        missing = [{"value": member} for member in sorted(wanted - there)]
        if missing:
            self._patch(identifier, {"op": "add", "path": "members", "value": missing})
        for member in sorted(self.takes_out(there - wanted)):
            self._patch(identifier, {"op": "remove", "path": f'members[value eq "{member}"]'})

    def takes_out(self, others: set[str]) -> set[str]:
        """Those whom it has put there itself; in a cycle that begins anew it doesn't know who came since."""
        return others & set(self.user_ids.values())

    def _patch(self, identifier: str, operation: dict[str, Any]) -> None:
        body = {"schemas": [PATCH_URN], "Operations": [operation]}
        self.client.send("group change", "PATCH", f"/Groups/{identifier}", expect=(200, 204), body=body)
