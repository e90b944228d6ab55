"""Mappings that wait for what the identity provider doesn't say: their group is lost, or no group meets them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, exists, false, func, or_, select
from sqlalchemy.engine import Connection

from provisioning.access import dormant, mappings
from provisioning.access.models import MappingRow
from provisioning.differences import Of, line
from provisioning.directory import extensions
from provisioning.directory.filters import Viewer, over_groups
from provisioning.directory.models import Group, LostGroup
from provisioning.scim.errors import InvalidFilter


def lines(connection: Connection, of: Of) -> Mapping[str, Select[*tuple[Any, ...]]]:
    """The differences of each kind, as statements; mappings that no group meets are of no connection."""
    found = {"dormant_mapping": _dormant(of)}
    return found if of.connection_id is not None else {**found, "unmet_mapping": _unmet(connection, of)}


def _dormant(of: Of) -> Select[*tuple[Any, ...]]:
    columns = line(
        "dormant_mapping",
        id=cast(MappingRow.id, Text),
        connection_id=LostGroup.connection_id,
        subject="mapping",
        subject_id=MappingRow.id,
        name=MappingRow.name,
        says=func.concat("the group ", LostGroup.display_name, " is pushed no more"),
        holds="nothing is given",
        since=LostGroup.lost_at,
    )
    bound = and_(
        LostGroup.workspace_id == MappingRow.workspace_id,
        func.lower(MappingRow.condition) == func.concat('id eq "', LostGroup.id, '"'),
    )
    here = (MappingRow.resource_type == "Group", *of.which(LostGroup.workspace_id, LostGroup.connection_id))
    return select(*columns).join(LostGroup, bound).where(*here)


def _unmet(connection: Connection, of: Of) -> Select[*tuple[Any, ...]]:
    """Whom a condition about people means isn't asked: that would go through all of them."""
    columns = line(
        "unmet_mapping",
        id=cast(MappingRow.id, Text),
        subject="mapping",
        subject_id=MappingRow.id,
        name=MappingRow.name,
        says="no group meets the condition",
        holds="nothing is given",
        since=None,
    )
    here = (MappingRow.workspace_id == of.workspace_id, MappingRow.enabled)
    return select(*columns).where(*here, or_(false(), *_unmet_ones(connection, of)))


def _unmet_ones(connection: Connection, of: Of) -> Iterator[ColumnElement[bool]]:
    viewer = Viewer(extensions.kinds(connection, workspace_id=of.workspace_id))
    every = mappings.every(connection, workspace_id=of.workspace_id)
    for mapping in dormant.told(connection, workspace_id=of.workspace_id, found=every):
        rule = mapping.rule
        if mapping.state != "active" or rule.resource_type != "Group" or rule.condition is None:
            continue
        try:
            meets = over_groups(viewer).condition(mappings.parsed(rule.condition))
        except InvalidFilter:
            yield MappingRow.id == mapping.id
            continue
        linked = (Group.workspace_id == of.workspace_id, Group.connection_id.is_not(None))
        yield and_(MappingRow.id == mapping.id, ~exists().where(*linked, meets))
