"""`provisioning up` as an operator lives with it: start, stop, kill, start again; nothing is ever left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.service import free_port, start
from tests.waiting import eventually


def tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def alive(processes: list[psutil.Process]) -> list[str]:
    left = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                left.append(f"{process.pid} {process.name()}")
        except psutil.NoSuchProcess:
            continue
    return left


def instance(service) -> dict:
    return json.loads((service.data_dir / "instance.json").read_text())


def sockets_of(service) -> Path:
    return Path(instance(service)["database_url"].partition("host=")[2])


def workspaces(data_dir: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "provisioning", "workspace", "list", "--json", "--data-dir", str(data_dir)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_stopping_leaves_nothing_and_starting_again_finds_the_data(tmp_path):
    with start(tmp_path) as service:
        sockets, processes = sockets_of(service), tree(service.process.pid)
        assert len(processes) >= 8
        said = eventually(lambda: "ready" in service.output.read_text() and service.output.read_text())
        assert "SCIM token" in said
        assert (service.data_dir.stat().st_mode & 0o777) == 0o700
        assert json.loads(workspaces(service.data_dir).stdout)["workspaces"][0]["slug"] == "main"
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(timeout=10) == 0
    assert alive(processes) == []
    assert not sockets.exists()
    assert sorted(p.name for p in service.data_dir.iterdir()) == ["postgres", "postgres.log", "secret.key"]
    refused = workspaces(service.data_dir)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "provisioning up" in refused.stderr
    with start(tmp_path) as service:
        said = eventually(lambda: "ready" in service.output.read_text() and service.output.read_text())
        assert "SCIM token" not in said
        assert json.loads(workspaces(service.data_dir).stdout)["total"] == 1


def test_a_second_one_on_the_same_folder_or_port_is_told_so_in_one_line(tmp_path, service):
    def up(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "provisioning", "up", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 - our own command

    same_folder = up("--data-dir", str(service.data_dir), "--port", str(free_port()))
    assert (same_folder.returncode, same_folder.stderr.count("\n")) == (2, 1)
    assert str(service.data_dir) in same_folder.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        same_port = up("--data-dir", str(tmp_path / "data"), "--port", port)
    assert (same_port.returncode, same_port.stderr.count("\n")) == (2, 1)
    assert port in same_port.stderr
    a_file = tmp_path / "file"
    a_file.touch()
    unusable = up("--data-dir", str(a_file / "data"))
    assert (unusable.returncode, unusable.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("victim", ["everything's parent", "urgent", "worker", "web"])
def test_whatever_is_killed_nothing_is_left(tmp_path, cluster, victim):
    with start(tmp_path, cluster=cluster, PROVISIONING_WEB_PROCESSES="1") as service:
        sockets, processes = sockets_of(service), tree(service.process.pid)
        if victim == "everything's parent":
            os.kill(service.process.pid, signal.SIGKILL)
        else:
            word = {"urgent": "--queues urgent", "worker": "--queues housekeeping", "web": "granian"}[victim]
            by_command = [p for p in processes if word in " ".join(p.cmdline())]
            by_command[0].kill()
        code = service.process.wait(timeout=15)
        eventually(lambda: not alive(processes), within=15)
        eventually(lambda: not sockets.exists() and not (service.data_dir / "instance.json").exists())
    if victim != "everything's parent":
        assert code == 1
        assert f"{victim} stopped with exit code" in service.output.read_text()


def test_the_others_wait_until_the_web_server_answers_and_can_be_stopped_while_they_wait(tmp_path):
    command = [sys.executable, "-m", "provisioning", "up", "--port", str(free_port()), "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - our own command

        def commands() -> list[list[str]]:
            found = []
            for one in tree(process.pid):
                with suppress(psutil.Error):
                    found.append(one.cmdline())
            return found

        others = {"urgent", "letters", "worker", "forwarding", "beat"}
        eventually(
            lambda: sum("web-is-up" in " ".join(one) for one in commands()) == len(others), within=60, every=0.01
        )
        assert not [one for one in commands() if "workers" in one]
        processes = tree(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) == 0
    assert alive(processes) == []
