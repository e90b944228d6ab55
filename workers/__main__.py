"""`python -m workers worker` or `beat`, with Celery's own options: the composition root of the worker processes."""

from __future__ import annotations

import os
import sys
import warnings

from billiard import pool
from celery.platforms import SecurityWarning

from config.settings import InvalidSettings, load
from workers.app import make_worker, settle_in


def main() -> None:
    """Read the settings, build the Celery application, and hand it the command line."""
    try:
        celery = make_worker(load(os.environ))
    except InvalidSettings as error:
        sys.exit(f"provisioning: {error}")
    # Celery warns root of messages that run code; ours are JSON, which runs none.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    # A process that is told to stop waits until its last result has been read: up to 30 s, where its worker reads no
    # more. Nobody needs results here, and what was not acknowledged is delivered again.
    pool.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT = 5
    settle_in()
    celery.start(["--quiet", *sys.argv[1:]])


if __name__ == "__main__":
    main()
