"""A deleted workspace is there for nobody from the commit on, and workers remove what belonged to it."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text

from provisioning import outbox
from provisioning.database import Base, reading, transaction
from provisioning.directory import connections, deletion, members, workspaces
from provisioning.directory.profile import Profile
from provisioning.outbox import Event
from provisioning.refusals import NotFound
from tests.conftest import TEST
from tests.sessions.playing import begin, begin_in, judge, stored
from tests.waiting import eventually
from workers.deletion import remove_workspace

pytestmark = pytest.mark.usefixtures("app")


def delete(idp) -> None:
    with transaction() as connection:
        workspaces.delete(connection, slug=idp.workspace.slug, by=TEST)


def left_of(idp) -> dict[str, int]:
    with reading() as connection:
        counts = {
            table.name: connection.execute(
                select(func.count()).select_from(table).where(table.c.workspace_id == idp.workspace.id)
            ).scalar_one()
            for table in deletion.tables()
        }
    return {name: count for name, count in counts.items() if count}


@pytest.fixture
def full(new_idp, new_admin, facts_of):
    """A workspace with something in most tables, and somebody who is in another one, too."""
    found, other = new_idp(), new_idp()
    slug = found.workspace.slug
    email = f"{slug}@corp.example"
    other.create_user(email)
    user = found.create_user(email, externalId="e1")
    found.create_group("G", user["id"])
    admin = new_admin(slug)
    admin.request("PUT", "/resources", {"resources": [{"type": "source", "id": "s", "name": "S"}]})
    facts_of("mapping", "create", "--workspace", slug, "--group", "G", "--role", "source-admin")
    admin.request("PUT", "/sessions/limits", {"idleSeconds": 3600, "absoluteSeconds": None})
    return found, other, admin, email


def test_nothing_opens_a_deleted_workspace_and_its_members_older_sessions_end(full, facts_of):
    found, _, admin, email = full
    everywhere, narrow = begin(email), begin_in(email, found.workspace.id)
    assert admin.get("")["workspace"]["slug"] == found.workspace.slug
    delete(found)
    for session in (everywhere, narrow):
        verdict = judge(session)
        assert (verdict.active, verdict.reason, verdict.workspace) == (False, "removed", found.workspace.slug)
    assert found.request("GET", "/Users").status_code == 401
    assert admin.request("GET", "").status_code == 401
    assert found.workspace.slug not in {one["slug"] for one in facts_of("workspace", "list")["workspaces"]}
    assert judge(begin(email)).active
    with reading() as connection:
        assert connections.anywhere(connection, found.connection.id) is None
        with pytest.raises(NotFound):
            workspaces.by_id(connection, found.workspace.id)


def test_whoever_was_in_the_deleted_workspace_alone_signs_in_to_nothing(idp):
    email = f"{idp.workspace.slug}@corp.example"
    idp.create_user(email)
    delete(idp)
    with pytest.raises(Exception, match="no workspace"):
        begin(email)


def test_somebody_who_was_suspended_there_keeps_the_session(full):
    found, other, *_ = full
    email = f"s.{found.workspace.slug}@corp.example"
    other.create_user(email)
    found.create_user(email, active=False)
    session = begin(email)
    delete(found)
    assert judge(session).active


def test_a_deleted_clinic_binds_nobody_any_more(new_idp, idp):
    clinic = new_idp(hipaa=True)
    email = f"{idp.workspace.slug}@corp.example"
    idp.create_user(email)
    clinic.create_user(email)
    assert judge(begin(email)).policy == "hipaa"
    delete(clinic)
    assert judge(begin(email)).policy == "standard"


def test_workers_remove_every_row_but_the_facts_and_the_end_of_sessions_outlives_them(full):
    found, other, _, email = full
    session = begin(email)
    assert {"member", "membership", "user_group", "connection", "api_token", "mapping", "session_limit"} <= set(
        left_of(found)
    )
    delete(found)
    assert eventually(lambda: not left_of(found))
    verdict = judge(session)
    assert (verdict.active, verdict.reason, verdict.workspace) == (False, "removed", found.workspace.slug)
    assert stored(session).ended_workspace_id == found.workspace.id
    with reading() as connection:
        names = select(Event.name).where(Event.workspace_id == found.workspace.id)
        told = set(connection.execute(names).scalars())
    assert {"workspace.created", "member.added", "workspace.deleted"} <= told
    assert other.find("/Users", f'userName eq "{email}"')


def test_the_slug_is_free_at_once_and_the_new_workspace_has_nothing_of_the_old_one(full, facts_of):
    found, *_ = full
    slug = found.workspace.slug
    delete(found)
    made = facts_of("workspace", "create", "--slug", slug, "--name", "again")
    assert made["id"] != str(found.workspace.id)
    assert facts_of("member", "list", "--workspace", slug)["members"] == []
    assert found.request("GET", "/Users").status_code == 401


def test_nobody_joins_a_deleted_workspace(idp):
    delete(idp)
    profile = Profile.of({"userName": "late@corp.example", "active": True})
    with transaction() as connection, pytest.raises(NotFound):
        members.create(connection, workspace_id=idp.workspace.id, profile=profile, connection_id=None, by=TEST)


def test_what_a_request_on_its_way_wrote_is_removed_later(idp):
    delete(idp)
    eventually(lambda: not left_of(idp))
    late = {"n": "late", "workspace": idp.workspace.id}
    with transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO user_group (id, workspace_id, display_name, display_name_key, document, search) "
                "VALUES (gen_random_uuid(), :workspace, :n, :n, '{}', '{}')"
            ),
            late,
        )
    assert eventually(lambda: not left_of(idp))


def test_a_workspace_that_is_not_deleted_is_never_emptied(idp):
    idp.create_user("a@corp.example")
    claimed = outbox.Claimed(
        idp.workspace.id, idp.workspace.id, "workspace.deleted", {"workspace_id": str(idp.workspace.id)}, 1
    )
    remove_workspace(claimed)
    assert idp.find("/Users", 'userName eq "a@corp.example"')


def test_deleting_asks_for_a_word(idp, command):
    refused = command("workspace", "delete", idp.workspace.slug)
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    assert idp.request("GET", "/Users").status_code == 200


def test_every_table_with_rows_of_a_workspace_is_emptied_or_kept_on_purpose():
    with_workspace = {name for name, table in Base.metadata.tables.items() if "workspace_id" in table.columns}
    assert {table.name for table in deletion.tables()} | deletion.KEPT == with_workspace
    others = {
        name
        for name, table in Base.metadata.tables.items()
        if name not in with_workspace and any(key.column.table.name == "workspace" for key in table.foreign_keys)
    }
    assert others == {"user_account", "session"}, "these name workspaces, and outlive them"
