"""How long locks are held while the workers sweep a million expired tokens.

The tokens are of several workspaces, all of them over. The workers' own task marks them, with a fact for each; how long
a transaction of it takes is how long it can hold a lock.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Engine

from config import settings
from provisioning import migration
from provisioning.access.founding import found_workspace
from provisioning.app import create_app
from provisioning.database import db, take_any_time, transaction
from provisioning.outbox import Actor
from tests.bench import servers
from workers import expiry

_BY = Actor("operator", "benchmark")
_WORKSPACES = 10
_TOKENS = text(
    """
    INSERT INTO api_token (id, workspace_id, name, expires_at)
    SELECT gen_random_uuid(), :workspace, 'token ' || n, clock_timestamp() - n * interval '1 second'
    FROM generate_series(1, :tokens) AS n
    """
)
_LEFT = text("SELECT count(*) FROM api_token WHERE ended_at IS NULL")
_TOLD = text("SELECT count(*) FROM event WHERE name = 'api_token.expired'")


class _Stopwatch:
    """How long each transaction of this process takes, from its first statement to the answer to its commit."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        event.listen(Engine, "begin", self._begin)
        self._commit = Engine.dialect
        event.listen(Engine, "commit", self._end)

    def _begin(self, connection: Connection) -> None:
        connection.info["begun"] = time.perf_counter()

    def _end(self, connection: Connection) -> None:
        self.seconds.append(time.perf_counter() - connection.info["begun"])
