"""What must hold of API tokens, however workers were killed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning.invariants import Finding, look
from provisioning.tokens.models import ApiToken


def findings(connection: Connection, *, within: timedelta) -> Sequence[Finding]:
    """Tokens whose time has been over for so long, and that are not marked as ended."""
    over = ApiToken.expires_at <= func.clock_timestamp() - within
    past = select(ApiToken.id).where(ApiToken.ended_at.is_(None), over)
    return [look(connection, "tokens_past_their_end_and_live", past)]
