"""A workspace's own schema extensions: what its admins register, and the types of resource that come of it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Text, cast, delete, insert, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.directory.events import SchemaChanged, SchemaRegistered, SchemaRemoved
from provisioning.directory.models import Group, Member, SchemaExtension, Workspace
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, Invalid, NotFound
from provisioning.scim.errors import ScimError
from provisioning.scim.extensions import STANDARD, Kinds, keeps_to, read_schema
from provisioning.scim.messages import schema_body
from provisioning.scim.schema import Schema

MOST = 20
_HOLDERS: dict[str, Any] = {"User": Member, "Group": Group}


@dataclass(frozen=True, slots=True)
class ExtensionView:
    """An extension as it is shown: the definition is a Schema as in RFC 7643, section 7."""

    resource_type: str
    definition: dict[str, Any]
    created_at: datetime


_VIEW = select(SchemaExtension.resource_type, SchemaExtension.definition, SchemaExtension.created_at)

# All of a workspace's extensions as one text, for whoever reads the workspace's row anyway; None where it has none.
OF_WORKSPACE = (
    select(
        cast(
            func.json_agg(
                aggregate_order_by(
                    func.json_build_array(SchemaExtension.resource_type, SchemaExtension.definition),
                    SchemaExtension.created_at,
                )
            ),
            Text,
        )
    )
    .where(SchemaExtension.workspace_id == Workspace.id)
    .correlate(Workspace)
    .scalar_subquery()
)


@functools.lru_cache(maxsize=512)
def kinds_of(definitions: str | None) -> Kinds:
    """The types of resource that a text of `OF_WORKSPACE` makes: the same text makes the very same ones."""
    if definitions is None:
        return STANDARD
    return STANDARD.extended((kind, read_schema(definition)) for kind, definition in orjson.loads(definitions))


def kinds(connection: Connection, *, workspace_id: UUID) -> Kinds:
    """The types of resource of a workspace."""
    return kinds_of(connection.execute(select(OF_WORKSPACE).where(Workspace.id == workspace_id)).scalar_one_or_none())


def every(connection: Connection, *, workspace_id: UUID) -> Sequence[ExtensionView]:
    """The workspace's extensions, oldest first."""
    wanted = _VIEW.where(SchemaExtension.workspace_id == workspace_id).order_by(SchemaExtension.created_at)
    return [ExtensionView(*row) for row in connection.execute(wanted)]


def by_urn(connection: Connection, *, workspace_id: UUID, urn: str) -> ExtensionView:
    """The workspace's extension of this URN, compared without case.

    Raises:
        NotFound: it has none.
    """
    row = connection.execute(
        _VIEW.where(SchemaExtension.workspace_id == workspace_id, SchemaExtension.urn_key == urn.lower())
    ).one_or_none()
    if row is None:
        raise NotFound(f"The workspace has no schema {urn[:200]}.")
    return ExtensionView(*row)


def register(
    connection: Connection, *, workspace_id: UUID, resource_type: str, definition: Any, by: Actor
) -> ExtensionView:
    """Register an extension; identity providers may use it from the commit on.

    Args:
        connection: in a transaction.
        workspace_id: whose extension it is.
        resource_type: `User` or `Group`.
        definition: a Schema as in RFC 7643, section 7.
        by: who did it.

    Raises:
        Invalid: the definition can't be used.
        Conflict: its URN is in use, or there are too many.
    """
    schema = _read(definition, resource_type)
    # One registration at a time, so that what is looked at below still holds at the commit.
    connection.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update(key_share=True))
    there = kinds(connection, workspace_id=workspace_id)
    if sum(len(kind.extensions) for kind in there) - sum(len(kind.extensions) for kind in STANDARD) >= MOST:
        raise Conflict(f"A workspace has at most {MOST} schemas of its own.", field="id")
    for known in (schema for kind in there for schema in (kind.schema, *kind.extensions)):
        one, other = sorted((known.id.lower(), schema.id.lower()), key=len)
        # An attribute is named URN:name, so that one URN within another would make names mean two things.
        if other == one or other.startswith(f"{one}:"):
            raise Conflict(f"The URN {schema.id} is in use, or lies within that of {known.id}.", field="id")
    new = insert(SchemaExtension).values(
        workspace_id=workspace_id,
        urn_key=schema.id.lower(),
        resource_type=resource_type,
        definition=schema_body(schema),
    )
    fact = SchemaRegistered(workspace_id=workspace_id, urn=schema.id)
    return _done(connection, new, fact, workspace_id, by)


