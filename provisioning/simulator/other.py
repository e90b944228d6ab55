"""One that speaks RFC 7644 to the letter: discovery, conditions on versions, cursors, PATCH with paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from provisioning.simulator.by_replacement import ByReplacement
from provisioning.simulator.client import PATCH_URN
from provisioning.simulator.company import Person

_PAGE = 100


class Other(ByReplacement):
    """What the service says that it can do is used."""

    name: ClassVar[str] = "other"
    headers: ClassVar[Mapping[str, str]] = {"User-Agent": "scim-client/1.0", "Content-Type": "application/scim+json"}
    deletes: ClassVar[bool] = True

    def connection_test(self) -> None:
        """All of discovery."""
        for path in ("/ServiceProviderConfig", "/ResourceTypes", "/Schemas"):
            self.client.send("discovery", "GET", path, expect=(200,))

    def full(self) -> None:
        """Everybody, every team, and then the teams that are in teams."""
        super().full()
        for number, team in self.company.before.teams.items():
            for inner in team.teams & self.group_ids.keys():
                if number in self.group_ids:
                    self._put_inside(self.group_ids[number], self.group_ids[inner])

    def _put_inside(self, identifier: str, inner: str) -> None:
        """A service may refuse groups in groups, in words; one that says yes must have them afterwards."""
        path, member = f"/Groups/{identifier}", {"value": inner, "type": "Group"}
        body = {"schemas": [PATCH_URN], "Operations": [{"op": "add", "path": "members", "value": [member]}]}
        answer = self.client.send("group in a group", "PATCH", path, expect=(200, 204, 400), body=body, check=_in_words)
        if answer is not None and answer.get("status") == "400":
            return

        def has_it(document: Any) -> str | None:
            there = {one["value"] for one in document.get("members", [])}
            return None if inner in there else "a group was taken as a member, and is none"

        self.client.send("group read", "GET", path, expect=(200,), check=has_it)
        body = {"schemas": [PATCH_URN], "Operations": [{"op": "remove", "path": f'members[value eq "{inner}"]'}]}
        self.client.send("group in a group", "PATCH", path, expect=(200, 204), body=body)

    def update(self, identifier: str, person: Person) -> None:
        """Read, then change what differs, if nobody else has changed it since."""
        read = self.client.send("user read", "GET", f"/Users/{identifier}", expect=(200,))
        if read is None:
            return
        wanted = {name: value for name, value in self.user(person).items() if name != "schemas"}
        operations = [
            {"op": "replace", "path": name, "value": value} for name, value in wanted.items() if read.get(name) != value
        ]
        if not operations:
            return
        body = {"schemas": [PATCH_URN], "Operations": operations}
        path, seen = f"/Users/{identifier}", {"If-Match": read["meta"]["version"]}
        check = self.as_sent(person)
        self.client.send("user change", "PATCH", path, expect=(200,), body=body, headers=seen, check=check)
        self.client.send("user change, late", "PATCH", path, expect=(412,), body=body, headers=seen)

    def remove_from_team(self, number: int, gone: frozenset[int]) -> None:
        """By a value path that names several."""
        terms = " or ".join(f'value eq "{member["value"]}"' for member in self.members(gone))
        if terms:
            self.patch_team(number, {"op": "remove", "path": f"members[{terms}]"})

    def everybody(self) -> list[dict[str, Any]]:
        """A walk with cursors (RFC 9865)."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            params = {"cursor": cursor, "count": str(_PAGE)}
            page = self.client.send("walk", "GET", "/Users", expect=(200,), params=params)
            if page is None:
                return found
            found += page["Resources"]
            cursor = page.get("nextCursor")
        return found


def _in_words(document: Any) -> str | None:
    """A refusal says what it is about (RFC 7644, section 3.12)."""
    is_refusal = "status" in document
    return "it refuses, and does not say why" if is_refusal and not document.get("detail") else None
