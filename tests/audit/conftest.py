"""A chain of its own for each test, in a transaction that is never committed: no sealer of the service sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection

from provisioning import entropy, outbox
from provisioning.audit import seals
from provisioning.context import context
from provisioning.database import rehearsal
from provisioning.outbox import Fact
from tests.conftest import TEST


@dataclass(frozen=True, slots=True)
class Noted(Fact):
    """A fact that calls for no work."""

    name: ClassVar[str] = "test.noted"
    number: int

    @property
    def subject(self) -> str:
        return f"test:{self.number}"


@dataclass(frozen=True, slots=True)
class Called(Fact):
    """A fact that calls for work."""

    name: ClassVar[str] = "test.called"
    calls_for_work: ClassVar[bool] = True
    number: int

    @property
    def subject(self) -> str:
        return f"test:{self.number}"


@dataclass(frozen=True)
class Chain:
    """A workspace's facts and seals, as a superuser of the database gets at them."""

    id: UUID
    connection: Connection

    def write(self, count: int, kind: type[Fact] = Noted) -> None:
        facts = [kind(number=number) for number in range(count)]
        outbox.append(self.connection, *facts, workspace_id=self.id, by=TEST)

    def seal(self, most: int = 1000) -> list[int]:
        """Seal all that can be, and tell how many facts each seal has."""
        counts = []
        while made := seals.seal(self.connection, chain=self.id, most=most, notary=context().notary):
            counts.append(made.count)
        return counts

    def change(self, statement: str, **parameters: Any) -> int:
        """Execute a statement, and tell how many rows that concerned."""
        return self.connection.execute(text(statement), {"chain": self.id, **parameters}).rowcount

    def tamper(self, statement: str, **parameters: Any) -> None:
        """Do what the triggers refuse."""
        self.connection.execute(text("SET LOCAL session_replication_role = replica"))
        assert self.change(statement, **parameters)
        self.connection.execute(text("SET LOCAL session_replication_role = origin"))

    def rows(self, columns: str = "seq, id, seal_number", table: str = "event", order: str = "seq") -> list[Any]:
        wanted = f"SELECT {columns} FROM {table} WHERE workspace_id = :chain ORDER BY {order}"
        return list(self.connection.execute(text(wanted), {"chain": self.id}))


@pytest.fixture
def chain(app) -> Iterator[Chain]:
    """A chain without facts."""
    with rehearsal() as connection:
        yield Chain(entropy.new_id(), connection)
