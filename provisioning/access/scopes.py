"""Reading a scope that an admin wrote: its form, whether the role may be narrowed so, and whether all in it exists."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.engine import Connection

from provisioning.access.labels import parse_label
from provisioning.access.models import Label, ResourceRow
from provisioning.access.roles import Role
from provisioning.access.rules import Reference, Scope
from provisioning.refusals import Invalid

_MOST = 200


def read(
    connection: Connection, *, workspace_id: UUID, role: Role, labels: Iterable[str], resources: Iterable[str]
) -> Scope:
    """Make a scope of what was written.

    Args:
        connection: to look up labels and resources with.
        workspace_id: the workspace that they must be in.
        role: the role that is to be given on the scope.
        labels: `key:value` each, all of which a resource must carry.
        resources: `type:id` each. Neither labels nor resources: all resources of the role's types, later ones too.

    Raises:
        Invalid: a wrong form, something unknown, both kinds at once, or a scope that the role can't have.
    """
    wanted_labels, wanted_resources = frozenset(labels), frozenset(resources)
    if wanted_labels and wanted_resources:
        raise Invalid("A policy covers either labels or listed resources, not both: write two.", field="scope")
    scope = _scope(wanted_labels, wanted_resources)
    if scope.kind not in role.scopes:
        allowed = " or ".join(sorted(role.scopes))
        raise Invalid(f"The role {role.key} can be given on {allowed}, not on {scope.kind}.", field="scope")
    _require_known(connection, workspace_id=workspace_id, scope=scope, role=role)
    return scope


def _scope(labels: frozenset[str], resources: frozenset[str]) -> Scope:
    if max(len(labels), len(resources)) > _MOST:
        raise Invalid(f"A scope names at most {_MOST} labels or resources.", field="scope")
    if labels:
        return Scope("labels", labels=frozenset(":".join(parse_label(label)) for label in labels))
    if resources:
        return Scope("resources", resources=frozenset(map(parse_reference, resources)))
    return Scope()


def parse_reference(written: str) -> Reference:
    """Read `type:id`.

    Raises:
        Invalid: it is not of that form.
    """
    kind, separator, identifier = written.partition(":")
    if not (kind and separator and identifier) or "\0" in written:
        raise Invalid(f"A resource is written type:id, such as source:s1; this is {written!r}.", field="resources")
    return Reference(kind, identifier)


def _require_known(connection: Connection, *, workspace_id: UUID, scope: Scope, role: Role) -> None:
    if scope.labels:
        pairs = [parse_label(label) for label in scope.labels]
        known = select(Label.key, Label.value).where(
            Label.workspace_id == workspace_id, tuple_(Label.key, Label.value).in_(pairs)
        )
        # Held, so that none of them goes before the policy is there that uses it.
        known = known.with_for_update(read=True, key_share=True)
        missing = set(pairs) - {(key, value) for key, value in connection.execute(known)}
        if missing:
            raise Invalid(f"There is no label {':'.join(min(missing))} in this workspace.", field="labels")
    if scope.resources:
        _require_resources(connection, workspace_id=workspace_id, references=scope.resources, role=role)


def _require_resources(
    connection: Connection, *, workspace_id: UUID, references: frozenset[Reference], role: Role
) -> None:
    for reference in sorted(references):
        if reference.type not in role.resource_types:
            raise Invalid(f"The role {role.key} does not apply to a {reference.type}.", field="resources")
    pairs = [(reference.type, reference.id) for reference in references]
    known = select(ResourceRow.type, ResourceRow.id).where(
        ResourceRow.workspace_id == workspace_id, tuple_(ResourceRow.type, ResourceRow.id).in_(pairs)
    )
    known = known.with_for_update(read=True, key_share=True)
    missing = references - {Reference(kind, identifier) for kind, identifier in connection.execute(known)}
    if missing:
        raise Invalid(f"There is no resource {min(missing)} in this workspace.", field="resources")
