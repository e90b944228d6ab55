"""Pages of search results (Authorization API 1.0, section 8.2): a token goes on with the very same question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.refusals import Invalid
from provisioning.sealing import Expired
from provisioning.web import walks

_DEFAULT, _MOST = 100, 1000
_PURPOSE = "authzen"


@dataclass(frozen=True, slots=True)
class Walk:
    """A way through the results of one question.

    Args:
        question: what is asked, digested.
        limit: how many results a page has at the most.
        after: the result behind which the page begins.
    """

    question: str
    limit: int
    after: str | None = None

    def token(self, last: str | None) -> str:
        """What goes on behind a result; empty at the end."""
        if last is None:
            return ""
        return walks.give_out(self.question, self.limit, last)


def walk(sent: Mapping[str, Any], *asked: str) -> Walk:
    """The page that a request asks for.

    Args:
        sent: the request.
        asked: what it asks, so that a token of another question is none.

    Raises:
        Invalid: the limit or the token can't be.
    """
    page = sent.get("page") or {}
    if not isinstance(page, dict):
        raise Invalid("page is not an object.", field="page")
    question = walks.digest((_PURPOSE, *asked))
    limit, token = page.get("limit"), page.get("token")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise Invalid("page.limit is a whole number from 1.", field="page.limit")
    if not token:
        return Walk(question, min(limit or _DEFAULT, _MOST))
    return _gone_on(question, limit, token)


def _gone_on(question: str, limit: int | None, token: Any) -> Walk:
    wrong = Invalid("page.token is none of this question: begin again without one.", field="page.token")
    if not isinstance(token, str):
        raise wrong
    try:
        kept, after = walks.take_back(token, question)
    except (Expired, walks.Foreign):
        raise wrong from None
    if limit is not None and min(limit, _MOST) != kept:
        raise wrong
    return Walk(question, kept, after)
