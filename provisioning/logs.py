"""Structured logs: one JSON line an event, to standard error. Never a secret, never a body."""

from __future__ import annotations

import logging

import structlog


def configure(level: str) -> None:
    """Send the logs of this process to standard error, as JSON lines, from this level up."""
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    # At its lowest level it writes access tokens down.
    logging.getLogger("authlib").setLevel(logging.WARNING)
    logging.getLogger("provisioning").setLevel(level.upper())
    logging.getLogger("workers").setLevel(level.upper())
