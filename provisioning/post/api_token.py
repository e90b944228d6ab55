"""The letters about API tokens: that one ends soon, and that one was found where it should not be."""

from __future__ import annotations

from datetime import datetime

from provisioning.post.letters import Letter

_EXPIRING = """\
The API token "{token}" of the workspace "{workspace}" ends at {until} UTC.

What uses it stops working then. Rotate it while it lives: the new secret and
the old one both work for a while, so that nothing stands still.

    provisioning token rotate ID --workspace SLUG --expires-in 90d
"""
_LEAKED = """\
A secret of the API token "{token}" of the workspace "{workspace}" was found
where it should not be, and the token was ended at once.{place}

What used it has stopped working: make a new token for it. Look in the audit
trail for what was done with the old one.
"""


def expiring(*, email: str, workspace: str, token: str, expires_at: datetime) -> Letter:
    """The letter that warns.

    Args:
        email: of whom it warns.
        workspace: the workspace's name.
        token: what the token is called.
        expires_at: when it ends, in UTC.
    """
    body = _EXPIRING.format(token=_line(token), workspace=_line(workspace), until=f"{expires_at:%Y-%m-%d %H:%M}")
    return Letter(email, f"API token ends soon: {_line(token)}", body)


def leaked(*, email: str, workspace: str, token: str, found_at: str | None) -> Letter:
    """The letter that raises an alarm.

    Args:
        email: of whom it tells.
        workspace: the workspace's name.
        token: what the token was called.
        found_at: the address where its secret was found, if that was told.
    """
    place = "" if found_at is None else f"\n\nIt was found at {_line(found_at)}"
    body = _LEAKED.format(token=_line(token), workspace=_line(workspace), place=place)
    return Letter(email, f"API token found in the open, and ended: {_line(token)}", body)


def _line(text: str) -> str:
    """A name on one line: it is somebody else's text."""
    return " ".join(text.split())
