"""The revision of the tables: which one this version needs, and whether the database has it.

Web processes ask this all day. It is apart from `migration`, for Alembic and what comes with it fill a process with
9 MB that only commands need.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ProgrammingError

from provisioning.database import Trouble, trouble_of

_MIGRATIONS = Path(__file__).parent / "migrations" / "versions"
# Each migration's file begins with the number of its revision, and they are a chain.
HEAD = max(file.name.partition("_")[0] for file in _MIGRATIONS.glob("[0-9]*.py"))


def is_current(connection: Connection) -> bool:
    """Whether the database has the tables that this version needs.

    Args:
        connection: on which each statement stands alone, for there may be no tables at all.
    """
    try:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    except ProgrammingError as error:
        if trouble_of(error) is not Trouble.LACKING:
            raise
        return False
    return bool(found == HEAD)
