"""The admin API's blueprint: reads query strings as the vendor's SDKs write them.

One of them sends `pagination[count]=2`, the other `pagination={"count": 2}`; a list comes as `emails[0]=...`, as
`emails[]=...` or as the name again and again.
"""

from __future__ import annotations

import re
from typing import Any

import orjson
from flask import Request
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import Schema
from webargs.flaskparser import FlaskParser
from webargs.multidictproxy import MultiDictProxy
from werkzeug.datastructures import MultiDict

_ELEMENT = re.compile(r"(.+)\[\d*\]", re.ASCII)


class _Parser(FlaskParser):
    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """The query string's values under the names that the schemas use."""
        return MultiDictProxy(plain(req.args), schema)


def plain(query: MultiDict[str, str]) -> MultiDict[str, str]:
    """One spelling of the many: `pagination[...]` for parts of pages, and lists by repetition."""
    values: MultiDict[str, str] = MultiDict()
    for name, value in query.items(multi=True):
        if name == "pagination":
            values.update(_parts(value))
        else:
            element = _ELEMENT.fullmatch(name)
            values.add(element[1] if element else name, value)
    return values


def _parts(written: str) -> dict[str, str]:
    """The parts of a page that is asked for as JSON; what is no JSON object is refused by what its parts lack."""
    if not written:
        return {}
    try:
        asked = orjson.loads(written)
    except orjson.JSONDecodeError:
        asked = None
    if not isinstance(asked, dict):
        return {"pagination[count]": written}
    return {f"pagination[{name}]": str(value) for name, value in asked.items() if value is not None}


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    """A part of the admin API."""

    ARGUMENTS_PARSER = _Parser()
