"""What a change would do, in numbers, before anybody says yes: really made, compared, and taken back.

That takes seconds where there are many people. So a question is told at two addresses: at its own it is there at once,
without numbers, and its page has them counted at the other, which answers with the same page and the numbers in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Blueprint, request

from provisioning.access.previews import Comparison, Preview
from provisioning.context import context
from provisioning.database import Connection, rehearsal, rehearse
from provisioning.web.console.guard import here
from provisioning.web.recorded import record

View = TypeVar("View", bound=Callable[..., Any])

# So many lines of a preview are told on a page.
SHOWN = 50
_NUMBERS, _ENDPOINT = "/numbers", "_numbers"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What is known of a change that somebody is asked about.

    Args:
        asked_at: the question's own address.
        preview: who would gain and who would lose what; None until it is counted.
    """

    asked_at: str
    preview: Preview | None = None

    @property
    def counted_at(self) -> str:
        """The address at which it is counted."""
        return self.asked_at + _NUMBERS


def counts(blueprint: Blueprint, rule: str) -> Callable[[View], View]:
    """Declare that what a question would do is counted below its own address; it stands above what guards the route.

    Args:
        blueprint: the question's.
        rule: its address.
    """

    def declare(view: View) -> View:
        blueprint.add_url_rule(rule + _NUMBERS, view.__name__ + _ENDPOINT, view, methods=["POST"])
        return view

    return declare


def is_counting() -> bool:
    """Whether the numbers of a question are asked for, which is never an answer to it."""
    return (request.endpoint or "").endswith(_ENDPOINT)


def foreseen(change: Callable[[Connection], Any], *, tried: bool = False) -> Foreseen:
    """What is known of a change: who would gain and who would lose what by it, where that is asked for.

    Args:
        change: does it, on the connection that it is given, and is refused as it would be.
        tried: whether what would be refused is refused before anything is counted: for what is written in a form.
    """
    if is_counting():
        return Foreseen(request.path.removesuffix(_NUMBERS), _counted(change))
    if tried:
        rehearse(change)
    return Foreseen(request.path)


def _counted(change: Callable[[Connection], Any]) -> Preview:
    with rehearsal() as connection:
        comparison = Comparison(connection, workspace_id=here().workspace_id, catalogue=context().catalogue)
        change(connection)
        found = comparison.difference(start=1, count=SHOWN)
    record("access", workspace_id=here().workspace_id, asked={"preview": f"{request.method} {request.path}"})
    return found
