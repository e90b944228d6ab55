"""How values look on pages: numbers, moments, scopes and reasons, in words."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

from flask import Flask
from markupsafe import Markup

from provisioning.access.policies import Terms
from provisioning.access.rules import ALL, LABELS, RESOURCES, Path, Scope
from provisioning.web.console import lists, seen


def init_app(app: Flask) -> None:
    """Give templates their filters."""
    app.add_template_filter(number)
    app.add_template_filter(moment)
    app.add_template_filter(scope)
    app.add_template_filter(reason)
    app.add_template_filter(counted)
    app.add_template_filter(condition)
    app.add_template_filter(sides)
    app.add_template_filter(length_of)
    app.add_template_filter(gives)
    app.add_template_filter(kinds_of_scope)
    app.add_template_filter(seen.of_member, "seen_of_member")
    app.add_template_global(lists.address, "same_list")
    app.add_template_global(lists.export_address, "export_address")


def number(count: int) -> str:
    """A number with its thousands set apart by a narrow blank."""
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def counted(count: int, one: str, several: str | None = None) -> str:
    """So many of something: `1 person`, `2 people`."""
    return f"{number(count)} {one if count == 1 else several or one + 's'}"


def moment(at: datetime | None) -> Markup:
    """A moment: in UTC, exact on hover; the script shows it in the zone of whoever looks."""
    if at is None:
        return Markup('<span class="soft">never</span>')
    exact = at.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(), exact, at.strftime("%-d %b %Y, %H:%M UTC")
    )


def scope(covered: Scope) -> str:
    """What a policy covers."""
    if covered.kind == ALL:
        return "everything of its kind, now and later"
    if covered.kind == RESOURCES:
        return ", ".join(sorted(map(str, covered.resources)))
    return "labelled " + " and ".join(sorted(covered.labels))


_KINDS_OF_SCOPE = {ALL: "everything", LABELS: "what carries labels", RESOURCES: "listed resources"}


def kinds_of_scope(kinds: Collection[str]) -> str:
    """On what a role can be given."""
    return " or ".join(said for kind, said in _KINDS_OF_SCOPE.items() if kind in kinds)


_REASONS = {
    "membership": "Every member has it.",
    "ownership": "Owners have every action in the workspace.",
    "policy": "Given to this person directly.",
}


def reason(path: Path) -> str:
    """Why somebody has something, as a sentence."""
    if path.via == "group":
        return f"Given to the group {path.group}."
    if path.via == "mapping":
        group = f" through the group {path.group}" if path.group else ""
        return f"The mapping {path.mapping} gives it{group}: {condition(path.condition or '')}."
    return _REASONS[path.via]


_ONE_GROUP = re.compile(r'id eq "[0-9a-f-]{36}"')


def condition(written: str) -> str:
    """The condition of a mapping; the id by which it means one group says nothing to people."""
    return "it means this very group" if _ONE_GROUP.fullmatch(written) else written


def sides(change: Any, name: str) -> tuple[tuple[str, Any], tuple[str, Any]]:
    """What an attribute was and is, as the provisioning log has it; of members, only what came and went is told."""
    is_pair = isinstance(change, list) and not name.startswith("members.")
    before, after = change if is_pair else (None, change)
    return ("Before", before), ("After", after)


_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def length_of(seconds: float) -> str:
    """A length of time in the greatest unit of which it is some: `90 days`, `15 minutes`."""
    whole = int(seconds)
    size, unit = next(((size, unit) for size, unit in _UNITS if whole % size == 0), _UNITS[-1])
    return counted(whole // size, unit)


def gives(terms: Terms) -> str:
    """A role and on what, in a few words."""
    narrowed = [*terms.labels, *terms.resources]
    on = " on " + ", ".join(narrowed) if narrowed else ""
    return f"{terms.role}{on}" + (f", until {terms.ends_at:%Y-%m-%d %H:%M} UTC" if terms.ends_at else "")
