from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from provisioning import migration, revision
from provisioning.database import Base, reading, transaction


def test_the_migrations_make_exactly_the_tables_of_the_models(app):
    with transaction() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert revision.is_current(connection)
        connection.execute(text("SELECT nextval('session_epoch')"))


def test_they_can_be_applied_again_without_harm(app):
    assert migration.migrate() == revision.HEAD


def test_the_newest_migration_is_the_one_that_is_needed():
    assert ScriptDirectory("provisioning/migrations").get_heads() == [revision.HEAD]


def test_every_key_and_unique_index_of_a_tenants_rows_begins_with_the_tenant():
    alone = {
        "workspace",
        "user_account",
        "session",
        "sign_in_link",
        "event",
        "signing_key",
        "progress",
        "heartbeat",
        "audit_key",
    }
    for table in Base.metadata.tables.values():
        if table.name in alone or table.name == "connection_token":
            continue
        assert next(iter(table.primary_key.columns)).name == "workspace_id", table.name
        for index in table.indexes:
            if index.unique:
                assert next(iter(index.columns)).name == "workspace_id", index.name


def test_no_index_of_members_follows_what_changes_most(app):
    with reading() as connection:
        indexes = connection.execute(text("SELECT indexdef FROM pg_indexes WHERE tablename = 'member'")).scalars().all()
    assert len(indexes) > 5
    often = ("document", "search", "version", "modified_at")
    assert [index for index in indexes if any(column in index.partition(" USING ")[2] for column in often)] == []
