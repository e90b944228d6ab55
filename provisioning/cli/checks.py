"""`python3 -m provisioning test`: the checks that contributors run, and the test suite."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_BIN = Path(sys.executable).parent
_CHECKS = (
    ("ruff", "check", "--quiet"),
    ("ruff", "format", "--check", "--quiet"),
    ("mypy",),
    ("lint-imports",),
)
# Tests of one group share a running service; the groups run side by side. Of one that hangs the process is ended and
# begun anew (see pyproject.toml): once, so that many of them don't take hours.
_SUITE = ("-n", "2", "--dist", "loadfile", "--max-worker-restart", "1")


def check(arguments: Sequence[str]) -> int:
    """Run the checks and the whole suite, or with arguments for pytest just that.

    Returns:
        The exit code of the first that failed, or 0.
    """
    if arguments:
        return _run("pytest", *arguments)
    for command in _CHECKS:
        code = _run(*command)
        if code != 0:
            return code
    return _run("pytest", *_SUITE)


def _run(program: str, *arguments: str) -> int:
    print(f"== {' '.join((program, *arguments))}", flush=True)  # noqa: T201 - what is running, for whoever waits
    return subprocess.run([_BIN / program, *arguments], cwd=_ROOT, check=False).returncode  # noqa: S603 - our own tools


if __name__ == "__main__":
    sys.exit(check(sys.argv[1:]))
