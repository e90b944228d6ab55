"""OAuth clients, made by the rooms' own verbs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from provisioning.access import custom_roles, policies
from provisioning.access.policies import Giver, Subject, Terms
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import transaction
from provisioning.directory import roster
from provisioning.tokens import clients, public_keys
from provisioning.tokens.public_keys import Holder
from tests.conftest import TEST
from tests.web.oauth import Program, new_key


@pytest.fixture
def new_program(service, app) -> Callable[..., Program]:
    """Makes OAuth clients of a workspace: with a secret, or with a key."""

    def make(
        idp: Any,
        *,
        role: str = "workspace-owner",
        keyed: bool = False,
        owner: str | None = None,
        lifetime: timedelta | None = None,
    ) -> Program:
        of, secret, key = idp.workspace.id, context().keyring.mint(Kind.CLIENT_SECRET), new_key()
        with transaction() as database:
            owner_id = None if owner is None else roster.by_email(database, workspace_id=of, email=owner).id
            made = clients.create(
                database, workspace_id=of, name="test", owner_id=owner_id, token_lifetime=lifetime, by=TEST
            )
            roles = custom_roles.of_workspace(database, workspace_id=of, catalogue=context().catalogue)
            subject, giver = Subject("client", made.id), Giver(TEST, roles)
            policies.give(database, workspace_id=of, subject=subject, terms=Terms(role), giver=giver)
            if keyed:
                jwk = public_keys.read(key.as_pem(private=False).decode())
                public_keys.add(database, holder=Holder("client", made.id, of), jwk=jwk, by=TEST)
            else:
                clients.add_secret(database, client=made, digest=secret.digest, by=TEST)
        if keyed:
            return Program(service.base_url, str(made.id), key=key)
        return Program(service.base_url, str(made.id), secret.text)

    return make


@pytest.fixture
def program(idp, new_program) -> Program:
    """A client of a workspace of its own, with a secret, that may do everything there."""
    return new_program(idp)
