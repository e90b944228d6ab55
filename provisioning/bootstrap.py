"""From a bare clone to a running command: makes `.venv` from the hashed locks on first use, and goes on inside it.

The standard library alone. Once everything is in place it costs the comparison of a hash.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_VENV = _ROOT / ".venv"
_PYTHON = _VENV / "bin" / "python"
_STAMP = _VENV / "installed-locks"
_LOCKS = _ROOT / "config" / "locks"
_OLDEST_PYTHON, _OLDEST_GLIBC = (3, 11), (2, 28)


class CannotSetUp(Exception):
    """Set-up can't be done here; the text says what to do."""


def run() -> None:
    """Set up what is missing, then become the command that was asked for."""
    arguments = sys.argv[1:]
    testing = arguments[:1] == ["test"]
    python = Path(sys.executable)
    if _LOCKS.is_dir():
        try:
            _refuse_what_cannot_work()
            _ensure("requirements-test.lock" if testing else "requirements.lock")
        except CannotSetUp as error:
            sys.exit(f"provisioning: {error}")
        python = _PYTHON
    command = ["provisioning.cli.checks", *arguments[1:]] if testing else ["provisioning.cli", *arguments]
    os.execv(python, [str(python), "-m", *command])  # noqa: S606 - our own interpreter


def _refuse_what_cannot_work() -> None:
    if sys.platform == "win32":
        raise CannotSetUp("Windows is not supported: use WSL, the Windows Subsystem for Linux")
    if sys.version_info < _OLDEST_PYTHON:
        raise CannotSetUp(f"Python {platform.python_version()} is too old: 3.11 or newer is needed")
    if sys.platform == "linux" and not _PYTHON.exists():
        name, version = platform.libc_ver()
        if name != "glibc" or tuple(map(int, version.split(".")[:2])) < _OLDEST_GLIBC:
            raise CannotSetUp("this Linux has no glibc 2.28 or newer (Alpine has none), which the packages need")


def _ensure(lock: str) -> None:
    """Install a lock unless it is; the stamp is written last, so that an interrupted set-up is taken up again."""
    if _digest(lock) in _installed():
        return
    with _alone():
        if _digest(lock) in _installed():
            return
        print("provisioning: setting up .venv (once)", file=sys.stderr)  # noqa: T201 - progress
        if not _runs(_PYTHON):
            _step("an environment", [sys.executable, "-m", "venv", "--clear", "--without-pip", str(_VENV)])
        pip = _pip()
        _step("the installer", [*pip, "install", "--quiet", "--require-hashes", "-r", str(_LOCKS / "bootstrap.lock")])
        uv = [str(_PYTHON), "-m", "uv", "pip", "install", "--quiet", "--python", str(_PYTHON)]
        packages = [*uv, "--compile-bytecode", "--require-hashes", "-r", str(_LOCKS / lock)]
        # Where a company's proxy signs for the index, the operating system's certificates know it.
        _step("the packages", packages, or_else=["--system-certs"])
        _step("the service", [*uv, "--no-build-isolation", "--no-deps", "--editable", str(_ROOT)])
        # The lock for tests holds everything that the other one holds.
        done = {lock, "requirements.lock"}
        _STAMP.write_text("\n".join(map(_digest, sorted(done))))


def _digest(lock: str) -> str:
    """Of what an environment is made from: the lock, and the project's own description."""
    return hashlib.sha256((_LOCKS / lock).read_bytes() + (_ROOT / "pyproject.toml").read_bytes()).hexdigest()


def _installed() -> frozenset[str]:
    return frozenset(_STAMP.read_text().split()) if _STAMP.exists() and _PYTHON.exists() else frozenset()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One set-up at a time; the lock is on the folder itself, so that no file is left behind."""
    descriptor = os.open(_ROOT, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _runs(python: Path) -> bool:
    return python.exists() and subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0  # noqa: S603 - an interpreter


def _pip() -> list[str]:
    """The pip of this Python, working on the new environment; or the environment's own."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
        return [sys.executable, "-m", "pip", "--python", str(_PYTHON)]
    own = [str(_PYTHON), "-m", "ensurepip", "--upgrade"]
    if subprocess.run(own, capture_output=True, check=False).returncode != 0:  # noqa: S603 - our own interpreter
        raise CannotSetUp("this Python has neither pip nor ensurepip: install python3-venv (or python3-pip)")
    return [str(_PYTHON), "-m", "pip"]


def _step(what: str, command: Sequence[str], *, or_else: Sequence[str] = ()) -> None:
    """Run one step; what it says is shown only where it fails.

    Args:
        what: it sets up.
        command: that does so.
        or_else: added to the command for a second try.
    """
    print(f"provisioning:   {what} ...", file=sys.stderr, flush=True)  # noqa: T201 - progress
    for arguments in (command, [*command, *or_else]):
        done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)  # noqa: S603 - our own commands
        if done.returncode == 0:
            return
    tail = "\n".join(done.stdout.strip().splitlines()[-8:])
    raise CannotSetUp(f"{what} could not be set up; is the package index within reach?\n{tail}")
