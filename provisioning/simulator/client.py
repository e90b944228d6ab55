"""Sends requests as an identity provider does, measures them, and judges every answer; a wrong one is a violation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

USER_URN = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_URN = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_LIST_URN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_TIMEOUT_SECONDS = 60  # Okta's; Entra ID's is not told
_MOST_TRIES = 4
_LONGEST_WAIT_SECONDS = 10


class Unreachable(Exception):
    """Nobody answers at the address."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One request: what it was for, how long the answer took, and what was wrong with it."""

    operation: str
    milliseconds: float
    violation: str | None


class Client:
    """One identity provider's HTTP client; threads share it.

    Args:
        base_url: the service's SCIM base URL.
        token: the bearer credential; it is never shown.
        headers: what this identity provider sends with every request.
        done: called after every request.
    """

    def __init__(
        self, base_url: str, token: str, *, headers: Mapping[str, str], done: Callable[[Sample], None]
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/scim+json", **headers}
        self._local = threading.local()
        self._done = done

    def send(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        expect: tuple[int, ...],
        body: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        check: Callable[[Any], str | None] = lambda _document: None,
    ) -> Any:
        """Send one request and judge the answer.

        Args:
            operation: what it is for, in the report.
            method: of HTTP.
            path: under the base URL.
            expect: the statuses that the identity provider takes for success.
            body: sent as JSON.
            params: of the address.
            headers: of this request alone.
            check: looks at the answer's document, and says what is wrong with it.

        Returns:
            The answer's document; None where there is none or it is wrong.

        Raises:
            Unreachable: nobody answers.
        """
        started = time.perf_counter()
        answer = self._ask(method, path, body, params, headers)
        milliseconds = (time.perf_counter() - started) * 1000
        walks = params is not None and "cursor" in params
        document, violation = _judge(answer, expect, walks=walks)
        if violation is None and document is not None:
            violation = check(document)
        told = None if violation is None else f"{operation}: {method} {path} {dict(params or {})}: {violation}"
        self._done(Sample(operation, milliseconds, told))
        return document if violation is None else None

    def _ask(
        self,
        method: str,
        path: str,
        body: Any,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> requests.Response:
        for tried in range(1, _MOST_TRIES + 1):
            try:
                address = f"{self._base_url}{path}"
                answer = self._session().request(
                    method, address, json=body, params=params, headers=headers, timeout=_TIMEOUT_SECONDS
                )
            except requests.RequestException as error:
                raise Unreachable(f"{self._base_url} does not answer ({type(error).__name__})") from None
            wait = answer.headers.get("Retry-After", "")
            if answer.status_code != requests.codes.too_many_requests or not wait.isdigit() or tried == _MOST_TRIES:
                break
            time.sleep(min(int(wait), _LONGEST_WAIT_SECONDS))
        return answer

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.headers.update(self._headers)
        session: requests.Session = self._local.session
        return session


def _judge(answer: requests.Response, expect: tuple[int, ...], *, walks: bool) -> tuple[Any, str | None]:
    """The document of an answer, and what every identity provider would find wrong with it."""
    if answer.status_code not in expect:
        return None, f"expected {' or '.join(map(str, expect))}, got {answer.status_code}: {answer.text[:300]}"
    if not answer.content:
        return None, None if answer.status_code == requests.codes.no_content else "the answer has no body"
    if answer.headers.get("Content-Type", "").split(";")[0] not in {"application/scim+json", "application/json"}:
        return None, f"the Content-Type is {answer.headers.get('Content-Type')!r}"
    try:
        document = answer.json()
    except ValueError:
        return None, "the body is not JSON"
    if not isinstance(document, dict) or not isinstance(document.get("schemas"), list):
        return None, "the document lists no schemas"
    return document, _wrong_list(document, walks=walks) if _LIST_URN in document["schemas"] else _wrong_resource(
        document, answer
    )


def _wrong_list(document: dict[str, Any], *, walks: bool) -> str | None:
    """What is wrong with a list; a walk with cursors has no place by number (RFC 9865, section 2)."""
    for name in ("totalResults", "itemsPerPage", *(() if walks else ("startIndex",))):
        if type(document.get(name)) is not int:
            return f"{name} is {document.get(name)!r}, and must be a number"
    if len(document.get("Resources", [])) != document["itemsPerPage"]:
        return f"itemsPerPage is {document['itemsPerPage']}, and there are {len(document.get('Resources', []))}"
    return None


def _wrong_resource(document: dict[str, Any], answer: requests.Response) -> str | None:
    kinds = {USER_URN, GROUP_URN} & set(document["schemas"])
    if not kinds:
        return None
    identifier, meta = document.get("id"), document.get("meta", {})
    if not isinstance(identifier, str) or not identifier or "bulkid" in identifier.lower():
        return f"the id is {identifier!r}"
    if "meta" in document and not str(meta.get("location", "")).endswith(f"/{identifier}"):
        return f"meta.location is {meta.get('location')!r}"
    if answer.status_code == requests.codes.created and answer.headers.get("Location") != meta.get("location"):
        return f"the Location header is {answer.headers.get('Location')!r}, and meta.location {meta.get('location')!r}"
    return None
