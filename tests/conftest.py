"""The parts that tests work on, all of them real: a service started as a newcomer starts it, one a test process.

Tests are independent because each has a workspace of its own; they may run in any order and side by side.
"""

from __future__ import annotations

import functools
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from click.testing import CliRunner
from flask import Flask
from hypothesis import settings

from provisioning.access import policies
from provisioning.access.founding import found_workspace
from provisioning.access.policies import Subject, Terms
from provisioning.app import create_app
from provisioning.cli.changes import operator
from provisioning.cli.main import main, provisioning
from provisioning.cli.service import OPERATOR, settings_of
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import db, transaction
from provisioning.directory import connections, workspaces
from provisioning.directory.workspaces import WorkspaceView
from provisioning.outbox import Actor
from provisioning.tokens import api
from provisioning.web.scim import journal
from tests import clusters
from tests.order import pytest_collection_modifyitems, pytest_xdist_make_scheduler
from tests.service import Service, start

__all__ = ["pytest_collection_modifyitems", "pytest_xdist_make_scheduler"]

# A busy machine is no fault of the code: no example is judged by its time. Where CI runs, it runs the same ones always.
settings.register_profile("here", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("here")

TEST = Actor("operator", "test")
_numbers = itertools.count()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PostgreSQL's data with all tables, which servers start on copies of."""
    return clusters.make(tmp_path_factory.mktemp("cluster"))


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, cluster: Path) -> Iterator[Service]:
    """The whole process tree: `provisioning up` in a data folder and on a port of its own."""
    with start(tmp_path_factory.mktemp("service"), cluster=cluster) as running:
        yield running


@pytest.fixture(scope="session")
def app(service: Service) -> Iterator[Flask]:
    """An application on the running service's database, to call the rooms' verbs with."""
    made = create_app(settings_of(str(service.data_dir)))
    with made.app_context():
        yield made
        # What waits for the log is written before: at the end of the process a connection would be left open by it.
        journal.writer(made).flush()
        db.engine.dispose()


@pytest.fixture
def http() -> Iterator[requests.Session]:
    """A client; it knows no credential."""
    with requests.Session() as session:
        yield session


@dataclass(frozen=True)
class Idp:
    """An identity provider's end of a connection: speaks SCIM to the running service."""

    base_url: str
    token: str
    workspace: WorkspaceView
    connection: connections.ConnectionView

    def request(self, method: str, path: str, body: Any = None, **kwargs: Any) -> requests.Response:
        """One request, with the connection's credential."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        headers |= kwargs.pop("headers", {})
        data = None if body is None else orjson.dumps(body)
        return requests.request(
            method, f"{self.base_url}/scim/v2{path}", data=data, headers=headers, timeout=20, **kwargs
        )

    def create_user(self, user_name: str, **attributes: Any) -> dict[str, Any]:
        """Push a person, who must be new."""
        body = {"schemas": [USER_URN], "userName": user_name, "active": True, **attributes}
        response = self.request("POST", "/Users", body)
        assert response.status_code == 201, response.text
        return response.json()

    def create_group(self, name: str, *members: str, **attributes: Any) -> dict[str, Any]:
        """Push a group with members."""
        body = {"schemas": [GROUP_URN], "displayName": name, "members": [{"value": m} for m in members], **attributes}
        response = self.request("POST", "/Groups", body)
        assert response.status_code == 201, response.text
        return response.json()

    def patch(self, path: str, *operations: dict[str, Any]) -> requests.Response:
        """Send operations (RFC 7644, section 3.5.2)."""
        return self.request("PATCH", path, {"schemas": [PATCH_URN], "Operations": list(operations)})

    def find(self, path: str, condition: str) -> list[dict[str, Any]]:
        """Look up by a filter."""
        response = self.request("GET", path, params={"filter": condition})
        assert response.status_code == 200, response.text
        return response.json().get("Resources", [])


USER_URN = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP_URN = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR_URN = "urn:ietf:params:scim:api:messages:2.0:Error"


def new_workspace(service: Service, *, hipaa: bool = False, name: str | None = None, dialect: str = "other") -> Idp:
    """A workspace of its own, with a connection; asked for within an application's context."""
    slug = f"w{os.getpid()}-{next(_numbers)}"
    secret = context().keyring.mint(Kind.CONNECTION)
    with transaction() as database:
        workspace = found_workspace(database, slug=slug, name=name or slug, hipaa_eligible=hipaa, by=TEST)
        made = connections.create(
            database, workspace_id=workspace.id, name="idp", dialect=dialect, digest=secret.digest, by=TEST
        )
    return Idp(service.base_url, secret.text, workspace, made)


@pytest.fixture
def new_idp(service: Service, app: Flask) -> Callable[..., Idp]:
    """Makes workspaces, each with a connection."""
    return functools.partial(new_workspace, service)


@pytest.fixture
def idp(new_idp: Callable[..., Idp]) -> Idp:
    """One connection to a workspace of its own."""
    return new_idp()


@dataclass(frozen=True)
class Admin:
    """A program with an API token: speaks to the admin API of the running service."""

    base_url: str
    token: str

    def request(self, method: str, path: str, body: Any = None, **kwargs: Any) -> requests.Response:
        """One request, with the token."""
        headers = {"Authorization": f"Bearer {self.token}"} | kwargs.pop("headers", {})
        return requests.request(method, f"{self.base_url}/api{path}", json=body, headers=headers, timeout=20, **kwargs)

    def get(self, path: str, **params: Any) -> Any:
        """The `data` of an answer that must be 200."""
        response = self.request("GET", path, params=params)
        assert response.status_code == 200, response.text
        return response.json()["data"]


@pytest.fixture
def command(service: Service) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line on the running service, in this process, from its words to its exit code."""

    def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        given = {"PROVISIONING_DATA_DIR": str(service.data_dir), **environ}
        with CliRunner().isolation(env=given) as (said, complained, _):
            try:
                main(arguments)
            except SystemExit as end:
                code = end.code
            sys.stdout.flush()
        printed = (stream.getvalue().decode() for stream in (said, complained))
        return subprocess.CompletedProcess(arguments, code, *printed)

    return run


@pytest.fixture
def process(service: Service) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line on the running service, as a process."""

    def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "provisioning", *arguments],
            env={**os.environ, "PROVISIONING_DATA_DIR": str(service.data_dir), **environ},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture
def facts_of(service: Service) -> Callable[..., Any]:
    """Runs a command that must succeed, in this process, and reads the one JSON document that it prints."""

    def run(*arguments: str) -> Any:
        done = CliRunner().invoke(
            provisioning, [*arguments, "--json"], env={"PROVISIONING_DATA_DIR": str(service.data_dir)}
        )
        assert done.exit_code == 0, done.output or repr(done.exception)
        return orjson.loads(done.stdout)

    return run


@pytest.fixture
def new_admin(service: Service, app: Flask) -> Callable[..., Admin]:
    """Makes API tokens of a workspace, as the operator does."""

    def make(workspace: str, role: str = "workspace-owner") -> Admin:
        secret = context().keyring.mint(Kind.API_TOKEN)
        with transaction() as connection:
            of = workspaces.by_slug(connection, workspace).id
            made = api.issue(connection, workspace_id=of, name="test", digest=secret.digest, by=OPERATOR)
            subject, giver = Subject("token", made.id), operator(connection, of)
            policies.give(connection, workspace_id=of, subject=subject, terms=Terms(role), giver=giver)
        return Admin(service.base_url, secret.text)

    return make
