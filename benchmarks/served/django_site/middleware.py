"""Every request is somebody's: that a credential is looked up is not part of django-scim2."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def somebody(get_response: Any) -> Any:
    """Call the application as somebody who is signed in."""

    def called(request: Any) -> Any:
        request.user = SimpleNamespace(is_authenticated=True)
        return get_response(request)

    return called
