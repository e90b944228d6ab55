"""`python -m workers worker` or `beat`, with Celery's own options: the composition root of the worker processes."""

from __future__ import annotations

import os
import sys
import warnings

from celery.platforms import SecurityWarning

from config.settings import InvalidSettings, load
from workers.app import make_worker


def main() -> None:
    """Read the settings, build the Celery application, and hand it the command line."""
    try:
        celery = make_worker(load(os.environ))
    except InvalidSettings as error:
        sys.exit(f"provisioning: {error}")
    # Celery warns root of messages that run code; ours are JSON, which runs none.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    celery.start(["--quiet", *sys.argv[1:]])


if __name__ == "__main__":
    main()
