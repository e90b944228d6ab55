"""API tokens that ask: made out by their secret, along with what they look for, and counted.

No application is at work here: views have it done by `guard`, and lanes by themselves.
"""

from __future__ import annotations

from provisioning.access import facts
from provisioning.access.roles import Catalogue
from provisioning.access.rules import Facts
from provisioning.context import Context
from provisioning.database import Connection
from provisioning.directory.looks import Look
from provisioning.pace import Measure
from provisioning.prepared import Prepared, Row
from provisioning.tokens import standing
from provisioning.tokens.standing import TokenView

# Stands in the environment of a request whose token was counted before it came to its view. No header does.
MEASURED = "provisioning.measured"
_BY_SECRET = facts.with_policies(standing.BY_SECRET, "token")


def along(wanted: facts.Along) -> Prepared:
    """The statement of a `Look` for `by_secret`.

    Args:
        wanted: by the token that asks; a row whose first column is null counts as none.
    """
    return facts.with_policies(standing.BY_SECRET, "token", wanted)


def by_secret(
    database: Connection, digest: bytes, *, catalogue: Catalogue, look: Look | None = None
) -> tuple[TokenView, Facts, Row | None] | None:
    """The API token of a secret, if it lives at this moment, what its access rests on, and what it looks for."""
    statement, values = (_BY_SECRET, {}) if look is None else look
    known = facts.held_by(database, statement, {**values, "digest": digest}, catalogue=catalogue)
    if known is None:
        return None
    row, held = known
    found = row[standing.COLUMNS :]
    return standing.view(row[: standing.COLUMNS]), held, tuple(found) if found and found[0] is not None else None


def count(token: TokenView, means: Context) -> Measure:
    """Count a request of an API token."""
    return means.pace.measure("token", str(token.id), means.api_requests_per_minute)


def rates(measure: Measure) -> dict[str, str]:
    """How much may still be asked, in the headers of the vendor's API."""
    return {
        "X-RateLimit-Limit": str(measure.limit),
        "X-RateLimit-Consumed": str(measure.asked),
        "X-RateLimit-Remaining": str(measure.left),
        "X-RateLimit-Reset": str(measure.seconds),
    }
