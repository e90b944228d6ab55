"""The page that API tokens and OAuth clients belong to, and how both are given roles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from flask import Blueprint

from provisioning.access import custom_roles, policies, rules
from provisioning.access.policies import PolicyView, Subject, Terms
from provisioning.access.roles import Catalogue, Role
from provisioning.context import context
from provisioning.database import Connection
from provisioning.directory import roster
from provisioning.web import giving
from provisioning.web.console import forms
from provisioning.web.console.guard import here, insider
from provisioning.web.console.page import Page

blueprint = Blueprint("tokens", __name__)
PAGE = Page("Tokens", "token.read", blueprint, "/tokens")
# What the rooms call a field, as the forms do.
FIELDS = {
    "name": "name",
    "role": "role",
    "labels": "labels",
    "expiresIn": "days",
    "addressRanges": "ranges",
    "overlap": "overlap",
    "tokenLifetime": "lifetime",
}


def catalogue(database: Connection) -> Catalogue:
    """All roles of the workspace."""
    return custom_roles.of_workspace(database, workspace_id=here().workspace_id, catalogue=context().catalogue)


def givable(database: Connection) -> Sequence[Role]:
    """The roles that whoever is asking has on everything, and so may give."""
    everything = rules.Scope()
    lacking = ((role, rules.missing(insider().facts, role, everything)) for role in catalogue(database))
    return [role for role, action in lacking if action is None and not role.modifier]


def terms() -> Terms:
    """What a form says that a program may do."""
    return Terms(forms.text("role"), tuple(forms.text("labels").replace(",", " ").split()))


def give(database: Connection, subject: Subject, wanted: Terms) -> None:
    """Give a new program its role, within what the person has who makes it."""
    of = here().workspace_id
    giver = giving.giver(database, of, insider().facts)
    policies.add(database, workspace_id=of, subject=subject, terms=[wanted], giver=giver)


def given(database: Connection, kind: str, ids: Sequence[UUID]) -> dict[UUID, list[tuple[str, PolicyView]]]:
    """What each of some programs may do: the names of roles, with their policies."""
    roles = catalogue(database)
    held = policies.of_many(database, workspace_id=here().workspace_id, kind=kind, ids=ids)
    return {one: [(_name(roles, each.role), each) for each in found] for one, found in held.items()}


def _name(roles: Catalogue, key: str) -> str:
    role = roles.get(key)
    return key if role is None else role.name


def owners(database: Connection, ids: Sequence[UUID | None]) -> dict[UUID, str]:
    """What the owners of some programs are called."""
    return roster.names(database, workspace_id=here().workspace_id, ids=[one for one in ids if one is not None])


def days(name: str, field: str) -> timedelta | None:
    """A field that holds a number of days."""
    count = forms.number(name, field)
    return None if count is None else timedelta(days=min(count, 36_600))
