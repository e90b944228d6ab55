"""Programs of others that run on Node, installed from their lock once for each state of it."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest


def modules(config: pytest.Config, folder: Path, *, what: str) -> Path:
    """The `node_modules` of a folder with a `package-lock.json`; skips where Node is missing, and says so.

    Args:
        config: of the test run, which keeps the installation in its cache.
        folder: where the two files are.
        what: what cannot run without Node.
    """
    if shutil.which("node") is None:
        pytest.skip(f"node is missing: {what} cannot run")
    lock = (folder / "package-lock.json").read_bytes()
    kept = config.cache.mkdir(f"node-{hashlib.sha256(lock).hexdigest()[:16]}")  # type: ignore[union-attr]
    done = kept / "done"
    with (kept / "lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not done.exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(folder / name, kept / name)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            made = subprocess.run(command, cwd=kept, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603 - our own command
            assert made.returncode == 0, made.stderr
            done.touch()
    return kept / "node_modules"
