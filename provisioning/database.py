"""The way to PostgreSQL: the base of all tables, a connection to read with, and the one way to a transaction."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar, Token
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Protocol, TypeVar, cast
from uuid import UUID

import orjson
import psycopg
from flask_sqlalchemy import SQLAlchemy
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus
from sqlalchemy import BigInteger, DateTime, LargeBinary, MetaData, Text, Uuid, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import DataError, DBAPIError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import Pool

__all__ = ["Base", "Connection", "DatabaseFailure", "Trouble", "db", "reading", "transaction", "trouble_of"]

DatabaseFailure = SQLAlchemyError
_AFTER_COMMIT = "after_commit"


class Trouble(Enum):
    """What a failure of the database says, to whoever has to answer for it."""

    UNSTORABLE = "a value can't be stored"
    CONTENDED = "others changed the same thing at once"
    AWAY = "the database does not answer"
    LACKING = "tables are missing"
    UNFORESEEN = "anything else"


# PostgreSQL's error codes: its manual, appendix A.
_STATES = {
    **dict.fromkeys(("22021", "22P05", "22001", "54000"), Trouble.UNSTORABLE),
    **dict.fromkeys(("40001", "40P01", "55P03"), Trouble.CONTENDED),
    "42P01": Trouble.LACKING,
}
_AWAY_CLASSES = frozenset({"08", "53", "57"})


def trouble_of(error: SQLAlchemyError) -> Trouble:
    """What a failure says; one that PostgreSQL didn't get to number means that it is away."""
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    if state is None and isinstance(error, DataError):
        return Trouble.UNSTORABLE
    if state is None:
        return Trouble.AWAY if isinstance(error, DBAPIError | PoolTimeout) else Trouble.UNFORESEEN
    return Trouble.AWAY if state[:2] in _AWAY_CLASSES else _STATES.get(state, Trouble.UNFORESEEN)


class Base(DeclarativeBase):
    """The base of every table. Tables are read and written in Core: no row is ever an object with a life of its own."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        bytes: LargeBinary,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        int: BigInteger,
        list[Any]: JSONB,
        str: Text,
        UUID: Uuid,
    }


db = SQLAlchemy(metadata=Base.metadata)


# PostgreSQL itself gives a statement up sooner than anybody at this end.
_STATEMENT_SECONDS, _ANSWER_SECONDS = 30, 32.0
# How soon a server must say that a connection which nobody has used for a while still works.
_SIGN_OF_LIFE_SECONDS, _TRUSTED_SECONDS = 1.0, 1.0


class Bounded(psycopg.Connection[Any]):
    """A connection that gives up on a server from which nothing comes.

    Its own timeouts PostgreSQL keeps only as long as it can be heard; and a network that swallows everything, or a
    server that froze, acknowledges whatever is sent.
    """

    # In seconds; without any, it waits for ever.
    patience: float | None = _ANSWER_SECONDS
    # Until when it is known to work, by the clock of this process.
    trusted_until = 0.0
    _cursor: psycopg.RawCursor[Any] | None = None

    def one_cursor(self) -> psycopg.RawCursor[Any]:
        """A cursor for those who take all rows at once: a new one for each statement is a quarter of a quick one."""
        if self._cursor is None:
            self._cursor = psycopg.RawCursor(self)
        return self._cursor

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for the server, as long as the connection's patience lasts.

        Raises:
            OperationalError: nothing came; what became of the statement is not known, and the connection is closed.
        """
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.OperationalError:
            # A server that did answer has left the connection in a known state.
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise

    def trust(self) -> None:
        """Know for a moment that it works."""
        self.trusted_until = time.monotonic() + _TRUSTED_SECONDS

    def require_life(self) -> None:
        """Look whether the server is there: of one that was there a moment ago, only whether it has hung up since.

        Raises:
            OperationalError: it is not.
        """
        if time.monotonic() < self.trusted_until and not self._has_been_told():
            return
        patience, self.patience = self.patience, _SIGN_OF_LIFE_SECONDS
        self.autocommit = True
        self.execute("")
        self.autocommit = False
        self.patience = patience

    def _has_been_told(self) -> bool:
        """Whether something has come that nobody asked for: an end, or the reason of one."""
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        return bool(poll.poll(0))


