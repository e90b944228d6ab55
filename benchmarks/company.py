"""The company that everybody is measured with: what identity providers send of it, and whom a measurement knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

BASE = "/scim/v2"
USER_URN = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_URN = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK_URN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
LIST_URN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
# Sizes of groups: those that fit into the workspace are there.
GROUPS = (10, 1_000, 10_000, 100_000)
# So many people are in no group, beside those who are counted.
OUTSIDE = 1_000
# So many of the people are known by their ids: what is asked for is drawn from them.
_KNOWN = 200


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is there."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class World:
    """What is there when a measurement begins.

    Args:
        people: how many there are.
        known: some of them, spread evenly.
        outside: people who are in no group.
        groups: the ids of groups, by how many members they have.
        evaluation: the body of an access check that is allowed.
        introspection: the body of an introspection that finds its token active.
        removes_by_path: whether a member is taken out by a filter in the path (RFC 7644), or by values.
        doors: what is sent for authorization at the doors beside SCIM's, by their paths.
    """

    people: int
    known: Sequence[Person]
    outside: Sequence[Person]
    groups: Mapping[int, str]
    evaluation: bytes = b""
    introspection: bytes = b""
    removes_by_path: bool = True
    doors: Mapping[str, str] = field(default_factory=dict)


def name_of(number: int) -> str:
    """The userName of one of the company's people; all are of one length."""
    return f"person-{number:07d}@corp.example"


def numbers(people: int) -> tuple[list[int], list[int]]:
    """The numbers, from 0, of those who are known, and of those who are in no group."""
    return list(range(0, people, max(1, people // _KNOWN)))[:_KNOWN], list(range(people, people + OUTSIDE))


def new_name() -> str:
    """The userName of somebody who is not there yet."""
    return f"joiner-{uuid4().hex[:12]}@corp.example"


def user(user_name: str, **changed: Any) -> dict[str, Any]:
    """A person as identity providers write them."""
    return {
        "schemas": [USER_URN],
        "userName": user_name,
        "active": True,
        "displayName": "Ada Lovelace",
        "title": "Engineer",
        "emails": [{"primary": True, "type": "work", "value": user_name}],
        "name": {"familyName": "Lovelace", "givenName": "Ada"},
        **changed,
    }


def group(name: str, members: Sequence[str] = ()) -> dict[str, Any]:
    """A group as identity providers write it."""
    listed = {"members": [{"value": member} for member in members]} if members else {}
    return {"schemas": [GROUP_URN], "displayName": name, **listed}


def patch(*operations: Mapping[str, Any]) -> dict[str, Any]:
    """A PatchOp (RFC 7644, section 3.5.2)."""
    return {"schemas": [PATCH_URN], "Operations": list(operations)}
