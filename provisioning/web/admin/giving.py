"""Whoever writes policies through the admin API: the token that is asking, within what it has itself."""

from __future__ import annotations

from provisioning.access import custom_roles
from provisioning.access.policies import Giver
from provisioning.context import context
from provisioning.database import Connection
from provisioning.web.guard import actor, held, token


def giver(connection: Connection) -> Giver:
    """The token that is asking, as one who gives roles of its workspace."""
    roles = custom_roles.of_workspace(connection, workspace_id=token().workspace_id, catalogue=context().catalogue)
    return Giver(actor(), roles, held())
