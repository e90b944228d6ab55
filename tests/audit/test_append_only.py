"""The table of facts only grows: PostgreSQL itself refuses anything else."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from provisioning.database import transaction
from provisioning.outbox import Event

WORK = {
    "urgency": "'letters'",
    "due_at": "now()",
    "attempts": "7",
    "error": "'E'",
    "done_at": "now()",
    "parked_at": "now()",
    "seal_number": "1",
}
RETENTION = text("SET LOCAL provisioning.retention = 'on'")
OTHER = {"UUID": "gen_random_uuid()", "BIGINT": "-1", "JSONB": "'{\"a\": 1}'", "TEXT": "'other'"}


def refused(chain, statement: str) -> str:
    """What PostgreSQL says to a statement that it refuses; the transaction goes on."""
    with pytest.raises(ProgrammingError) as caught, chain.connection.begin_nested():
        chain.change(statement)
    assert caught.value.orig.sqlstate == "42501"
    return str(caught.value.orig)


@pytest.mark.parametrize("column", sorted(set(Event.__table__.columns.keys()) - set(WORK)))
def test_what_a_fact_tells_cannot_be_changed(chain, column):
    chain.write(1)
    kind = str(Event.__table__.c[column].type.compile()).split()[0]
    if column == "seq":
        # An identity column takes no value but its own next one.
        value = "DEFAULT"
    else:
        value = OTHER.get({"CHAR(32)": "UUID"}.get(kind, kind), "now() - interval '1 day'")
    said = refused(chain, f"UPDATE event SET {column} = {value} WHERE workspace_id = :chain")
    assert "can only grow: UPDATE of event" in said


@pytest.mark.parametrize("retention", [False, True])
def test_a_fact_cannot_be_deleted_unless_retention_drops_what_is_sealed(chain, retention):
    chain.write(2)
    if retention:
        chain.connection.execute(RETENTION)
    delete = "DELETE FROM event WHERE workspace_id = :chain"
    assert "DELETE of event" in refused(chain, delete)
    chain.seal()
    if retention:
        assert chain.change(delete) == 2
    else:
        refused(chain, delete)


def test_the_way_around_ends_with_its_transaction(app):
    setting = text("SELECT current_setting('provisioning.retention', true)")
    with transaction() as first:
        engine = first.engine
    with engine.connect() as connection:
        with connection.begin():
            connection.execute(RETENTION)
            assert connection.execute(setting).scalar_one() == "on"
        with connection.begin():
            assert connection.execute(setting).scalar_one() != "on"


def test_what_belongs_to_the_work_can_be_changed_and_a_seal_is_set_once(chain):
    chain.write(1)
    for column, value in WORK.items():
        chain.change(f"UPDATE event SET {column} = {value} WHERE workspace_id = :chain")
    for value in ("2", "NULL"):
        refused(chain, f"UPDATE event SET seal_number = {value} WHERE workspace_id = :chain")
    chain.change("UPDATE event SET seal_number = 1 WHERE workspace_id = :chain")


def test_nobody_writes_a_fact_that_is_sealed_from_birth(chain):
    insert = """
        INSERT INTO event (id, workspace_id, name, subject, payload, actor_kind, seal_number)
        VALUES (gen_random_uuid(), :chain, 'n', 's', '{}', 'system', 1)
    """
    assert "INSERT of event" in refused(chain, insert)


@pytest.mark.parametrize("table", ["event", "audit_seal", "audit_head", "audit_key"])
def test_no_table_of_the_trail_can_be_emptied(chain, table):
    chain.write(1)
    chain.seal()
    assert f"TRUNCATE of {table}" in refused(chain, f"TRUNCATE {table} CASCADE")
    if table != "event":
        assert f"DELETE of {table}" in refused(chain, f"DELETE FROM {table}")


def test_a_seal_cannot_be_changed_nor_called_dropped(chain):
    chain.write(1)
    chain.seal()
    for change in ("rows = ''", "hash = ''", "signature = ''", "dropped = 'by me'", "last_at = now()", "number = 2"):
        refused(chain, f"UPDATE audit_seal SET {change} WHERE workspace_id = :chain")
