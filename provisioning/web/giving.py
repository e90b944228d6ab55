"""Whoever writes policies or makes programs, at whichever door: within what they have themselves."""

from __future__ import annotations

from uuid import UUID

from provisioning.access import custom_roles
from provisioning.access.policies import Giver
from provisioning.access.rules import Facts
from provisioning.context import context
from provisioning.database import Connection
from provisioning.web.guard import actor


def giver(connection: Connection, workspace_id: UUID, facts: Facts, person: UUID | None = None) -> Giver:
    """Whoever is asking, as one who gives roles of a workspace.

    Args:
        connection: to read the workspace's own roles with.
        workspace_id: the workspace.
        facts: what they have themselves there.
        person: the member whose own word it is, where it is certain that nobody else gives it.
    """
    roles = custom_roles.of_workspace(connection, workspace_id=workspace_id, catalogue=context().catalogue)
    return Giver(actor(), roles, facts, person)
