"""A web process and a worker that cost nothing to kill: each request is answered in a fork, which may kill itself.

`python -m tests.faults.victim PORT`. The header `Kill-At` says at which boundary. Beside the application's own routes
there are two of the victim's: `POST /-/task/NAME` runs a task of the workers, and `POST /-/command` one of the command
line, whose words are sent as a JSON list.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from socketserver import ForkingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import orjson
from click.testing import CliRunner

from config import settings
from provisioning.app import wsgi
from provisioning.cli.main import provisioning
from tests.faults import killer
from workers.app import make_worker

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class _Forking(ForkingMixIn, WSGIServer):
    """Loaded once, forked for each request."""

    request_queue_size = 32


class _Silent(WSGIRequestHandler):
    def log_message(self, *_args: Any) -> None:
        """Nobody reads it."""


def _application() -> Application:
    web, celery, killing = wsgi(), make_worker(settings.load(os.environ)), killer.install()

    def task(name: str) -> bytes:
        return orjson.dumps(celery.tasks[name]())

    def command(words: list[str]) -> bytes:
        done = CliRunner().invoke(provisioning, [*words, "--json"])
        return orjson.dumps({"code": done.exit_code, "said": done.output})

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        killing.arm(int(environ.get("HTTP_KILL_AT", 0)))
        path = environ["PATH_INFO"]
        if not path.startswith("/-/"):
            body = list(web(environ, start))
        else:
            sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            body = [task(path.removeprefix("/-/task/")) if "task" in path else command(orjson.loads(sent))]
            start("200 OK", [("Content-Type", "application/json")])
        killing.passes()
        return body

    return answer


def main() -> None:
    """Serve until the process is ended."""
    with _Forking(("127.0.0.1", int(sys.argv[1])), _Silent) as server:
        server.set_app(_application())
        server.serve_forever(poll_interval=0.02)


if __name__ == "__main__":
    main()
