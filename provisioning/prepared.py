"""Statements for what requests do all day: compiled once, and run by the driver itself.

SQLAlchemy writes the SQL and converts the parameters; its own execution, which costs more than PostgreSQL's, is left
out. What comes back are plain tuples of what the driver makes of PostgreSQL's types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
import psycopg
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from provisioning.database import driver_of

Row = tuple[Any, ...]
_dialect: Any = PGDialect_psycopg
# Parameters are numbered as PostgreSQL numbers them, so that the driver has nothing to read in a statement.
_DIALECT = _dialect(json_serializer=lambda value: orjson.dumps(value).decode(), paramstyle="numeric_dollar")
_DIALECT.dbapi = psycopg
# What is asked here is found by an index: a server that takes longer is not there.
_PATIENCE_SECONDS = 10.0
_NOTHING: Mapping[str, Any] = {}


class Prepared:
    """One statement, with its parameters named as its `bindparam`s are.

    Args:
        statement: every value in it that differs from one run to the next is a `bindparam`.
        large: whether what comes back may be megabytes, which a connection is not to keep until the next statement.
    """

    __slots__ = ("_converters", "_fixed", "_large", "_order", "_sql")

    def __init__(self, statement: ClauseElement, *, large: bool = False) -> None:
        compiled: Any = statement.compile(dialect=_DIALECT)
        converters: dict[str, Callable[[Any], Any]] = {}
        fixed: dict[str, Any] = {}
        for parameter, name in compiled.bind_names.items():
            converter = parameter.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
            if converter is not None:
                converters[name] = converter
            if not parameter.required:
                fixed[name] = parameter.value
        self._sql = str(compiled)
        self._order = tuple(compiled.positiontup)
        self._converters = converters
        self._fixed = self._converted(fixed)
        self._large = large

    def rows(self, connection: Connection, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        """Run it, and take all of its rows.

        Args:
            connection: in a transaction or not; the statement belongs to it as any other.
            values: of its parameters; what a parameter was made with stands in for one that is left out.

        Raises:
            DBAPIError: as if SQLAlchemy had run it.
        """
        return self._run(connection, values).fetchall()

    def run(self, connection: Connection, values: Mapping[str, Any] = _NOTHING) -> None:
        """Run it, where it has no rows; the arguments and errors are those of `rows`."""
        self._run(connection, values)

    def one(self, connection: Connection, values: Mapping[str, Any] = _NOTHING) -> Row:
        """Run it, where it has one row whatever happens; the arguments and errors are those of `rows`."""
        (row,) = self._run(connection, values).fetchall()
        return row

    def one_or_none(self, connection: Connection, values: Mapping[str, Any] = _NOTHING) -> Row | None:
        """Run it, and take its first row, if there is one; the arguments and errors are those of `rows`."""
        return self._run(connection, values).fetchone()

    def _run(self, connection: Connection, values: Mapping[str, Any]) -> psycopg.Cursor[Row]:
        driver = driver_of(connection)
        patience, driver.patience = driver.patience, _PATIENCE_SECONDS
        try:
            cursor = psycopg.RawCursor(driver) if self._large else driver.one_cursor()
            given = {**self._fixed, **self._converted(values)}
            return cursor.execute(self._sql, [given[name] for name in self._order])
        except psycopg.Error as error:
            if driver.closed:
                connection.invalidate(error)
            raise DBAPIError.instance(
                self._sql, None, error, psycopg.Error, connection_invalidated=driver.closed, dialect=_DIALECT
            ) from error
        finally:
            driver.patience = patience

    def _converted(self, values: Mapping[str, Any]) -> dict[str, Any]:
        given = dict(values)
        for name, convert in self._converters.items():
            if name in given:
                given[name] = convert(given[name])
        return given
