"""Killed between any two effects, or left without the answer to its commit, nobody leaves anything half done."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from config import settings
from provisioning.app import create_app
from provisioning.database import db
from tests.bench import Processes
from tests.faults.company import found
from tests.faults.deeds import DEEDS, Deed, Victim
from tests.faults.looking import facts_since, last_fact, make_due, undone
from tests.faults.works import WORKS
from tests.service import free_port
from tests.waiting import eventually

# Fewer boundaries than any of these has: it was not killed at all.
_LEAST = 4
# Up to here each; what is longer than that repeats itself, table by table or row by row.
_EACH = 12


@pytest.fixture(scope="module")
def victim(stage, apart) -> Iterator[Victim]:
    """A victim that reaches its database through a proxy; in an application's context the tests run."""
    url = stage.servers.postgres.url.replace("/provisioning?", f"/{apart}?")
    straight = {**stage.servers.environ, "DATABASE_URL": url}
    proxied = {"DATABASE_URL": f"postgresql://postgres@127.0.0.1:{stage.to_postgres.port}/{apart}"}
    processes, port = Processes({**straight, **proxied}), free_port()
    processes.start(sys.executable, "-m", "tests.faults.victim", str(port), output=stage.servers.folder / "victim.txt")
    with create_app(settings.load(straight)).app_context():
        made = Victim(f"http://127.0.0.1:{port}", found(straight))
        eventually(lambda: made.send(Deed("GET", "/health/ready", dict)), within=30)
        yield made
        db.engine.dispose()
    processes.end(patience=5)


@pytest.mark.parametrize("deed_of", DEEDS)
def test_a_web_process_killed_anywhere_leaves_all_or_nothing_and_a_retry_does_the_rest(victim, deed_of):
    before, after = unharmed(victim, deed_of)
    for boundary in itertools.count(1):
        deed, mark = deed_of(victim), last_fact()
        answer = victim.send(deed, kill_at=boundary)
        assert (deed.state(), facts_since(mark)) in ([after] if answer else [before, after]), boundary
        if answer is not None:
            break
        repeated = victim.send(deed)
        assert repeated is not None
        assert repeated.status_code in deed.answers, (boundary, repeated.text)
        assert (deed.state(), facts_since(mark)) == after, boundary
    assert boundary > _LEAST


@pytest.mark.parametrize("deed_of", DEEDS)
def test_a_commit_whose_answer_is_lost_is_an_error_that_a_retry_mends(stage, victim, deed_of):
    _, after = unharmed(victim, deed_of)
    deed, mark, struck = deed_of(victim), last_fact(), stage.to_postgres.struck
    stage.to_postgres.drop_the_answer_to(deed.commits)
    answer = victim.send(deed)
    assert answer is not None
    assert stage.to_postgres.struck == struck + 1
    refused = answer.json()["code"] == 1 if deed.path == "/-/command" else answer.status_code == 503
    assert refused, answer.text
    assert (deed.state(), facts_since(mark)) == after
    repeated = victim.send(deed)
    assert repeated is not None
    assert repeated.status_code in deed.answers
    assert (deed.state(), facts_since(mark)) == after


def unharmed(victim: Victim, deed_of: Callable[[Victim], Deed]) -> tuple[Any, Any]:
    """What the tables say before a deed, and after it when nobody is killed."""
    deed, mark = deed_of(victim), last_fact()
    before = (deed.state(), facts_since(mark))
    answer = victim.send(deed)
    assert answer is not None
    assert answer.status_code in deed.answers, answer.text
    after = (deed.state(), facts_since(mark))
    assert before != after
    return before, after


@pytest.mark.parametrize(("work_of", "task"), WORKS)
def test_a_worker_killed_anywhere_leaves_its_work_to_the_next_who_does_it_once_in_effect(victim, work_of, task):
    run = Deed("POST", f"/-/task/{task}", dict)
    # Whatever the tests before have left to do.
    make_due()
    victim.made(run)
    after = None
    for boundary in itertools.chain(range(_EACH), itertools.count(_EACH, 9)):
        state, mark = work_of(victim), last_fact()
        before = state()
        make_due()
        if victim.send(run, kill_at=boundary) is None:
            make_due()
            victim.made(run)
        elif boundary:
            break
        done = (state(), facts_since(mark), undone())
        after = after or done
        assert done == after, boundary
        assert before != done[0]
    assert boundary > _LEAST
