"""A company: a workspace, its identity provider's credential, an admin's token, and people who sign in."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from click.testing import CliRunner

from provisioning import entropy
from provisioning.cli.main import provisioning
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import transaction
from provisioning.directory import members, workspaces
from provisioning.directory.members import MemberView
from provisioning.directory.profile import Profile
from provisioning.sessions import lifecycle
from tests.conftest import TEST
from tests.web.oauth import bearer

_numbers = itertools.count()


@dataclass(frozen=True)
class Company:
    """What its programs need to know to ask."""

    id: UUID
    slug: str
    scim: Mapping[str, str]
    api: Mapping[str, str]

    def hire(self) -> MemberView:
        """A new active member."""
        name = f"p{next(_numbers)}@{self.slug}.example"
        profile = Profile.of({"userName": name, "active": True})
        with transaction() as connection:
            return members.create(connection, workspace_id=self.id, profile=profile, connection_id=None, by=TEST)

    def become_eligible(self) -> None:
        """The operator makes it HIPAA-eligible, which ends what its members have begun."""
        with transaction() as connection:
            workspaces.set_hipaa_eligible(connection, slug=self.slug, eligible=True, by=TEST)


def found(environ: Mapping[str, str]) -> Company:
    """A company with nobody in it, made on the command line."""
    slug = f"c{os.getpid()}-{entropy.new_id().hex[-8:]}"
    of = ("--workspace", slug)
    made = run(environ, "workspace", "create", "--slug", slug, "--name", slug)
    idp = run(environ, "connection", "create", *of, "--name", "idp", "--dialect", "other")
    admin = run(environ, "token", "create", *of, "--name", "admin", "--role", "workspace-owner")
    scim = {**bearer(idp["token"]), "Content-Type": "application/scim+json"}
    return Company(UUID(made["id"]), slug, scim, bearer(admin["token"]))


def run(environ: Mapping[str, str], *words: str) -> Any:
    """Run a command that must succeed, and read what it prints."""
    done = CliRunner().invoke(provisioning, [*words, "--json"], env=dict(environ))
    assert done.exit_code == 0, done.output or repr(done.exception)
    return orjson.loads(done.stdout)


def sign_in(member: MemberView) -> str:
    """Begin a session of a member; its text."""
    secret = context().keyring.mint(Kind.SESSION)
    with transaction() as connection:
        policy = context().session_policy
        lifecycle.begin(connection, user_id=member.user_id, digest=secret.digest, policy=policy, by=TEST)
    return secret.text
