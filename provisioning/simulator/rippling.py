"""Rippling: driven by events of the personnel file; a member as a single object; what got no answer is sent again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from provisioning.simulator.by_replacement import ByReplacement
from provisioning.simulator.company import Person, Team
from provisioning.simulator.idp import new_group


class Rippling(ByReplacement):
    """It creates groups empty, and changes them by PATCH."""

    name: ClassVar[str] = "rippling"
    headers: ClassVar[Mapping[str, str]] = {"User-Agent": "Rippling SCIM", "Content-Type": "application/scim+json"}

    def push_person(self, number: int, person: Person) -> None:
        """What was created is created again where the answer came late: a conflict is the answer that it needs."""
        known = number in self.user_ids
        super().push_person(number, person)
        if not known and number in self.user_ids and person.active:
            self.client.send("user create again", "POST", "/Users", expect=(409,), body=self.user(person))

    def set_team(self, number: int, team: Team) -> None:
        """One person after another, each as an object."""
        self.patch_team(number, {"op": "replace", "path": "displayName", "value": team.name})
        missing, too_many = self.differing(number, team)
        for member in missing:
            self.patch_team(number, {"op": "add", "path": "members", "value": {"value": member}})
        for member in too_many:
            self.patch_team(number, {"op": "remove", "path": f'members[value eq "{member}"]'})

    def remove_from_team(self, number: int, gone: frozenset[int]) -> None:
        """By a value path each."""
        for member in self.members(gone):
            self.patch_team(number, {"op": "remove", "path": f'members[value eq "{member["value"]}"]'})


class RipplingByPut(Rippling):
    """Without the tick *Use PATCH to edit Groups*: a group is written whole."""

    variant: ClassVar[str | None] = "put"

    def set_team(self, number: int, team: Team) -> None:
        """Its name and the list of all its members."""
        body = {**new_group(team), "members": self.members(team.members)}
        self.client.send("group replace", "PUT", f"/Groups/{self.group_ids[number]}", expect=(200, 204), body=body)

    def change_team(self, number: int) -> None:
        """The whole of it, twice: the answer may get lost."""
        for _ in range(2):
            self.set_team(number, self.company.after.teams[number])
