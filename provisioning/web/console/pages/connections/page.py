"""The page that all parts about connections belong to, and what they have in common."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint

from provisioning.context import context
from provisioning.database import Connection, reading
from provisioning.directory import connections
from provisioning.directory.connections import ConnectionView
from provisioning.web.console.guard import here
from provisioning.web.console.page import Page

blueprint = Blueprint("connections", __name__)
PAGE = Page("Connections", "connection.read", blueprint, "/connections")


def held_in(database: Connection, connection_id: UUID) -> ConnectionView:
    """The connection of an address, of the workspace of the page.

    Raises:
        NotFound: the workspace has no such connection.
    """
    return connections.by_id(database, workspace_id=here().workspace_id, connection_id=connection_id)


def found(connection_id: UUID) -> ConnectionView:
    """The same, for pages that read nothing else."""
    with reading() as database:
        return held_in(database, connection_id)


def where(connection: ConnectionView) -> dict[str, Any]:
    """What rooms are told about a connection of this workspace."""
    return {"workspace_id": connection.workspace_id, "connection_id": connection.id}


def base_url() -> str:
    """Where identity providers find the service."""
    return f"{context().public_url}/scim/v2"
