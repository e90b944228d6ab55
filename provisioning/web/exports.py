"""What is taken along whole, sent while it is read: who has access to what, and the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from flask import Response, stream_with_context

from provisioning.access import export as access_export
from provisioning.audit import export as audit_export
from provisioning.audit.export import Wanted
from provisioning.context import context
from provisioning.database import reading

_MEDIA = {"csv": "text/csv", "ndjson": "application/x-ndjson"}


def access(workspace_id: UUID) -> Response:
    """Everybody's roles with every path to each, as a table in CSV."""
    table = access_export.as_csv(reading, workspace_id=workspace_id, catalogue=context().catalogue)
    return _file(table, "access", "csv")


def trail(wanted: Wanted, form: str) -> Response:
    """A workspace's trail, oldest first.

    Args:
        wanted: which part of it.
        form: `csv` or `ndjson`.
    """
    return _file((piece.text for piece in audit_export.pieces(reading, wanted, form=form)), "audit", form)


def _file(lines: Iterator[str], name: str, form: str) -> Response:
    response = Response(stream_with_context(lines), mimetype=_MEDIA[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response