def change(connection: Connection, *, workspace_id: UUID, urn: str, definition: Any, by: Actor) -> ExtensionView:
    """Replace an extension's definition; values that members or groups have under it must stay good.

    Raises:
        NotFound: the workspace has no such extension.
        Invalid: the definition can't be used.
        Conflict: values are stored that it would make wrong.
    """
    before = _lock(connection, workspace_id, urn)
    schema = _read(definition, before.resource_type)
    if schema.id.lower() != urn.lower():
        raise Invalid("A schema keeps its URN: register another one.", field="id")
    broken = keeps_to(read_schema(before.definition).attributes, schema.attributes)
    if broken is not None and (uses := _uses(connection, workspace_id, before)):
        raise Conflict(
            f"{uses} {before.resource_type}s have values under this schema, and {broken}.", field="attributes"
        )
    changed = (
        update(SchemaExtension)
        .where(SchemaExtension.workspace_id == workspace_id, SchemaExtension.urn_key == urn.lower())
        .values(definition=schema_body(schema))
    )
    return _done(connection, changed, SchemaChanged(workspace_id=workspace_id, urn=schema.id), workspace_id, by)


def remove(connection: Connection, *, workspace_id: UUID, urn: str, by: Actor) -> None:
    """Take an extension away that nobody has values under.

    Raises:
        NotFound: the workspace has no such extension.
        Conflict: members or groups have values under it.
    """
    found = _lock(connection, workspace_id, urn)
    if uses := _uses(connection, workspace_id, found):
        raise Conflict(f"{uses} {found.resource_type}s have values under this schema.", field="id")
    gone = delete(SchemaExtension).where(
        SchemaExtension.workspace_id == workspace_id, SchemaExtension.urn_key == urn.lower()
    )
    fact = SchemaRemoved(workspace_id=workspace_id, urn=found.definition["id"])
    _done(connection, gone, fact, workspace_id, by)


def _done(connection: Connection, change: Any, fact: Any, workspace_id: UUID, by: Actor) -> ExtensionView:
    statement = outbox.together(connection, change, fact, workspace_id=workspace_id, by=by)
    return ExtensionView(*connection.execute(statement.returning(*_VIEW.selected_columns)).one())


def _read(definition: Any, resource_type: str) -> Schema:
    if resource_type not in _HOLDERS:
        raise Invalid("A schema extends a User or a Group.", field="resourceType")
    try:
        schema = read_schema(definition)
    except ScimError as error:
        raise Invalid(error.detail, field=error.detail.partition(":")[0]) from None
    if resource_type == "Group" and any(attribute.uniqueness != "none" for attribute in schema.attributes):
        raise Invalid("Only attributes of Users can be unique.", field="attributes")
    return schema


def _lock(connection: Connection, workspace_id: UUID, urn: str) -> ExtensionView:
    connection.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update(key_share=True))
    return by_urn(connection, workspace_id=workspace_id, urn=urn)


def _uses(connection: Connection, workspace_id: UUID, found: ExtensionView) -> int:
    holder = _HOLDERS[found.resource_type]
    used = select(func.count()).where(
        holder.workspace_id == workspace_id, holder.search.has_key(found.definition["id"])
    )
    return int(connection.execute(used).scalar_one())
