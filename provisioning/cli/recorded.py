"""Records in the audit trail what the operator was told of people's access and of the trail, where that is wanted."""

from __future__ import annotations

from uuid import UUID

from provisioning.audit import reads
from provisioning.cli.service import OPERATOR
from provisioning.context import context
from provisioning.database import transaction


def record(about: str, *, workspace_id: UUID, member_id: UUID | None = None, **asked: object) -> None:
    """Record an answer before it is printed.

    Args:
        about: what it is about: `access`, `sessions` or `trail`.
        workspace_id: of which workspace it tells something.
        member_id: of which member, where it is about one.
        asked: what was asked for; None for what was not.
    """
    with transaction() as connection:
        reads.record(
            connection,
            workspace_id=workspace_id,
            about=about,
            asked={name: str(value) for name, value in asked.items() if value is not None},
            member_id=member_id,
            recorded=context().recorded_answers,
            by=OPERATOR,
        )
