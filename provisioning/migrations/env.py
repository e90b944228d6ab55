"""Alembic's way to the database: one migration a transaction, under a lock, never waiting long for a table."""

from alembic import context
from flask import current_app
from sqlalchemy import text

from provisioning.database import take_any_time

db = current_app.extensions["migrate"].db
_LOCK = 0x6D696772  # "migr"


def run() -> None:
    """Apply migrations; of several machines at once one works and the others find it done."""
    with db.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        try:
            connection.execute(text("SET lock_timeout = '5s'"))
            take_any_time(connection)
            connection.commit()
            context.configure(
                connection=connection,
                target_metadata=db.metadata,
                transaction_per_migration=True,
                **current_app.extensions["migrate"].configure_args,
            )
            with context.begin_transaction():
                context.run_migrations()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            connection.invalidate()


run()
