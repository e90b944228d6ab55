"""Forms: the token that tells ours from others', and what is read of them.

A form is taken when the browser says that a page of ours sent it (`Sec-Fetch-Site`, else `Origin`), and it carries a
token that was sealed for this very session. The token differs on every page, so that nothing can be learnt of it from
the length of compressed answers, and it ends with the session.
"""

from __future__ import annotations

from collections.abc import Container
from uuid import UUID

from flask import request

from provisioning.context import context
from provisioning.refusals import Invalid, NotAllowed
from provisioning.sealing import Unsealable
from provisioning.web.guard import person
from provisioning.web.requests import refuse_other_sites

FIELD = "form_token"
_MOST_DIGITS = 12


def token() -> str:
    """What each form of a page carries, for the session that asked for the page."""
    return context().forms.seal(person().standing.id.bytes)


def refuse_forged() -> None:
    """Take what a page of ours sent, of the session that it was made for.

    Raises:
        NotAllowed: another site sent it, or its token is missing, changed, or another session's.
    """
    refuse_other_sites()
    try:
        sealed_for = UUID(bytes=context().forms.open(request.form.get(FIELD, "")))
    except (Unsealable, ValueError):
        sealed_for = None
    if sealed_for != person().standing.id:
        raise NotAllowed("This form was not made for your session: go back, load the page again and send it once more.")


def text(name: str, *, longest: int = 1000) -> str:
    """A field as it was written, without blanks around it; nothing where it is missing."""
    return request.form.get(name, "").strip()[:longest]


def number(name: str, field: str) -> int | None:
    """A field that holds a whole number; None where nothing is written.

    Args:
        name: as the form calls it.
        field: as the rooms do, for the refusal.

    Raises:
        Invalid: it holds something else.
    """
    written = text(name)
    if not written:
        return None
    if not (written.isascii() and written.isdigit() and len(written) <= _MOST_DIGITS):
        raise Invalid("Write a whole number.", field=field)
    return int(written)


def chosen(name: str, offered: Container[str]) -> str:
    """A field in which one of several was chosen.

    Raises:
        Invalid: it holds something else.
    """
    value = text(name)
    if value not in offered:
        raise Invalid("Choose one of what is offered.", field=name)
    return value


def is_ticked(name: str) -> bool:
    """Whether a box is ticked."""
    return name in request.form
