"""Structured logs: one JSON line an event, to standard error. Never a secret, never a body."""

from __future__ import annotations

import logging

from pythonjsonlogger.orjson import OrjsonFormatter

_NAMES = {"message": "event", "levelname": "level", "name": "logger", "exc_info": "exception"}


def configure(level: str) -> None:
    """Send the logs of this process to standard error, as JSON lines, from this level up."""
    formatter = OrjsonFormatter(("message", "levelname", "name"), rename_fields=_NAMES, timestamp=True)
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    # At its lowest level it writes access tokens down.
    logging.getLogger("authlib").setLevel(logging.WARNING)
    logging.getLogger("provisioning").setLevel(level.upper())
    logging.getLogger("workers").setLevel(level.upper())
