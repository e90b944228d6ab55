"""Looks up what a request names, in the workspace of the token that asks; what is not there has no access."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from provisioning.access import facts, resources
from provisioning.access.facts import Case
from provisioning.access.roles import Catalogue
from provisioning.access.rules import Facts, Reference, Resource, decide
from provisioning.database import Connection
from provisioning.directory import roster, workspaces
from provisioning.directory.conditions import as_id
from provisioning.directory.looks import Look
from provisioning.prepared import Row
from provisioning.refusals import NotFound
from provisioning.web import bearers
from provisioning.web.authzen.entities import Entity

USER, WORKSPACE = "user", "workspace"
_NOBODY = Case(Facts())


class Where(NamedTuple):
    """The workspace of who asks, and the built-in roles."""

    workspace_id: UUID
    catalogue: Catalogue


def allowed(connection: Connection, where: Where, subject: Entity, action: str, resource: Entity) -> bool:
    """Whether somebody may do something on a resource; one statement where the subject is named by its id."""
    if resource.type == WORKSPACE:
        is_this = _is_this(connection, where, resource.id)
        return is_this and decide(case(connection, where, subject).facts, action).allowed
    return _allows(case(connection, where, subject, Reference(resource.type, resource.id)), action)


def _allows(found: Case, action: str) -> bool:
    return found.resource is not None and decide(found.facts, action, found.resource).allowed


_ALONG = bearers.along(lambda program: facts.loading(str(program.workspace_id)))


def look(subject: Entity, resource: Entity) -> Look | None:
    """What is read along with the credential of who asks, for `judged`; None where one row does not tell."""
    member_id = as_id(subject.id) if subject.type == USER and resource.type != WORKSPACE else None
    if member_id is None:
        return None
    return Look(_ALONG, facts.asked_about(member_id, Reference(resource.type, resource.id)))


def judged(row: Row | None, catalogue: Catalogue, action: str, resource: Entity) -> bool:
    """What `allowed` tells, by the row of `look`; there is none where there is no such person."""
    if row is None:
        return False
    return _allows(facts.read_case(row, catalogue=catalogue, on=Reference(resource.type, resource.id)), action)


def case(connection: Connection, where: Where, subject: Entity, on: Reference | None = None) -> Case:
    """What a subject has, and the resource with its labels; nothing where the workspace has no such person."""
    member_id = _member(connection, where, subject)
    if member_id is None:
        return _NOBODY
    try:
        return facts.of_member(
            connection, workspace_id=where.workspace_id, member_id=member_id, catalogue=where.catalogue, on=on
        )
    except NotFound:
        return _NOBODY


def _member(connection: Connection, where: Where, subject: Entity) -> UUID | None:
    """The member whom a subject means: by id, by userName or by address."""
    if subject.type != USER:
        return None
    by_id = as_id(subject.id)
    return by_id or roster.id_by_name(connection, workspace_id=where.workspace_id, name=subject.id)


def target(connection: Connection, where: Where, resource: Entity) -> tuple[bool, Resource | None]:
    """Whether a resource is there, and with which labels; the workspace itself is there, and none."""
    if resource.type == WORKSPACE:
        return _is_this(connection, where, resource.id), None
    reference = Reference(resource.type, resource.id)
    try:
        carried = resources.labels_of(connection, workspace_id=where.workspace_id, resources=[reference])
    except NotFound:
        return False, None
    return True, Resource(reference, frozenset(carried[reference]))


def _is_this(connection: Connection, where: Where, name: str) -> bool:
    """Whether a name is that of the workspace of who asks: its id, or its slug."""
    mine = where.workspace_id
    return as_id(name) == mine or workspaces.by_id(connection, mine).slug == name
