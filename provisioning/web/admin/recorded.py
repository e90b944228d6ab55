"""Records in the audit trail what is told of people's access and sessions and of the trail, where that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from uuid import UUID

from flask import request

from provisioning.audit import reads
from provisioning.context import context
from provisioning.database import transaction
from provisioning.web.admin.blueprint import plain
from provisioning.web.guard import actor, token


def recorded(about: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a read whose answers are recorded; it stands below what guards the route."""

    def declare(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def told(*args: Any, **kwargs: Any) -> Any:
            answer = view(*args, **kwargs)
            record(about, asked=plain(request.args).to_dict(), member_id=kwargs.get("user_id"))
            return answer

        return told

    return declare


def record(about: str, *, asked: Mapping[str, str], member_id: UUID | None = None) -> None:
    """Record an answer before it is given: where that fails, it isn't given."""
    with transaction() as connection:
        reads.record(
            connection,
            workspace_id=token().workspace_id,
            about=about,
            asked=asked,
            member_id=member_id,
            recorded=context().recorded_answers,
            by=actor(),
        )
