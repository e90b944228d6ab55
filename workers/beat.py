"""Beat that may run in several copies: the one that holds an advisory lock in PostgreSQL leads, the others wait.

The lock lives as long as its connection: a leader that dies is followed within a tick, and one that froze, or whose
machine is gone, within seconds, for PostgreSQL ends a session in which a leader should have spoken. A leader cut off
from PostgreSQL stops ticking. Two leaders for a moment would do no harm: every task may run twice.
"""

from __future__ import annotations

import logging
import os
import signal
from types import FrameType
from typing import Any

from celery.beat import Scheduler
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from provisioning import heartbeat
from provisioning.database import db, is_pooled

_LOCK = 0x70726F76  # "prov": any number that nothing else on this database uses
_WAIT_SECONDS = 1.0
# A leader speaks with each tick; one that is silent for so long leads no more.
_LONGEST_SILENCE = "8s"
_BE_HEARD_OF = text("SELECT set_config('idle_session_timeout', :silence, false)")
_log = logging.getLogger(__name__)


class LeaderScheduler(Scheduler):  # type: ignore[misc]
    """The schedule from the configuration, followed only by the leader; no state to keep."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._connection: Connection | None = None
        self._is_told_to_end: bool | None = None
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due if this copy leads; ask again within a second in any case.

        Returns:
            How many seconds to sleep.
        """
        self._end_if_told()
        if not self._leads():
            return _WAIT_SECONDS
        return min(float(super().tick(*args, **kwargs)), _WAIT_SECONDS)

    def _end_if_told(self) -> None:
        """End between two ticks: Celery's own handler raises wherever the signal strikes, where it may be swallowed."""
        if self._is_told_to_end:
            raise SystemExit
        if self._is_told_to_end is None:
            self._is_told_to_end = False
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._note_the_end)

    def _note_the_end(self, _number: int, _frame: FrameType | None) -> None:
        self._is_told_to_end = True

    def _leads(self) -> bool:
        try:
            if self._connection is None:
                return self._apply()
            # Shows that it leads, and that it still has what it leads by.
            heartbeat.show_life(self._connection, heartbeat.BEAT)
        except SQLAlchemyError as error:
            _log.warning("no leader while PostgreSQL is away (%s)", type(error).__name__)
            self._give_up()
            return False
        return True

    def _apply(self) -> bool:
        with self.app.flask.app_context():
            connection = db.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if is_pooled(connection):
            _log.error("beat does not lead: through a pooler its lock would not last; give it a straight DATABASE_URL")
            connection.close()
            return False
        connection.execute(text("SELECT set_config('application_name', :name, false)"), {"name": f"beat-{os.getpid()}"})
        if connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}).scalar_one():
            connection.execute(_BE_HEARD_OF, {"silence": _LONGEST_SILENCE})
            self._connection = connection
            return True
        connection.close()
        return False

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
