"""From a bare clone: nothing but Python, twice at once, and after an interruption."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The Python that this environment was made from: what a newcomer has.
PYTHON = Path(sys._base_executable)  # noqa: SLF001 - there is no public name for it


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The tree as git would hand it out, without an environment."""
    wanted = ("provisioning", "workers", "config", "pyproject.toml", "README.md", "LICENSE", "Procfile")
    for name in wanted:
        source, target = ROOT / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    return tmp_path


def start(clone: Path, *arguments: str) -> subprocess.Popen[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PROVISIONING_", "PYTHON", "VIRTUAL_ENV"))}
    return subprocess.Popen(  # noqa: S603 - our own command
        [PYTHON, "-m", "provisioning", *arguments],
        cwd=clone,
        env=clean,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_an_interrupted_set_up_is_taken_up_again_by_two_at_once_and_costs_nothing_afterwards(clone):
    interrupted = start(clone, "config")
    assert any("packages" in line for line in interrupted.stderr)
    os.killpg(interrupted.pid, 9)
    interrupted.communicate()
    both = [start(clone, "config", "--json") for _ in range(2)]
    answers = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    assert len({out for out, _ in answers}) == 1
    assert sum("setting up" in err for _, err in answers) == 1
    again = start(clone, "config", "--json")
    assert again.communicate(timeout=30)[1] == ""
    script = subprocess.run([clone / ".venv/bin/provisioning", "--version"], capture_output=True, check=True)  # noqa: S603 - our own command
    assert script.stdout.startswith(b"provisioning")


@pytest.mark.parametrize("lock", sorted((ROOT / "config" / "locks").iterdir()), ids=lambda path: path.name)
def test_locks_pin_everything_by_hash_and_name_no_host(lock):
    text = lock.read_text()
    assert "://" not in text
    pinned = re.findall(r"^[a-z0-9][\w.-]*==", text, flags=re.MULTILINE)
    assert pinned
    assert len(re.findall(r"^[a-z0-9]", text, flags=re.MULTILINE)) == len(pinned)
    for requirement in re.split(r"\n(?=[a-z0-9])", text.strip()):
        assert "--hash=sha256:" in requirement


@pytest.mark.parametrize("module", ["__init__.py", "__main__.py", "bootstrap.py", "embedded/guardian.py"])
def test_what_runs_before_anything_is_installed_needs_the_standard_library_alone(module):
    tree = ast.parse((ROOT / "provisioning" / module).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    foreign = {name for name in names if name.split(".")[0] not in sys.stdlib_module_names}
    assert foreign <= {"provisioning.bootstrap"}
