"""The service runs by roles that own nothing and can't change the trail: with what the documentation grants them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from config import settings
from provisioning.app import create_app
from provisioning.audit import retention
from provisioning.context import context
from provisioning.database import db, reading, transaction
from provisioning.outbox import Event, Urgency
from tests.workers.test_processes import alive, company, flip, undone
from workers import drain, sealing

WEB, WORKERS = "provisioning_web", "provisioning_workers"
_DOCUMENT = Path(__file__).parents[2] / "docs" / "audit.md"


@pytest.fixture
def granted(alone) -> Iterator[None]:
    """Both roles, as they are documented."""
    (grants,) = re.findall(r"```sql\n(.*?)```", _DOCUMENT.read_text(), re.DOTALL)
    with transaction() as connection:
        for role in (WEB, WORKERS):
            connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        connection.exec_driver_sql(grants)
    yield
    with transaction() as connection:
        for role in (WORKERS, WEB):
            connection.execute(text(f"DROP OWNED BY {role}"))
            connection.execute(text(f"DROP ROLE {role}"))


@contextmanager
def acting_as(role: str, bench: dict[str, str]) -> Iterator[None]:
    """Be in the context of an application that is this role."""
    url = bench["DATABASE_URL"].replace("//postgres@", f"//{role}@")
    with create_app(settings.load({**bench, "DATABASE_URL": url})).app_context():
        with reading() as connection:
            assert connection.execute(text("SELECT current_user")).scalar_one() == role
        try:
            yield
        finally:
            db.engine.dispose()


@pytest.mark.parametrize("role", [WEB, WORKERS])
def test_what_is_granted_is_enough_and_leaves_the_trail_alone(granted, bench, role):
    with acting_as(role, bench):
        flip(company(3))
        assert drain.drain(Urgency.URGENT) == 1
        assert (alive(), undone()) == (0, 0)
        assert sealing.seal_audit() > 0
        sins = [
            "UPDATE event SET payload = '{}'",
            "TRUNCATE event",
            "ALTER TABLE event DISABLE TRIGGER ALL",
            "UPDATE audit_seal SET hash = 'x'",
            "DELETE FROM audit_seal",
            "DELETE FROM audit_head",
            "UPDATE audit_key SET public = '{}'",
            "UPDATE alembic_version SET version_num = ''",
            "SET session_replication_role = replica",
            *(["DELETE FROM event"] if role == WEB else []),
        ]
        for sin in sins:
            with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), transaction() as connection:
                connection.execute(text(sin))


def test_the_workers_drop_what_is_under_a_seal_and_nothing_else(granted, bench):
    with acting_as(WORKERS, bench):
        company(1)
        sealing.seal_audit()
        with reading() as connection:
            seals = retention.overdue(connection, keep=-timedelta(days=1), most=1000)
            facts = connection.execute(select(Event.id)).all()
        with transaction() as connection:
            dropped = sum(
                retention.drop(connection, chain=chain, number=number, notary=context().notary)
                for chain, number in seals
            )
        assert dropped == len(facts) > 0
