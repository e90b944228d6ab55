"""Policies: one role plus what it covers, given to a team member, a user group or an API token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from provisioning import entropy, outbox
from provisioning.access import scopes
from provisioning.access.events import PolicyCreated
from provisioning.access.models import Policy
from provisioning.access.roles import OWNER, Catalogue
from provisioning.access.rules import Scope
from provisioning.outbox import Actor
from provisioning.refusals import Invalid

BY_HAND = "manual"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a policy is given to."""

    kind: Literal["member", "group", "token"]
    id: UUID


def give(
    connection: Connection,
    *,
    workspace_id: UUID,
    subject: Subject,
    role: str,
    labels: Sequence[str] = (),
    resources: Sequence[str] = (),
    catalogue: Catalogue,
    by: Actor,
) -> Scope:
    """Give a role to somebody.

    Args:
        connection: in a transaction.
        workspace_id: the workspace of the subject.
        subject: whom it is given to.
        role: its key.
        labels: `key:value` each; what carries all of them is covered.
        resources: `type:id` each; neither labels nor resources: all, later ones too.
        catalogue: the roles that there are.
        by: who did it.

    Returns:
        What it covers.

    Raises:
        Invalid: the role or scope can't be, or people are to be made owners this way.
    """
    given = catalogue.require(role)
    if role == OWNER and subject.kind != "token":
        raise Invalid("Ownership is not given by policies: appoint owners by hand.", field="role")
    scope = scopes.read(connection, workspace_id=workspace_id, role=given, labels=labels, resources=resources)
    policy_id = entropy.new_id()
    connection.execute(
        insert(Policy).values(
            id=policy_id,
            workspace_id=workspace_id,
            **{f"{subject.kind}_id": subject.id},
            role=role,
            scope=scope.as_json(),
            origin=BY_HAND,
        )
    )
    about = f"{subject.kind}:{subject.id}"
    fact = PolicyCreated(policy_id=policy_id, given_to=about, role=role, scope=scope.as_json())
    outbox.append(connection, fact, workspace_id=workspace_id, by=by)
    return scope