@event.listens_for(Engine, "do_connect")
def _connect(_dialect: Dialect, _record: Any, arguments: Any, options: Any) -> psycopg.Connection[Any]:
    return Bounded.connect(*arguments, **options)


def _require_life(connection: Any, _record: Any, _proxy: Any) -> None:
    """SQLAlchemy's own look at a connection asks the server every time: that is a third of a quick request."""
    if isinstance(connection, Bounded):
        try:
            connection.require_life()
        except psycopg.Error as error:
            raise InvalidatePoolError from error


def _leave(connection: Any, _record: Any) -> None:
    """Have every connection of the pool begin in the same state, whoever had it before."""
    if isinstance(connection, Bounded) and not connection.closed:
        connection.autocommit = False
        connection.trust()


event.listen(Pool, "checkout", _require_life)
event.listen(Pool, "checkin", _leave)


def take_any_time(connection: Connection) -> None:
    """Let the statements of a connection take as long as they need, on both ends: migrations do."""
    connection.execute(text("SET statement_timeout = 0"))
    driver_of(connection).patience = None


def engine_options(*, pool_size: int) -> dict[str, Any]:
    """How engines are built everywhere: bounded waits, fast JSON, no question that nothing here needs answered.

    Returns:
        Keyword arguments of `sqlalchemy.create_engine`.
    """
    return {
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "pool_timeout": 5,
        "json_serializer": lambda value: orjson.dumps(value).decode(),
        "json_deserializer": orjson.loads,
        # No column is an hstore: whether there are any costs each new connection a transaction.
        "use_native_hstore": False,
        "connect_args": {
            "connect_timeout": 2,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
            # The server, too, notices within half a minute that a client is gone: what it held is free again then.
            "options": f"-c statement_timeout={_STATEMENT_SECONDS}s -c idle_in_transaction_session_timeout=60s"
            " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c timezone=UTC",
        },
    }


def driver_of(connection: Connection) -> Bounded:
    """The driver's own connection."""
    return cast("Bounded", connection.connection.driver_connection)


def through_pooler(options: dict[str, Any]) -> dict[str, Any]:
    """Engine options for a pooler that lends a server's connection for one transaction at a time, such as PgBouncer.

    What a connection was told at its start, or has prepared, would be there for another transaction, or not.
    """
    arguments = {name: value for name, value in options["connect_args"].items() if name != "options"}
    return {**options, "connect_args": {**arguments, "prepare_threshold": None}}


def is_pooled(connection: Connection) -> bool:
    """Whether a pooler stands between: the server's process is another than the one that greeted."""
    here = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    return bool(here != driver_of(connection).info.backend_pid)


class Source(Protocol):
    """Where the connections of requests come from."""

    def take(self) -> Connection:
        """One that works."""

    def leave(self, connection: Connection) -> None:
        """Take one back on which nothing has failed."""


class _Kept:
    """The connection of a block that uses one for everything."""

    __slots__ = ("_connection", "_outer", "_source", "is_lent")

    def __init__(self, source: Source | None = None) -> None:
        self._source = source
        self._connection: Connection | None = None
        self._outer: Token[_Kept | None] | None = None
        self.is_lent = False

    def __enter__(self) -> None:
        self._outer = _kept.set(self)

    def __exit__(self, *_raised: object) -> None:
        if self._outer is not None:
            _kept.reset(self._outer)
        connection = self._connection
        if connection is None or self._source is None or self.is_lent:
            self.end()
        else:
            self._connection = None
            self._source.leave(connection)

    def lend(self) -> Connection:
        """Have it used for one thing."""
        if self._connection is None:
            self._connection = db.engine.connect() if self._source is None else self._source.take()
        self.is_lent = True
        return self._connection

    def take_back(self) -> None:
        """Have it rest until the next thing."""
        self.is_lent = False
        if self._connection is not None:
            try:
                # What stood alone was no transaction to the server, and is one to SQLAlchemy.
                self._connection.rollback()
            except BaseException:
                self.end()
                raise

    def end(self) -> None:
        """Give it back to the pool, which looks after one on which something has failed."""
        self.is_lent = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _settled(connection: Connection, *, autocommit: bool) -> Connection:
    """A connection on which every statement stands alone, or none does: in a block one comes as it was left."""
    driver = driver_of(connection)
    if driver.autocommit is not autocommit:
        driver.autocommit = autocommit
    return connection


