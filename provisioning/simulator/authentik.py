"""authentik: reads the configuration strictly, pages through everybody, adopts whom a conflict points to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from provisioning.simulator.by_replacement import ByReplacement
from provisioning.simulator.company import Person, Team


class Authentik(ByReplacement):
    """It patches groups by one operation a member, and compares memberships by reading the group."""

    name: ClassVar[str] = "authentik"
    headers: ClassVar[Mapping[str, str]] = {
        "User-Agent": "goauthentik.io/2026.2.1",
        "Content-Type": "application/scim+json",
    }
    deletes: ClassVar[bool] = True
    # How many members change in one request: as many operations as the service announces for Bulk.
    chunk = 1

    def connection_test(self) -> None:
        """One missing key, and it believes that nothing is supported; then it looks who is there."""
        announced = self.client.send("test", "GET", "/ServiceProviderConfig", expect=(200,), check=_is_whole)
        if announced is not None:
            self.chunk = max(1, announced["bulk"]["maxOperations"])
        found, total = 0, 1
        while found < total:
            page = self.client.send(
                "discovery", "GET", "/Users", expect=(200,), params={"startIndex": str(found + 1)} if found else None
            )
            if not page or not page["Resources"]:
                return
            found, total = found + len(page["Resources"]), page["totalResults"]

    def user(self, person: Person) -> dict[str, Any]:
        """The preset mapping calls every address `other`."""
        return {**super().user(person), "emails": [{"value": person.user_name, "type": "other", "primary": True}]}

    def push_person(self, number: int, person: Person) -> None:
        """Create first; whoever is there already is looked up and adopted."""
        if person.external_id in self.linked:
            super().push_person(number, person)
            return
        check = self.as_sent(person)
        made = self.client.send("user create", "POST", "/Users", expect=(201, 409), body=self.user(person))
        if made is not None and "id" in made:
            self.user_ids[number] = made["id"]
            wrong = check(made)
            if wrong:
                self.report.find(f"user create: {wrong}")
            return
        found = self.look_up("user look-up", "/Users", self.user_filter(person))
        if found is not None:
            self.user_ids[number] = found["id"]
            self.update(found["id"], person)

    def set_team(self, number: int, team: Team) -> None:
        """A rename is a replacement without a path; then who is missing comes, and who is too many goes."""
        whole = {"id": self.group_ids[number], "externalId": team.external_id, "displayName": team.name}
        self.patch_team(number, {"op": "replace", "value": whole})
        missing, too_many = self.differing(number, team)
        changes = [_one("add", member) for member in missing] + [_one("remove", member) for member in too_many]
        for start in range(0, len(changes), self.chunk):
            self.patch_team(number, *changes[start : start + self.chunk])

    def change_team(self, number: int) -> None:
        """The same as in a full run."""
        self.set_team(number, self.company.after.teams[number])


def _one(op: str, member: str) -> dict[str, Any]:
    return {"op": op, "path": "members", "value": [{"value": member}]}


def _is_whole(document: Any) -> str | None:
    """Whether every block has every key."""
    wanted = {
        "patch": ("supported",),
        "bulk": ("supported", "maxOperations", "maxPayloadSize"),
        "filter": ("supported", "maxResults"),
        "changePassword": ("supported",),
        "sort": ("supported",),
        "etag": ("supported",),
    }
    for block, keys in wanted.items():
        for key in keys:
            if key not in document.get(block, {}):
                return f"{block}.{key} is missing"
    return None if document.get("authenticationSchemes") else "authenticationSchemes is empty"
