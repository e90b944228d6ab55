"""`provisioning token` and `provisioning workspace set-token-lifetime`: what they print, and how they refuse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from provisioning.cli.main import provisioning
from tests.conftest import Admin


@pytest.fixture
def create(idp, facts_of):
    def run(*more):
        return facts_of("token", "create", "--workspace", idp.workspace.slug, "--name", "t", *more)

    return run


def lives(made):
    return datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)


def test_a_token_of_the_operator_is_made_shown_rotated_and_revoked(idp, service, create, facts_of):
    slug = idp.workspace.slug
    made = create("--role", "workspace-owner")
    assert {"id", "token", "expires_at"} <= set(made)
    assert abs(lives(made) - timedelta(days=90)) < timedelta(minutes=5)
    assert Admin(service.base_url, made["token"]).request("GET", "").status_code == 200
    shown = facts_of("token", "show", made["id"], "--workspace", slug)
    assert (shown["owner"], shown["ranges"], shown["last_used_from"]) == (None, [], "127.0.0.1")
    assert shown["policies"] == [{"role": "workspace-owner", "scope": {"kind": "all"}}]
    rotated = facts_of("token", "rotate", made["id"], "--workspace", slug, "--expires-in", "30d")
    assert rotated["id"] == made["id"]
    assert abs(lives(rotated) - timedelta(days=30)) < timedelta(minutes=5)
    both = [Admin(service.base_url, text) for text in (made["token"], rotated["token"])]
    assert [one.request("GET", "").status_code for one in both] == [200, 200]
    facts_of("token", "end-overlap", made["id"], "--workspace", slug)
    assert [one.request("GET", "").status_code for one in both] == [401, 200]
    assert facts_of("token", "revoke", made["id"], "--workspace", slug)["ended"] == 1
    assert [one.request("GET", "").status_code for one in both] == [401, 401]
    (listed,) = facts_of("token", "list", "--workspace", slug)["tokens"]
    assert (listed["id"], listed["ended_reason"]) == (made["id"], "revoked")


def test_a_token_is_made_for_an_owner_and_for_addresses(idp, create, facts_of):
    user = idp.create_user("ada@corp.example")
    made = create("--role", "source-admin", "--owner", "ADA@corp.example", "--from", "192.0.2.0/24", "--from", "::1")
    shown = facts_of("token", "show", made["id"], "--workspace", idp.workspace.slug)
    assert (shown["owner"], shown["ranges"]) == (user["id"], ["192.0.2.0/24", "::1/128"])


def test_what_cannot_be_is_refused_in_one_line(idp, service, create, facts_of):
    slug = idp.workspace.slug
    made = create("--role", "source-admin")
    facts_of("workspace", "set-token-lifetime", slug, "30d")
    new = ("token", "create", "--workspace", slug, "--name", "t", "--role", "source-admin")
    for arguments, exit_code, told in (
        ((*new, "--expires-in", "31d"), 1, "up to 30 days"),
        ((*new, "--from", "192.0.2.1/24"), 1, "no address range"),
        ((*new, "--owner", "nobody@corp.example"), 1, "no member"),
        ((*new, "--expires-in", "soon"), 2, "length of time"),
        (("token", "rotate", made["id"], "--workspace", slug, "--overlap", "8d"), 1, "up to 7 days"),
        (("token", "rotate", made["id"], "--workspace", "main"), 1, "no such token"),
        (("token", "show", "x", "--workspace", slug), 2, "UUID"),
        (("workspace", "set-token-lifetime", slug, "1s"), 1, "an hour"),
        (("workspace", "set-token-lifetime", slug, "soon"), 2, "length of time"),
    ):
        env = {"PROVISIONING_DATA_DIR": str(service.data_dir)}
        done = CliRunner().invoke(provisioning, arguments, env=env)
        assert isinstance(done.exception, SystemExit) or done.exit_code, arguments
        assert told in (done.stderr or str(done.exception)), (arguments, done.stderr, done.exception)
        assert exit_code != 2 or done.exit_code == 2, arguments
    assert facts_of("workspace", "set-token-lifetime", slug, "off")["longest_token_seconds"] is None
    assert len(facts_of("token", "list", "--workspace", slug)["tokens"]) == 1
