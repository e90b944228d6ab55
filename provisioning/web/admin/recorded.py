"""Declares the reads of the admin API whose answers are recorded in the audit trail."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request

from provisioning.web.admin.blueprint import plain
from provisioning.web.guard import token
from provisioning.web.recorded import record


def recorded(about: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a read whose answers are recorded; it stands below what guards the route."""

    def declare(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def told(*args: Any, **kwargs: Any) -> Any:
            answer = view(*args, **kwargs)
            asked, member_id = plain(request.args).to_dict(), kwargs.get("user_id")
            record(about, workspace_id=token().workspace_id, asked=asked, member_id=member_id)
            return answer

        return told

    return declare
