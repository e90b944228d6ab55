from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import psycopg
import pytest

from provisioning.embedded import EmbeddedPostgres, Unavailable


@pytest.fixture
def sockets():
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        yield Path(folder)


def test_a_killed_server_starts_again_and_has_what_was_committed(tmp_path, sockets):
    for statement in ("CREATE TABLE kept AS SELECT 42", "INSERT INTO kept VALUES (43)", "SELECT * FROM kept"):
        server = EmbeddedPostgres(tmp_path / "postgres", sockets=sockets)
        server.start()
        with psycopg.connect(host=str(sockets), user="postgres", dbname="provisioning", autocommit=True) as connection:
            found = connection.execute(statement)
            kept = found.fetchall() if found.description else []
        os.kill(server.pid, signal.SIGKILL)
        server.stop()
    assert kept == [(42,), (43,)]


def test_an_interrupted_first_start_is_repaired(tmp_path, sockets):
    (tmp_path / "postgres.new").mkdir()
    (tmp_path / "postgres.new" / "PG_VERSION").write_text("half")
    server = EmbeddedPostgres(tmp_path / "postgres", sockets=sockets)
    server.start()
    server.stop()
    assert not (tmp_path / "postgres.new").exists()


@pytest.mark.parametrize(("file", "content"), [("letters.txt", "mine"), ("PG_VERSION", "9.6\n")])
def test_a_folder_that_is_not_ours_is_left_alone(tmp_path, sockets, file, content):
    folder = tmp_path / "postgres"
    folder.mkdir()
    (folder / file).write_text(content)
    with pytest.raises(Unavailable, match="postgres"):
        EmbeddedPostgres(folder, sockets=sockets).start()
    assert [p.name for p in folder.iterdir()] == [file]
