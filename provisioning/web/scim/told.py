"""What is told at the SCIM door, whoever sends it: a view, or the lane."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

from werkzeug.urls import iri_to_uri

from provisioning.scim.errors import ScimError
from provisioning.scim.messages import error_body
from provisioning.scim.projection import Projection
from provisioning.web.failure import Failure
from provisioning.web.scim.operation import Written

_CREATED, _NO_CONTENT, _FIRST_ERROR = 201, 204, 400


class Told(NamedTuple):
    """An answer, before anybody has looked at what its client reads.

    Args:
        document: None where there is nothing to be shown.
        status: of the answer.
        headers: beyond those that say what the document is.
    """

    document: Any
    status: int = 200
    headers: Mapping[str, str] = {}

    @property
    def error(self) -> Mapping[str, Any]:
        """The document of a refusal; empty where nothing was refused."""
        return self.document if self.status >= _FIRST_ERROR else {}


def of_written(written: Written | None, shown: Projection, status: int) -> Told:
    """What an operation left, with its version; what was just created has its location in the headers, too."""
    if written is None or written.resource is None:
        return Told(None, _NO_CONTENT)
    meta = written.resource["meta"]
    headers = {"ETag": meta["version"], **({"Location": _as_sent(meta["location"])} if status == _CREATED else {})}
    return Told(shown.apply(written.resource, written.attributes), status, headers)


def _as_sent(location: str) -> str:
    """An address as it is sent; what comes before its id is that of many."""
    where, _, identifier = location.rpartition("/")
    return f"{_escaped(where)}/{identifier}"


_escaped = functools.lru_cache(maxsize=64)(iri_to_uri)


def of_failure(failure: Failure) -> Told:
    """Why it was not carried out (RFC 7644, section 3.12)."""
    error = ScimError(failure.sentence, status=failure.status, scim_type=failure.scim_type)
    return Told(error_body(error), failure.status, failure.headers)
