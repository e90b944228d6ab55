"""In which order the suite runs, and which tests stay together, where it is run side by side."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

# Their tests share servers, which cost a start each, and work as long as they run.
_TOGETHER = ("tests/faults/", "tests/workers/")
# What takes longest begins first, so that all processes have something to do until the end.
_LONGEST_FIRST = (
    *_TOGETHER,
    "tests/embedded/test_up.py",
    "tests/access/",
    "tests/browser/test_console.py",
    "tests/story/",
    "tests/simulator/",
    "tests/sessions/test_machine.py",
    "tests/conformance/",
    "tests/oidc/",
    "tests/bootstrap/",
)


class _ByServers(LoadFileScheduling):
    """Hands out whole files, and whole folders where those share servers."""

    def _split_scope(self, nodeid: str) -> str:
        return next(filter(nodeid.startswith, _TOGETHER), super()._split_scope(nodeid))


def _place(item: pytest.Item) -> int:
    return next((n for n, first in enumerate(_LONGEST_FIRST) if item.nodeid.startswith(first)), len(_LONGEST_FIRST))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return _ByServers(config, log)
