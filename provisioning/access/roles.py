"""Roles: named sets of actions, scoped to resource types. The built-in ones come as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.refusals import Invalid

OWNER, MINIMAL = "workspace-owner", "minimal-workspace-access"


@dataclass(frozen=True, slots=True)
class Role:
    """A role; `key` is stable, `name` is what people see."""

    key: str
    name: str
    description: str
    actions: frozenset[str]
    resource_types: frozenset[str]
    scopes: frozenset[str]
    modifier: bool = False


class Catalogue:
    """The roles that there are, by key."""

    __slots__ = ("_roles",)

    def __init__(self, data: Iterable[Mapping[str, Any]]) -> None:
        roles = (
            Role(
                key=entry["key"],
                name=entry["name"],
                description=entry["description"],
                actions=frozenset(entry["actions"]),
                resource_types=frozenset(entry["resource_types"]),
                scopes=frozenset(entry["scopes"]),
                modifier=entry.get("modifier", False),
            )
            for entry in data
        )
        self._roles = {role.key: role for role in roles}

    def __iter__(self) -> Iterator[Role]:
        return iter(self._roles.values())

    def __getitem__(self, key: str) -> Role:
        return self._roles[key]

    def __contains__(self, key: str) -> bool:
        return key in self._roles

    def require(self, key: str) -> Role:
        """The role of this key.

        Raises:
            Invalid: there is none.
        """
        if key not in self._roles:
            raise Invalid(f"There is no role called {key!r}.", field="role")
        return self._roles[key]
