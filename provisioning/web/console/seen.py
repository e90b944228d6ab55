"""What whoever sends a form has seen: where that is another by now, they are told what, and nothing is changed.

A form carries what it was made of, in a few words, as If-Match carries a tag at the admin API.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from provisioning.directory.groups import GroupView
from provisioning.directory.roster import MemberView
from provisioning.refusals import Stale
from provisioning.web.console import forms

FIELD = "seen"
_LONGEST = 10_000


def of_group(group: GroupView) -> str:
    """A group, as a form of it has it."""
    return _written(_of_group(group))


def of_member(member: MemberView) -> str:
    """A member, as a form about them has them."""
    return _written(_of_member(member))


def require_group(group: GroupView) -> None:
    """Refuse a form that was made of a locked group before it changed.

    Raises:
        Stale: it is another than the form has it.
    """
    _require("this group", _of_group(group), "who is in it has changed")


def require_member(member: MemberView) -> None:
    """Refuse a form that was made of a locked member before they changed.

    Raises:
        Stale: they are another than the form has them.
    """
    _require("this person", _of_member(member), "their profile has changed")


def _of_group(group: GroupView) -> dict[str, Any]:
    return {"name": group.display_name, "kind": "linked" if group.linked else "local", "version": group.version}


def _of_member(member: MemberView) -> dict[str, Any]:
    state = "active" if member.active else "suspended"
    kind = "owner" if member.owner else "member"
    reach = "protected" if member.protected else "not protected"
    return {"name": member.display_name, "state": state, "kind": kind, "reach": reach, "version": member.version}


def _written(told: Mapping[str, Any]) -> str:
    return orjson.dumps(told).decode()


def _require(what: str, now: Mapping[str, Any], otherwise: str) -> None:
    sent = forms.text(FIELD, longest=_LONGEST)
    if sent == _written(now):
        return
    told = [f"{name} is {value} now" for name, value in _changed(sent, now) if name != "version"]
    raise Stale(f"Somebody has changed {what} since the page was made: {', '.join(told) or otherwise}.")


def _changed(sent: str, now: Mapping[str, Any]) -> list[tuple[str, Any]]:
    try:
        before = orjson.loads(sent)
    except orjson.JSONDecodeError:
        before = {}
    known = before if isinstance(before, dict) else {}
    return [(name, value) for name, value in now.items() if name in known and known[name] != value]