_kept: ContextVar[_Kept | None] = ContextVar("kept", default=None)


def one_connection(source: Source) -> AbstractContextManager[None]:
    """Use one connection for all that a block reads and writes in turn.

    Args:
        source: where it comes from; inside the block no application needs to be at work.
    """
    return _Kept(source)


class _Connected:
    """The connection of the block around, where it has one that nobody uses just now, or another.

    A class, and not a generator: every request is here several times, and a generator costs three times as much.
    """

    __slots__ = ("_autocommit", "_is_kept", "_of")

    def __init__(self, *, autocommit: bool) -> None:
        kept = _kept.get()
        self._autocommit = autocommit
        self._is_kept = kept is not None and not kept.is_lent
        self._of = kept if kept is not None and self._is_kept else _Kept()

    def __enter__(self) -> Connection:
        try:
            return _settled(self._of.lend(), autocommit=self._autocommit)
        except BaseException:
            self._of.end()
            raise

    def __exit__(self, raised: type[BaseException] | None, *_raised: object) -> None:
        if self._is_kept and raised is None:
            self._of.take_back()
        else:
            self._of.end()


def reading() -> AbstractContextManager[Connection]:
    """A connection on which every statement stands alone: no BEGIN and no ROLLBACK travels for a plain read."""
    return _Connected(autocommit=True)


@contextmanager
def snapshot() -> Iterator[Connection]:
    """A connection all of whose statements see the database as it was at the first one; nothing can be changed."""
    # Never the one that a block keeps: how it is isolated lasts until the pool has it back.
    with db.engine.connect() as connection:
        fixed = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with fixed.begin():
            yield fixed


@contextmanager
def transaction() -> Iterator[Connection]:
    """A connection in a transaction that is committed at the end, or rolled back whole when anything is raised.

    What was registered with `after_commit` runs once the commit has been acknowledged.
    """
    with _Connected(autocommit=False) as connection:
        callbacks = connection.info[_AFTER_COMMIT] = cast("list[Callable[[], None]]", [])
        with connection.begin():
            yield connection
    for callback in callbacks:
        callback()


_MOST_TRIES = 3
T = TypeVar("T")


def in_transaction(work: Callable[[Connection], T]) -> T:
    """Do work in a transaction, again from the start where PostgreSQL gave it up because others were at the same rows.

    Args:
        work: given the connection; it does nothing outside of the transaction.
    """
    for tried in range(1, _MOST_TRIES + 1):
        try:
            with transaction() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            if trouble_of(error) is not Trouble.CONTENDED or tried == _MOST_TRIES:
                raise
    raise AssertionError


@contextmanager
def rehearsal() -> Iterator[Connection]:
    """A connection in a transaction that is always rolled back in the end: to see what something would do."""
    with _Connected(autocommit=False) as connection:
        connection.info[_AFTER_COMMIT] = []
        with connection.begin() as begun:
            yield connection
            begun.rollback()


def rehearse(work: Callable[[Connection], T]) -> T:
    """Do work as in a transaction, and take all of it back."""
    with rehearsal() as connection:
        return work(connection)


def after_commit(connection: Connection, callback: Callable[[], None]) -> None:
    """Have something done once the connection's transaction is committed; the same callback is called only once."""
    callbacks = connection.info[_AFTER_COMMIT]
    if callback not in callbacks:
        callbacks.append(callback)
