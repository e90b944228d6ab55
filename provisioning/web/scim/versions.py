"""Versions of resources (RFC 7644, section 3.14): weak entity tags, and what a client's conditions say of them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from werkzeug.datastructures import ETags

from provisioning.directory.groups import GroupView
from provisioning.directory.roster import MemberView
from provisioning.scim.errors import PreconditionFailed


class Named(Protocol):
    """A group that a User is in."""

    @property
    def id(self) -> UUID | str:
        """Its id."""

    @property
    def display_name(self) -> str:
        """Its displayName."""


def of_user(member: MemberView) -> str:
    """A User's tag: it changes with what the User shows, the groups too, which are kept elsewhere."""
    return f"{member.version}.{digest(member.groups)}" if member.groups else str(member.version)


def digest(groups: Sequence[Named]) -> str:
    """What groups add to the tag of a User who is in them."""
    shown = "".join([f"{group.id}{group.display_name}" for group in groups])
    return f"{zlib.crc32(shown.encode()):08x}"


def of_group(group: GroupView) -> str:
    """A Group's tag: who joins or leaves changes it, too."""
    return str(group.version)


def require_match(current: str, condition: ETags) -> None:
    """Look at `If-Match`: a client that has seen an older version may not change this one.

    What is derived, a User's groups, may have changed since: nobody can write it, so that nothing is lost.

    Raises:
        PreconditionFailed: the client has seen another version.
    """
    seen = {tag.partition(".")[0] for tag in condition.as_set(include_weak=True)}
    if condition and not condition.star_tag and current.partition(".")[0] not in seen:
        raise PreconditionFailed(f'The resource has changed: its version is W/"{current}". Read it again.')


def is_known(current: str, condition: ETags) -> bool:
    """Look at `If-None-Match`: whether the client has this very version already."""
    return bool(condition) and condition.contains_weak(current)
