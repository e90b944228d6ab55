"""A company whose workspace the pages show: small, with something of everything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from flask import Flask

from provisioning.access import custom_roles, mappings, proposals, resources
from provisioning.access.mappings import Rule
from provisioning.access.policies import Giver, Terms
from provisioning.access.resources import Registration
from provisioning.access.roles import OWNER
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import transaction
from provisioning.directory import workspaces
from provisioning.directory.paging import Window
from provisioning.sessions import lifecycle
from provisioning.tokens import api, clients
from tests.conftest import TEST, Idp, new_workspace
from tests.console import Visitor, owner_of, visitor
from tests.service import Service

_PEOPLE = {
    "Engineering": ("Ada Lovelace", "Grace Hopper", "Margaret Hamilton", "Edsger Dijkstra", "Barbara Liskov"),
    "Data Science": ("Katherine Johnson", "Florence Nightingale", "Grace Hopper", "John Tukey"),
    "Marketing": ("Mary Wells", "David Ogilvy", "Ann Iverson"),
    "Finance": ("Luca Pacioli", "Abigail Adams"),
}
_SUSPENDED = "David Ogilvy"
_GIVEN = {"Engineering": ("source-admin", ("environment:prod",)), "Data Science": ("source-read-only", ())}
_SOURCES = {"shop": ("environment:prod",), "app": ("environment:prod",), "sandbox": ("environment:dev",)}
_EXPORTS = (".csv", ".ndjson")
_PARAMETER = re.compile(r"<\w+:(\w+)>")


@dataclass(frozen=True)
class Company:
    """The workspace, its owner, and an example for each parameter that addresses of pages have."""

    idp: Idp
    owner: Visitor
    samples: dict[str, str] = field(default_factory=dict)

    def pages(self, app: Flask) -> Iterator[tuple[str, str]]:
        """Every page of the workspace that can be opened: what it is called, and its address.

        A page whose address has a parameter that there is no example of fails: give one in `found`.
        """
        for rule in app.url_map.iter_rules():
            below = rule.rule.removeprefix("/console/<string:slug>")
            guard = app.view_functions[rule.endpoint]._provisioning_guard  # type: ignore[attr-defined] # noqa: SLF001
            is_part = below.endswith(_EXPORTS) or guard.startswith("member watching")
            shown = "GET" in (rule.methods or ()) and not is_part
            if below != rule.rule and shown:
                path = _PARAMETER.sub(lambda found: self.samples[found[1]], below)
                yield rule.endpoint.removeprefix("console.").replace(".", "-"), self.owner.address(path)


def found(service: Service) -> Company:
    """Found the company; asked for within an application's context."""
    idp = new_workspace(service, name="Acme", dialect="okta")
    owner = owner_of(idp, name="olivia")
    ids: dict[str, str] = {}
    for names in _PEOPLE.values():
        for name in names:
            if name not in ids:
                email = f"{name.lower().replace(' ', '.')}@acme.example"
                ids[name] = idp.create_user(email, displayName=name, active=name != _SUSPENDED)["id"]
    groups = {group: idp.create_group(group, *(ids[name] for name in names))["id"] for group, names in _PEOPLE.items()}
    given = _give(idp)
    visitor(idp, "grace.hopper@acme.example")
    made = owner.send("/groups/new", "/groups/new", {"name": "Auditors"})
    samples = _credentials(idp) | {
        "member_id": ids["Grace Hopper"],
        "connection_id": str(idp.connection.id),
        "group_id": groups["Engineering"],
        "label": "environment:prod",
        "local_group_id": made.headers["Location"].rpartition("/")[2],
        **given,
    }
    return Company(idp, owner, samples)


def _give(idp: Idp) -> dict[str, str]:
    of = idp.workspace.id
    with transaction() as database:
        roles = custom_roles.of_workspace(database, workspace_id=of, catalogue=context().catalogue)
        giver = Giver(TEST, roles)
        for group, (role, labels) in _GIVEN.items():
            condition = mappings.condition_for_group(database, workspace_id=of, group=group)
            terms, rule = [Terms(role, labels)], Rule("Group", condition)
            made = mappings.create(database, workspace_id=of, name=group, rule=rule, terms=terms, giver=giver)
        workspaces.set_owners_by_mapping(database, slug=idp.workspace.slug, allowed=True, by=TEST)
        owners, rule = [Terms(OWNER)], Rule("Group", 'displayName eq "Founders"')
        waits = proposals.create(
            database, workspace_id=of, name="Founders own it", rule=rule, terms=owners, giver=giver
        )
        where = {"workspace_id": of, "catalogue": context().catalogue, "by": TEST}
        told = {"name": "Catalogue Reader", "description": "Reads what there is.", "actions": ["source.read"]}
        role = custom_roles.create(database, key="catalogue-reader", **where, **told)
        told = [Registration("source", name, name, labels) for name, labels in _SOURCES.items()]
        resources.register(database, workspace_id=of, resources=told, by=TEST)
    ids = {"mapping_id": str(made.id), "proposal_id": str(waits.waiting)}
    return {**ids, "role_key": "source-admin", "own_role_key": role.key}


def _credentials(idp: Idp) -> dict[str, str]:
    """A token that ends soon, a client with a secret, and somebody's session."""
    of = idp.workspace.id
    with transaction() as database:
        secret, soon = context().keyring.mint(Kind.API_TOKEN), timedelta(days=5)
        token = api.issue(database, workspace_id=of, name="terraform", digest=secret.digest, by=TEST, lifetime=soon)
        client = clients.create(
            database, workspace_id=of, name="warehouse", owner_id=None, token_lifetime=None, by=TEST
        )
        held = clients.add_secret(database, client=client, digest=b"warehouse", by=TEST)
        found = lifecycle.every(database, policy=context().session_policy, workspace_id=of, window=Window(1)).items
    return {
        "token_id": str(token.id),
        "client_id": str(client.id),
        "secret_id": str(held.id),
        "session_id": str(found[0].id),
    }
