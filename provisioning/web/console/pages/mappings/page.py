"""The page of mappings, which its views stand on, and how they read one."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint

from provisioning.access import dormant, mappings, proposals
from provisioning.access.mappings import MappingView
from provisioning.access.policies import Giver
from provisioning.database import Connection
from provisioning.web.console.guard import here
from provisioning.web.console.page import Page

blueprint = Blueprint("mappings", __name__)
PAGE = Page("Mappings", "mapping.read", blueprint, "/mappings")


def every(database: Connection) -> list[MappingView]:
    """All mappings in their order, with what waits, and what those that are dormant have lost."""
    return told(database, mappings.every(database, workspace_id=here().workspace_id))


def one(database: Connection, mapping_id: UUID) -> MappingView:
    """One mapping, with the same.

    Raises:
        NotFound: the workspace has none of this id.
    """
    found = mappings.by_id(database, workspace_id=here().workspace_id, mapping_id=mapping_id)
    (mapping,) = told(database, [found])
    return mapping


def told(database: Connection, found: Sequence[MappingView]) -> list[MappingView]:
    """Mappings with what waits, and what those that are dormant have lost."""
    where = {"workspace_id": here().workspace_id}
    return dormant.told(database, found=proposals.told(database, found=found, **where), **where)


def foresee(database: Connection, changed: MappingView, by: Giver) -> None:
    """A preview shows what a change would do once it is confirmed."""
    proposals.foresee(database, workspace_id=here().workspace_id, mapping=changed, giver=by)
