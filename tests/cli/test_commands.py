"""The command line as scripts rely on it: one JSON document on standard output, one line of error, exit codes."""

from __future__ import annotations

import json

import pytest

from provisioning import entropy
from tests.conftest import USER_URN


def new_slug() -> str:
    return f"s{entropy.new_id().hex[-10:]}"


def test_every_command_that_prints_facts_prints_what_is_promised(service, facts_of):
    slug = new_slug()
    workspace = facts_of("workspace", "create", "--slug", slug, "--name", "N", "--hipaa")
    assert {k: workspace[k] for k in ("slug", "name", "hipaa_eligible")} == {
        "slug": slug,
        "name": "N",
        "hipaa_eligible": True,
    }
    assert facts_of("workspace", "show", slug) == workspace
    assert facts_of("workspace", "set-hipaa", slug, "off")["hipaa_eligible"] is False
    assert slug in {w["slug"] for w in facts_of("workspace", "list")["workspaces"]}
    connection = facts_of("connection", "create", "--workspace", slug, "--name", "okta", "--dialect", "okta")
    assert connection["scim_base_url"] == f"{service.base_url}/scim/v2"
    assert {"id", "workspace", "dialect", "token"} <= set(connection)
    assert [c["name"] for c in facts_of("connection", "list", "--workspace", slug)["connections"]] == ["okta"]
    member = facts_of("member", "add", f"a@{slug}.example", "--workspace", slug, "--owner")
    assert member["owner"] is True
    assert facts_of("member", "show", f"A@{slug}.example", "--workspace", slug) == member
    facts_of("member", "add", f"b@{slug}.example", "--workspace", slug)
    assert facts_of("member", "appoint", f"b@{slug}.example", "--workspace", slug)["owner"] is True
    access = facts_of("member", "access", f"a@{slug}.example", "--workspace", slug, "--why")
    assert [line["role"] for line in access["access"]] == ["workspace-owner"]
    assert access["access"][0]["paths"] == [{"via": "ownership"}]
    token = facts_of("token", "create", "--workspace", slug, "--name", "t", "--role", "workspace-owner")
    assert {"id", "token", "expires_at"} <= set(token)
    facts_of("token", "revoke", token["id"], "--workspace", slug)
    assert facts_of("token", "list", "--workspace", slug)["tokens"][0]["ended_reason"] == "revoked"
    session = facts_of("session", "create", "--email", f"a@{slug}.example")
    assert {"id", "token", "policy", "created_at", "expires_at"} <= set(session)
    assert facts_of("session", "check", session["token"])["active"] is True
    facts_of("session", "revoke", session["id"])
    checked = facts_of("session", "check", session["token"])
    assert (checked["active"], checked["reason"]) == (False, "revoked")
    assert facts_of("session", "check", "nonsense")["reason"] == "unknown"
    (listed,) = facts_of("session", "list", "--workspace", slug)["sessions"]
    assert listed["id"] == session["id"]
    mapping = facts_of(
        *("mapping", "create", "--workspace", slug, "--when", 'displayName sw "eng-"', "--role", "source-read-only")
    )
    assert [m["id"] for m in facts_of("mapping", "list", "--workspace", slug)["mappings"]] == [mapping["id"]]
    facts_of("mapping", "delete", mapping["id"], "--workspace", slug)
    assert facts_of("mapping", "list", "--workspace", slug)["total"] == 0
    assert facts_of("migrate")["revision"]
    assert facts_of("config")["PROVISIONING_SESSION_HIPAA_IDLE"] == 900


