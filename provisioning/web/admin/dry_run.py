"""`?dryRun=true`: a write answers with what it would do to people's access, and saves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, request
from marshmallow import Schema, fields

from provisioning.access.previews import Comparison, Preview
from provisioning.context import context
from provisioning.database import Connection, rehearsal, transaction
from provisioning.refusals import Invalid
from provisioning.web.admin.blueprint import Blueprint, plain
from provisioning.web.admin.paging import PageQuery, Walk, resume
from provisioning.web.guard import token
from provisioning.web.recorded import record


class DryRun(PageQuery):
    """Whether a write is only to say what it would do, and which part of the list of changes is wanted."""

    dryRun = fields.Boolean(  # noqa: N815 - the API's case
        load_default=False, metadata={"description": "Save nothing; answer with who would gain and lose what."}
    )


class _Line(Schema):
    userId = fields.UUID(attribute="user_id")  # noqa: N815 - the API's case
    name = fields.String()
    email = fields.String()
    change = fields.String()
    roleId = fields.String(attribute="role")  # noqa: N815 - the vendor's name
    resource = fields.String()


class _RoleChange(Schema):
    roleId = fields.String(attribute="role")  # noqa: N815 - the vendor's name
    actionsGained = fields.List(fields.String(), attribute="gained")  # noqa: N815 - the API's case
    actionsLost = fields.List(fields.String(), attribute="lost")  # noqa: N815 - the API's case


class _Preview(Schema):
    gains = fields.Integer()
    losses = fields.Integer()
    usersGaining = fields.Integer(attribute="people_gaining")  # noqa: N815 - the API's case
    usersLosing = fields.Integer(attribute="people_losing")  # noqa: N815 - the API's case
    usersAffected = fields.Integer(attribute="people_affected")  # noqa: N815 - the API's case
    usersUnchanged = fields.Integer(attribute="people_unchanged")  # noqa: N815 - the API's case
    changes = fields.List(fields.Nested(_Line), attribute="lines")
    roles = fields.List(fields.Nested(_RoleChange))


_PREVIEW = _Preview()
_MARK = "_provisioning_previewable"


def init_app(app: Flask) -> None:
    """Have a write refused that is asked for a preview and has none: it must never be made instead."""
    app.before_request(_refuse_unpreviewable)


def _refuse_unpreviewable() -> None:
    asks = request.path.startswith("/api") and request.method != "GET" and "dryRun" in plain(request.args)
    if asks and not hasattr(current_app.view_functions.get(request.endpoint or ""), _MARK):
        raise Invalid("This can't be previewed: it gives nobody anything, and takes nothing away.", field="dryRun")


def previewable(blueprint: Blueprint) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a write that can be asked what it would do; it makes its changes within `changing`."""

    def declare(view: Callable[..., Any]) -> Callable[..., Any]:
        @blueprint.arguments(DryRun, location="query")
        @wraps(view)
        def asked(*args: Any, **kwargs: Any) -> Any:
            *sent, query = args
            g.dry_run = resume(query) if query["dryRun"] else None
            done = view(*sent, **kwargs)
            return done if g.dry_run is None else g.preview

        setattr(asked, _MARK, True)
        return asked  # type: ignore[no-any-return]

    return declare


class _Rehearsal(Schema):
    dryRun = fields.Boolean(  # noqa: N815 - the API's case
        load_default=False,
        metadata={"description": "Save nothing; answer as if, without a secret."},
    )


def rehearsable(blueprint: Blueprint) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a write on what is no person: asked for a preview, it answers as if; it makes its changes in `saving`."""

    def declare(view: Callable[..., Any]) -> Callable[..., Any]:
        @blueprint.arguments(_Rehearsal, location="query")
        @wraps(view)
        def asked(*args: Any, **kwargs: Any) -> Any:
            *sent, query = args
            g.rehearses = query["dryRun"]
            return view(*sent, **kwargs)

        setattr(asked, _MARK, True)
        return asked  # type: ignore[no-any-return]

    return declare


def saving() -> AbstractContextManager[Connection]:
    """A connection in a transaction; in one that is never committed where the request only asks what would be."""
    return rehearsal() if g.get("rehearses") else transaction()


def is_preview() -> bool:
    """Whether the request only asks who would gain and who would lose what."""
    return g.get("dry_run") is not None


def rehearses() -> bool:
    """Whether the request only asks what would be."""
    return bool(g.get("rehearses"))


@contextmanager
def changing() -> Iterator[Connection]:
    """A connection in a transaction; in one that is never committed where the request is only to be previewed.

    Where the request has a key, the transaction is the one in which its answer is kept, too.
    """
    if "changing" in g:
        yield g.changing
        return
    walk = g.get("dry_run")
    if walk is None:
        with transaction() as connection:
            yield connection
        return
    with rehearsal() as connection:
        workspace_id = token().workspace_id
        comparison = Comparison(connection, workspace_id=workspace_id, catalogue=context().catalogue)
        yield connection
        found = comparison.difference(start=walk.start + 1, count=walk.count)
    record("access", workspace_id=workspace_id, asked={"preview": f"{request.method} {request.path}"})
    g.preview = _answer(found, walk)


def _answer(found: Preview, walk: Walk) -> Response:
    return jsonify(data={"preview": _PREVIEW.dump(found), "pagination": walk.places(found.total)})
