from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from provisioning import migration
from provisioning.database import Base, transaction


def test_the_migrations_make_exactly_the_tables_of_the_models(app):
    with transaction() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert migration.is_current(connection)
        connection.execute(text("SELECT nextval('session_epoch')"))


def test_they_can_be_applied_again_without_harm(app):
    assert migration.migrate() == migration.head()


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
