"""A workspace's own roles: composed of actions, and not to be taken away while somebody has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.access.events import RoleChanged, RoleCreated, RoleDeleted
from provisioning.access.models import CustomRole, Policy
from provisioning.access.roles import Catalogue, Role
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, Invalid, NotFound

_KEY = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
_LONGEST_NAME, _LONGEST_DESCRIPTION = 200, 1000
MOST = 100
_VIEW = select(CustomRole.key, CustomRole.name, CustomRole.description, CustomRole.actions)


def of_workspace(connection: Connection, *, workspace_id: UUID, catalogue: Catalogue) -> Catalogue:
    """All roles of a workspace: the built-in ones and its own."""
    rows = connection.execute(_VIEW.where(CustomRole.workspace_id == workspace_id).order_by(CustomRole.key))
    return catalogue.with_own(_role(catalogue, *row) for row in rows)


def _role(catalogue: Catalogue, key: str, name: str, description: str, actions: Iterable[str]) -> Role:
    return catalogue.compose(key=key, name=name, description=description, actions=actions)


def create(
    connection: Connection,
    *,
    workspace_id: UUID,
    key: str,
    name: str,
    description: str,
    actions: Sequence[str],
    catalogue: Catalogue,
    by: Actor,
) -> Role:
    """Add a role to a workspace.

    Args:
        connection: in a transaction.
        workspace_id: whose role it is.
        key: by which policies name it; it stays.
        name: what people see.
        description: what it is for.
        actions: what it allows; `catalogue.composable` has those that there are.
        catalogue: the built-in roles.
        by: who did it.

    Raises:
        Invalid: the key, a text or an action can't be.
        Conflict: there is a role of this key, or there are too many.
    """
    if not _KEY.fullmatch(key):
        raise Invalid("A role's id begins with a letter a-z, then letters, digits and hyphens, 63 at most.", field="id")
    own = connection.execute(select(func.count()).where(CustomRole.workspace_id == workspace_id)).scalar_one()
    if own >= MOST:
        raise Conflict(f"A workspace has at most {MOST} roles of its own.", field="id")
    role = _read(catalogue, key, name, description, actions)
    new = insert(CustomRole).values(workspace_id=workspace_id, **_columns(role), key=key)
    fact = RoleCreated(role=key, actions=tuple(sorted(role.actions)))
    try:
        if key in catalogue:
            raise Conflict(f"There is a built-in role called {key}.", field="id")
        connection.execute(outbox.together(connection, new, fact, workspace_id=workspace_id, by=by))
    except IntegrityError:
        raise Conflict(f"There is a role called {key} already.", field="id") from None
    return role


def change(
    connection: Connection,
    *,
    workspace_id: UUID,
    key: str,
    name: str | None = None,
    description: str | None = None,
    actions: Sequence[str] | None = None,
    catalogue: Catalogue,
    by: Actor,
) -> Role:
    """Change what a role is called or allows; None leaves a part as it is. Policies that give it follow at once.

    Raises:
        NotFound: the workspace has no role of its own of this key.
        Invalid: a text or an action can't be.
        Conflict: policies give it on a scope that it could not be given on any more.
    """
    before = lock(connection, workspace_id=workspace_id, key=key, catalogue=catalogue)
    role = _read(
        catalogue,
        key,
        before.name if name is None else name,
        before.description if description is None else description,
        sorted(before.actions) if actions is None else actions,
    )
    if role == before:
        return role
    _refuse_homeless(connection, workspace_id, role)
    here = (CustomRole.workspace_id == workspace_id, CustomRole.key == key)
    fact = RoleChanged(
        role=key,
        added=tuple(sorted(role.actions - before.actions)),
        removed=tuple(sorted(before.actions - role.actions)),
    )
    changed = update(CustomRole).where(*here).values(**_columns(role))
    connection.execute(outbox.together(connection, changed, fact, workspace_id=workspace_id, by=by))
    return role


def remove(connection: Connection, *, workspace_id: UUID, key: str, catalogue: Catalogue, by: Actor) -> None:
    """Take a role away that nobody has.

    Raises:
        NotFound: the workspace has no role of its own of this key.
        Conflict: policies give it; the refusal says how many.
    """
    lock(connection, workspace_id=workspace_id, key=key, catalogue=catalogue)
    given = select(func.count()).where(Policy.workspace_id == workspace_id, Policy.role == key)
    if uses := connection.execute(given).scalar_one():
        raise Conflict(f"{uses} policies give the role {key}: take them away first.", field="id", uses=uses)
    gone = delete(CustomRole).where(CustomRole.workspace_id == workspace_id, CustomRole.key == key)
    connection.execute(outbox.together(connection, gone, RoleDeleted(role=key), workspace_id=workspace_id, by=by))


def hold(connection: Connection, *, workspace_id: UUID, role: Role) -> None:
    """Keep a role there until the transaction ends, for a policy that gives it.

    Raises:
        Invalid: it has just been taken away.
    """
    if role.built_in:
        return
    held = select(CustomRole.key).where(CustomRole.workspace_id == workspace_id, CustomRole.key == role.key)
    if connection.execute(held.with_for_update(read=True, key_share=True)).one_or_none() is None:
        raise Invalid(f"There is no role called {role.key!r}.", field="role")


def lock(connection: Connection, *, workspace_id: UUID, key: str, catalogue: Catalogue) -> Role:
    """A role of the workspace's own, held against every other change until the transaction ends.

    Raises:
        NotFound: the workspace has no role of its own of this key.
    """
    wanted = _VIEW.where(CustomRole.workspace_id == workspace_id, CustomRole.key == key)
    row = connection.execute(wanted.with_for_update()).one_or_none()
    if row is None:
        what = f"{key} is a built-in role: it stays as it is." if key in catalogue else "There is no such role."
        raise NotFound(what)
    return _role(catalogue, *row)


def _read(catalogue: Catalogue, key: str, name: str, description: str, actions: Sequence[str]) -> Role:
    for field, text, most in (("name", name, _LONGEST_NAME), ("description", description, _LONGEST_DESCRIPTION)):
        if len(text) > most or "\0" in text or (field == "name" and not text.strip()):
            raise Invalid(f"A role's {field} has up to {most} characters, and a name has one at least.", field=field)
    unknown = sorted(set(actions) - catalogue.composable.keys())
    if unknown or not actions:
        problem = f"there is no action {unknown[0][:64]!r} that it could have" if unknown else "it allows nothing"
        raise Invalid(f"A workspace's own role is made of actions: {problem}.", field="actions")
    role = _role(catalogue, key, name, description, actions)
    if not role.scopes:
        raise Invalid("These actions are about things that no one policy can cover: make two roles.", field="actions")
    return role


def _columns(role: Role) -> dict[str, object]:
    return {"name": role.name, "description": role.description, "actions": sorted(role.actions)}


def _refuse_homeless(connection: Connection, workspace_id: UUID, role: Role) -> None:
    kinds = select(Policy.scope["kind"].astext).where(Policy.workspace_id == workspace_id, Policy.role == role.key)
    lost = sorted(set(connection.execute(kinds.distinct()).scalars()) - role.scopes)
    if lost:
        raise Conflict(
            f"Policies give the role {role.key} on {' and '.join(lost)}, which it could not be given on then.",
            field="actions",
        )
