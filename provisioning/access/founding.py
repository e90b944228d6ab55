"""Founding a workspace: itself, and the labels that every workspace is born with."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from provisioning.access import labels
from provisioning.directory import workspaces
from provisioning.directory.workspaces import WorkspaceView
from provisioning.outbox import Actor


def found_workspace(connection: Connection, *, slug: str, name: str, hipaa_eligible: bool, by: Actor) -> WorkspaceView:
    """Create a workspace as it is born.

    Raises:
        Invalid: the slug or name has not the form it needs.
        Conflict: the slug is taken.
    """
    workspace = workspaces.create(connection, slug=slug, name=name, hipaa_eligible=hipaa_eligible, by=by)
    labels.create_born_with(connection, workspace_id=workspace.id)
    return workspace
