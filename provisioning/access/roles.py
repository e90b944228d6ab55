"""Roles: named sets of actions, scoped to resource types. The built-in ones come as data; workspaces add their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.refusals import Invalid

OWNER, MINIMAL = "workspace-owner", "minimal-workspace-access"
EVERYTHING = "*"


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
    built_in: bool = True

    def allows(self, action: str) -> bool:
        """Whether the action is among the role's."""
        return action in self.actions or EVERYTHING in self.actions


class Catalogue:
    """The roles that there are, by key, and what a workspace's own roles can be composed of.

    Args:
        data: the built-in roles, as in `config/roles.py`.
        delegable: actions on the workspace itself that a workspace's own roles may hold, too.
    """

    __slots__ = ("_roles", "_types")

    def __init__(self, data: Iterable[Mapping[str, Any]], delegable: Iterable[str] = ()) -> None:
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
        self._types = {action: frozenset({"workspace"}) for action in delegable} | _types(self._roles.values())

    def __iter__(self) -> Iterator[Role]:
        return iter(self._roles.values())

    def __contains__(self, key: str) -> bool:
        return key in self._roles

    def __getitem__(self, key: str) -> Role:
        return self._roles[key]

    def get(self, key: str) -> Role | None:
        """The role of this key, if there is one."""
        return self._roles.get(key)

    def require(self, key: str) -> Role:
        """The role of this key.

        Raises:
            Invalid: there is none.
        """
        if key not in self._roles:
            raise Invalid(f"There is no role called {key[:64]!r}.", field="role")
        return self._roles[key]

    @property
    def composable(self) -> Mapping[str, frozenset[str]]:
        """The actions that a workspace's own roles can hold, each with the types of resource that it is about."""
        return self._types

    def allowing(self, action: str, resource_type: str | None = None) -> list[Role]:
        """The roles that allow an action; on a type of resource, those that apply to it."""
        return [
            role
            for role in self
            if role.allows(action)
            and (resource_type is None or resource_type in role.resource_types or EVERYTHING in role.actions)
        ]

    def compose(self, *, key: str, name: str, description: str, actions: Iterable[str]) -> Role:
        """A workspace's own role; actions that can't be in one are left out. It is as narrow as all its types allow."""
        held = frozenset(actions) & self._types.keys()
        types = frozenset[str]().union(*(self._types[action] for action in held))
        scopes = frozenset({"all", "resources", "labels"}).intersection(*map(self._scopes, types))
        return Role(key, name, description, held, types, scopes, built_in=False)

    def with_own(self, own: Iterable[Role]) -> Catalogue:
        """The same with a workspace's own roles; a built-in one is never replaced."""
        extended = Catalogue(())
        extended._roles = {role.key: role for role in own} | self._roles
        extended._types = self._types
        return extended

    def _scopes(self, resource_type: str) -> frozenset[str]:
        return frozenset[str]().union(
            *(role.scopes for role in self if not role.modifier and resource_type in role.resource_types)
        )


def _types(roles: Iterable[Role]) -> dict[str, frozenset[str]]:
    """What each action is about: the type that it is named after, else those of the roles that allow it."""
    plain = [role for role in roles if not role.modifier and EVERYTHING not in role.actions]
    known = frozenset[str]().union(*(role.resource_types for role in plain))
    types: dict[str, frozenset[str]] = {}
    for role in plain:
        for action in role.actions:
            noun = action.partition(".")[0]
            types[action] = frozenset({noun}) if noun in known else types.get(action, frozenset()) | role.resource_types
    return types
