"""Looks up what a request names, in the workspace of the token that asks; what is not there has no access."""

from __future__ import annotations

from uuid import UUID

from provisioning.access import facts, resources
from provisioning.access.facts import Case
from provisioning.access.rules import Facts, Reference, Resource, decide
from provisioning.context import context
from provisioning.database import Connection
from provisioning.directory import roster, workspaces
from provisioning.directory.conditions import as_id
from provisioning.refusals import NotFound
from provisioning.web.authzen.entities import Entity
from provisioning.web.guard import token

USER, WORKSPACE = "user", "workspace"
_NOBODY = Case(Facts())


def allowed(connection: Connection, subject: Entity, action: str, resource: Entity) -> bool:
    """Whether somebody may do something on a resource; one statement where the subject is named by its id."""
    if resource.type == WORKSPACE:
        return _is_this(connection, resource.id) and decide(case(connection, subject).facts, action).allowed
    found = case(connection, subject, Reference(resource.type, resource.id))
    return found.resource is not None and decide(found.facts, action, found.resource).allowed


def case(connection: Connection, subject: Entity, on: Reference | None = None) -> Case:
    """What a subject has, and the resource with its labels; nothing where the workspace has no such person."""
    member_id = _member(connection, subject)
    if member_id is None:
        return _NOBODY
    try:
        return facts.of_member(
            connection, workspace_id=token().workspace_id, member_id=member_id, catalogue=context().catalogue, on=on
        )
    except NotFound:
        return _NOBODY


def _member(connection: Connection, subject: Entity) -> UUID | None:
    """The member whom a subject means: by id, by userName or by address."""
    if subject.type != USER:
        return None
    by_id = as_id(subject.id)
    return by_id or roster.id_by_name(connection, workspace_id=token().workspace_id, name=subject.id)


def target(connection: Connection, resource: Entity) -> tuple[bool, Resource | None]:
    """Whether a resource is there, and with which labels; the workspace itself is there, and none."""
    if resource.type == WORKSPACE:
        return _is_this(connection, resource.id), None
    reference = Reference(resource.type, resource.id)
    try:
        carried = resources.labels_of(connection, workspace_id=token().workspace_id, resources=[reference])
    except NotFound:
        return False, None
    return True, Resource(reference, frozenset(carried[reference]))


def _is_this(connection: Connection, name: str) -> bool:
    """Whether a name is that of the token's own workspace: its id, or its slug."""
    mine = token().workspace_id
    return as_id(name) == mine or workspaces.by_id(connection, mine).slug == name
