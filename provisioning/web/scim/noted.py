"""What is noted of an operation while it is done, for its entry in the provisioning log."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

_LONGEST_TEXT, _LONGEST_VALUE = 500, 300
_LONGEST_NAME, _MOST_NAMES = 100, 50


@dataclass(slots=True)
class Noted:
    """What is known of the operation under way."""

    resource_type: str | None = None
    resource_id: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def note(self, *notes: str) -> None:
        """Note deviations that were put right, and what was ignored."""
        self.notes.extend(map(clean, notes))

    def ignored(self, names: Collection[str]) -> None:
        """Note the attributes that were dropped: their names alone, and of very many the first."""
        distinct = list(dict.fromkeys(names))
        self.note(*(f"ignored {name[:_LONGEST_NAME]}" for name in distinct[:_MOST_NAMES]))
        if len(distinct) > _MOST_NAMES:
            self.note(f"ignored {len(distinct) - _MOST_NAMES} more")

    def target(self, resource_type: str, resource_id: str) -> None:
        """Note which resource the operation works on."""
        self.resource_type, self.resource_id = resource_type, resource_id

    def changed(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Note the attributes that differ."""
        names = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
        self.changes.update({name: [_short(before.get(name)), _short(after.get(name))] for name in sorted(names)})

    def members(self, *, added: Iterable[str], removed: Iterable[str], cleared: bool) -> None:
        """Note whom a change of membership names."""
        named = {"added": list(added), "removed": list(removed)}
        told = {f"members.{name}": _short(who) for name, who in named.items() if who}
        self.changes.update({**told, **({"members.cleared": True} if cleared else {})})


def _short(value: Any) -> Any:
    text = orjson.dumps(value).decode()
    return value if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def clean(text: str) -> str:
    """A text that can be stored, whatever a client has put into it."""
    return text.replace("\0", "").encode(errors="replace").decode()[:_LONGEST_TEXT]
