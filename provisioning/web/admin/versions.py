"""Lost updates: what is read has an entity tag, and `If-Match` is looked at before a change (RFC 9110, 13.1.1).

The tag is a digest of what is shown: no row keeps it, and a client that sends no condition costs no statement more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
from flask import Flask, current_app, request

from provisioning.refusals import Stale

_MARK = "_provisioning_versioned"
_View = TypeVar("_View", bound=Callable[..., Any])


def init_app(app: Flask) -> None:
    """Have a conditional write refused where nothing is compared: nobody is left to believe that it was."""
    app.before_request(_refuse_unversioned)


def _refuse_unversioned() -> None:
    asks = request.path.startswith("/api") and request.method != "GET" and "If-Match" in request.headers
    if asks and not hasattr(current_app.view_functions.get(request.endpoint or ""), _MARK):
        raise Stale("There is no version here that If-Match could be compared with: nothing was changed.")


def versioned(view: _View) -> _View:
    """Declare a write that looks at `If-Match`; it does so by `require_match`."""
    setattr(view, _MARK, True)
    return view


def tag(*shown: Any) -> str:
    """The entity tag of what is shown: another one whenever anything of it is another."""
    written = orjson.dumps(shown, default=_listed, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.sha256(written).hexdigest()[:32]


def _listed(several: Any) -> list[Any]:
    if not isinstance(several, set | frozenset):
        raise TypeError(type(several).__name__)
    return sorted(several, key=str)


def with_tag(answer: Mapping[str, Any], current: str) -> Any:
    """An answer along with its entity tag."""
    return answer, {"ETag": f'"{current}"'}


def require_match(*current: Callable[[], str]) -> None:
    """Look at `If-Match`: whoever has seen an older version may not change this one.

    Args:
        current: read the tags of what is there now, each of which will do; called only where there is a condition.

    Raises:
        Stale: the client has seen another version.
    """
    if "If-Match" not in request.headers:
        return
    seen = request.if_match
    if not any(seen.contains(read()) for read in current):
        raise Stale("This has changed since it was read: read it again. Nothing was changed.")
