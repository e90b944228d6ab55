"""Declares the pages whose answers are recorded in the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from flask import request

from provisioning.web.console.guard import here
from provisioning.web.recorded import record

P = ParamSpec("P")
T = TypeVar("T")


def recorded(about: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Declare a page whose answers are recorded; it stands below what guards the route."""

    def declare(view: Callable[P, T]) -> Callable[P, T]:
        @wraps(view)
        def told(*args: P.args, **kwargs: P.kwargs) -> T:
            answer = view(*args, **kwargs)
            record(about, workspace_id=here().workspace_id, asked=request.args.to_dict(), member_id=_member_of(kwargs))
            return answer

        return told

    return declare


def _member_of(address: Mapping[str, object]) -> UUID | None:
    member_id = address.get("member_id")
    return member_id if isinstance(member_id, UUID) else None