MAP = ("mapping", "create", "--workspace", "main")
NEW_TOKEN = ("token", "create", "--workspace", "main", "--name", "t", "--role", "workspace-owner")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("workspace", "show", "nowhere"), 1, "no workspace called nowhere"),
        (("workspace", "create", "--slug", "Not A Slug", "--name", "x"), 1, "slug"),
        (("workspace", "create", "--slug", "main", "--name", "x"), 1, "already"),
        (("member", "list", "--workspace", "main", "--filter", "userName"), 1, "operator"),
        (("member", "show", "nobody@x.example", "--workspace", "main"), 1, "nobody@x.example"),
        (("session", "create", "--email", "nobody@x.example"), 1, "nobody@x.example"),
        (
            (*MAP, "--when", 'x eq "y"', "--role", "source-admin"),
            1,
            "no attribute x",
        ),
        ((*MAP, "--group", "g", "--role", "no-such"), 1, "no-such"),
        ((*MAP, "--group", "g", "--role", "workspace-owner"), 1, "Ownership"),
        ((*MAP, "--role", "source-admin"), 2, "--group, --when"),
        (
            (*MAP, "--group", "g", "--role", "source-admin", "--label", "a:b"),
            1,
            "no label a:b",
        ),
        (
            (
                *(*MAP, "--group", "g"),
                *("--role", "tracking-plan-admin", "--label", "environment:prod"),
            ),
            1,
            "not on labels",
        ),
        (
            ("token", "create", "--workspace", "main", "--name", "t", "--role", "workspace-owner", "--expires-in", "x"),
            2,
            "90s",
        ),
        (
            (
                "token",
                "create",
                "--workspace",
                "main",
                "--name",
                "t",
                "--role",
                "workspace-owner",
                "--expires-in",
                "9999d",
            ),
            1,
            "366",
        ),
        (("connection", "create", "--workspace", "main", "--name", "c", "--dialect", "klingon"), 2, "klingon"),
        (("session", "revoke", "not-an-id"), 2, "not-an-id"),
        (("no-such-command",), 2, "no-such-command"),
        (("workspace", "create"), 2, "--slug"),
        (("simulate", "okta", "--url", "http://127.0.0.1:9"), 2, "both, or neither"),
        (("simulate", "okta", "--workspace", "nowhere"), 1, "no workspace called nowhere"),
        (("simulate", "okta", "--users", "0", "--url", "http://127.0.0.1:9", "--token", "t"), 2, "users"),
        (("simulate", "okta", "--url", "http://127.0.0.1:9", "--token", "t"), 1, "does not answer"),
        (("simulate", "okta", "--variant", "merge"), 2, "no variant 'merge'; it has these: put"),
        (("simulate", "google", "--variant", "put"), 2, "no variant 'put'; it has none"),
        (("simulate", "nobody"), 2, "nobody"),
        (("simulate", "okta", "--round", "half"), 2, "half"),
    ],
)
def test_what_is_refused_is_said_in_one_line(command, arguments, code, words):
    done = command(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


def test_a_process_says_no_like_that(process):
    done = process("workspace", "show", "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "provisioning: There is no workspace called nowhere.\n"


@pytest.mark.parametrize("arguments", [(), ("session",)])
def test_a_command_that_is_not_finished_shows_what_there_is(process, arguments):
    done = process(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Commands:" in done.stderr.splitlines()


def test_wrong_settings_are_named(process):
    done = process("workspace", "list", PROVISIONING_PORT="http")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "PROVISIONING_PORT" in done.stderr
    production = process("config", PROVISIONING_MODE="production")
    assert production.returncode == 2
    assert "PROVISIONING_SECRET_KEY" in production.stderr


def test_what_people_read_is_a_table_with_the_same_facts(command, idp):
    idp.create_user("ada@corp.example", displayName="Ada")
    shown = command("member", "list", "--workspace", idp.workspace.slug)
    assert shown.stdout.splitlines()[0].split("  ")[0] == "id"
    assert "ada@corp.example" in shown.stdout
    assert command("group", "list", "--workspace", idp.workspace.slug).stdout == "no groups\n"


def test_a_mapping_is_shown_in_words(command, idp):
    label = ("--label", "environment:prod")
    made = command(
        "mapping", "create", "--workspace", idp.workspace.slug, "--group", "G", "--role", "source-admin", *label
    )
    assert "kind: labels; labels: environment:prod" in made.stdout


def test_no_secret_is_ever_shown_again(command, idp, facts_of):
    slug = idp.workspace.slug
    idp.request("POST", "/Users", {"schemas": [USER_URN], "userName": "s@corp.example", "password": "hidden-word"})
    made = facts_of("token", "create", "--workspace", slug, "--name", "t", "--role", "workspace-member")
    everything = [
        command(*words).stdout
        for words in (
            ("connection", "list", "--json"),
            ("token", "list", "--workspace", slug, "--json"),
            ("session", "list", "--json"),
            ("config", "--json"),
            ("member", "list", "--workspace", slug, "--json"),
        )
    ]
    assert not [secret for secret in (idp.token, made["token"], "hidden-word") if secret in "".join(everything)]
    assert json.loads(everything[3])["DATABASE_URL"] is None


def test_the_simulator_finds_the_running_service_by_itself(facts_of, idp):
    for _ in range(2):
        report = facts_of("simulate", "entra", "--users", "5", "--groups", "1", "--workspace", idp.workspace.slug)
        assert (report["errors"], report["requests"] > 20) == (0, True)
        assert {"rate", "p50_ms", "p95_ms"} <= set(report)
