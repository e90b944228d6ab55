"""Every statement that is sent to PostgreSQL, whoever has the driver send it; a mere sign of life is none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

_execute: Callable[..., Any] = psycopg.Cursor.execute
_listening: list[Callable[[str, Any], None]] = []


def _heard(cursor: Any, statement: Any, parameters: Any = None, **how: Any) -> Any:
    if statement:
        for listener in (*_listening,):
            listener(str(statement), parameters)
    return _execute(cursor, statement, parameters, **how)


def listen(listener: Callable[[str, Any], None]) -> None:
    """Have each statement of this process told before it is sent, with its parameters."""
    psycopg.Cursor.execute = _heard  # type: ignore[assignment, method-assign]
    _listening.append(listener)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that this thread sends: the provisioning log is written by another one."""
    statements: list[str] = []
    here = threading.get_ident()

    def note(statement: str, _parameters: Any) -> None:
        if threading.get_ident() == here:
            statements.append(statement)

    listen(note)
    try:
        yield statements
    finally:
        _listening.remove(note)
