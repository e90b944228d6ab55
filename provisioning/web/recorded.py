"""Records in the audit trail what is told of people's access and sessions and of the trail, where that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from provisioning.audit import reads
from provisioning.context import context
from provisioning.database import transaction
from provisioning.web.guard import actor


def record(about: str, *, workspace_id: UUID, asked: Mapping[str, str], member_id: UUID | None = None) -> None:
    """Record an answer to whoever is asking, before it is given: where that fails, it isn't given."""
    with transaction() as connection:
        reads.record(
            connection,
            workspace_id=workspace_id,
            about=about,
            asked=asked,
            member_id=member_id,
            recorded=context().recorded_answers,
            by=actor(),
        )
