"""What a change would do, in numbers, before anybody says yes: really made, compared, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from provisioning.access.previews import Comparison, Preview
from provisioning.context import context
from provisioning.database import Connection, rehearsal
from provisioning.web.console.guard import here
from provisioning.web.recorded import record

# So many lines of a preview are told on a page.
SHOWN = 50


def preview(change: Callable[[Connection], Any]) -> Preview:
    """Who would gain and who would lose what by a change; what would be refused is refused.

    Args:
        change: does it, on the connection that it is given.
    """
    with rehearsal() as connection:
        comparison = Comparison(connection, workspace_id=here().workspace_id, catalogue=context().catalogue)
        change(connection)
        found = comparison.difference(start=1, count=SHOWN)
    record("access", workspace_id=here().workspace_id, asked={"preview": f"{request.method} {request.path}"})
    return found
