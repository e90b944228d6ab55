"""What every page of the console takes in a workspace of 100,000 members, in time of the server and in bytes.

The numbers of a question, what a change would do, are no page: its page is there, says that they are counted, and has
them come. They are told by themselves, and held to no time.
"""

from __future__ import annotations

import argparse
import html
import math
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import orjson
import requests
from requests import Response
from sqlalchemy import text

from config import settings
from provisioning import migration
from provisioning.app import create_app
from provisioning.database import db, reading, take_any_time, transaction
from tests.browser import company
from tests.browser.company import Company
from tests.console import Visitor
from tests.faults.whole import Whole, is_ready, whole
from tests.service import Service
from tests.waiting import eventually

_MOST_MILLISECONDS, _MOST_BYTES = 200, 200_000
_TIMES = 5
# What is there of a small company is multiplied. One in fifty people is suspended, everybody has a session and is in
# the local group and in one of 1,000 pushed ones, one in ten in the group that the example's mapping means.
_FILL = (
    """
    CREATE TEMPORARY TABLE person ON COMMIT DROP AS
    SELECT n, CAST(lpad(n::text, 32, '0') AS uuid) AS id, 'p' || n || '@bench.example' AS address,
           (ARRAY['Ada', 'Ben', 'Cleo', 'Dan', 'Eve', 'Fay', 'Gus', 'Hal'])[n % 8 + 1] || ' Person ' || n AS name
    FROM generate_series(1, :members) AS n
    """,
    "INSERT INTO user_account (id, email, email_key) SELECT id, address, address FROM person",
    """
    INSERT INTO member (id, workspace_id, user_id, connection_id, origin, active, user_name, user_name_key,
                        external_ids, display_name, display_name_key, document, search)
    SELECT person.id, :of, person.id, one.connection_id, 'scim', n % 50 <> 0, address, address,
           jsonb_build_object(CAST(one.connection_id AS text), 'e' || n), name, lower(name),
           one.document::jsonb || jsonb_build_object('userName', address, 'displayName', name),
           one.search || jsonb_build_object('userName', address, 'displayName', lower(name))
    FROM member AS one, person WHERE one.workspace_id = :of AND one.id = :member_id
    """,
    """
    INSERT INTO user_group (id, workspace_id, connection_id, display_name, display_name_key, document, search)
    SELECT CAST(lpad(n::text, 32, '0') AS uuid), :of, one.connection_id, 'Group ' || n, 'group ' || n,
           one.document::jsonb || jsonb_build_object('displayName', 'Group ' || n),
           one.search || jsonb_build_object('displayName', 'group ' || n)
    FROM user_group AS one, generate_series(1, 1000) AS n WHERE one.workspace_id = :of AND one.id = :group_id
    """,
    """
    INSERT INTO membership (workspace_id, group_id, member_id)
    SELECT :of, CAST(lpad((n % 1000 + 1)::text, 32, '0') AS uuid), id FROM person
    UNION ALL SELECT :of, :local_group_id, id FROM person
    UNION ALL SELECT :of, :group_id, id FROM person WHERE n % 10 = 0
    """,
    """
    INSERT INTO session (id, user_id, digest, policy, epoch, address, user_agent)
    SELECT gen_random_uuid(), id, CAST(address AS bytea), 'standard', nextval('session_epoch'), '192.0.2.7',
           'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
    FROM person
    """,
    """
    INSERT INTO api_token (id, workspace_id, name, expires_at)
    SELECT gen_random_uuid(), :of, 'token ' || n, clock_timestamp() + n * interval '1 hour'
    FROM generate_series(1, 5000) AS n
    """,
    """
    INSERT INTO oauth_client (id, workspace_id, name)
    SELECT gen_random_uuid(), :of, 'client ' || n FROM generate_series(1, 200) AS n
    """,
    """
    INSERT INTO resource (workspace_id, type, id, name)
    SELECT :of, 'source', 's' || n, 'Source ' || n FROM generate_series(1, 10000) AS n
    """,
    """
    INSERT INTO resource_label (workspace_id, resource_type, resource_id, key, value)
    SELECT :of, 'source', 's' || n, 'environment', CASE WHEN n % 3 = 0 THEN 'dev' ELSE 'prod' END
    FROM generate_series(1, 10000) AS n
    """,
    """
    INSERT INTO mapping (id, workspace_id, name, resource_type, condition)
    SELECT gen_random_uuid(), :of, 'mapping ' || n, 'Group', 'displayName eq "Group ' || n || '"'
    FROM generate_series(1, 200) AS n
    """,
    """
    INSERT INTO event (id, workspace_id, name, subject, payload, actor_kind, actor_id, done_at)
    SELECT gen_random_uuid(), :of, one.name, 'user:' || person.id, one.payload, one.actor_kind, one.actor_id,
           clock_timestamp()
    FROM person, (SELECT * FROM event WHERE workspace_id = :of AND name = 'member.added' ORDER BY seq LIMIT 6) AS one
    """,
    """
    INSERT INTO event (id, workspace_id, name, subject, payload, actor_kind, actor_id, done_at)
    SELECT gen_random_uuid(), :of, one.name, one.subject, one.payload, one.actor_kind, one.actor_id, clock_timestamp()
    FROM generate_series(1, 1000),
         (SELECT event.* FROM event JOIN member ON event.subject = 'user:' || member.user_id
          WHERE event.workspace_id = :of AND member.workspace_id = :of AND member.id = :member_id) AS one
    """,
    """
    INSERT INTO journal_entry (id, workspace_id, connection_id, at, method, path, status, milliseconds)
    SELECT gen_random_uuid(), :of, :connection_id, clock_timestamp() - n * interval '2 seconds', 'PATCH', '/Users/x',
           CASE WHEN n % 500 = 0 THEN 409 ELSE 200 END, 1
    FROM generate_series(1, 3 * :members) AS n
    """,
    """
    INSERT INTO held_change (id, workspace_id, connection_id, kind, member_id)
    SELECT gen_random_uuid(), :of, :connection_id, 'suspend', id FROM person WHERE n <= 100
    """,
)
# Other views of a list: its next page, and in another order.
_VIEWS = re.compile(r'href="([^"]*[?&](?:sort|page)=[^"]*)"')
_SEARCHED = "?q=eve+person+4"
_COUNTED_LATER, _OURS = 'hx-trigger="load"', {"Sec-Fetch-Site": "same-origin"}


# Questions that are asked by a form: of which page, where it is sent, and how it is filled in.
_PEOPLE = "\n".join(f"p{n}@bench.example" for n in range(1, 501))
_SOURCES = [f"source:s{n}" for n in range(1, 501)]
_MAPPING = {"means": "begins", "begins": "Group 1", "role-0": "source-admin", "on-0": "all", "do": "preview"}
_QUESTIONS: Sequence[tuple[str, str, str, Mapping[str, str | Sequence[str]]]] = (
    ("mappings-new", "/mappings/new", "/mappings/new", _MAPPING),
    ("mappings-edit", "/mappings/{mapping_id}/edit", "/mappings/{mapping_id}/edit", _MAPPING),
    (
        *("groups-members", "/groups/{local_group_id}/members", "/groups/{local_group_id}/members"),
        {"which": "out", "emails": _PEOPLE},
    ),
    (
        *("roles-edit", "/roles/{own_role_key}/edit", "/roles/{own_role_key}/edit"),
        {"key": "catalogue-reader", "name": "Reader", "action": "source.update", "do": "preview"},
    ),
    ("resources-remove", "/resources/remove", "/resources/remove", {"lines": "\n".join(_SOURCES)}),
    (
        *("resources-label", "/resources/add", "/resources/label"),
        {"resource": _SOURCES, "label": "environment:prod", "do": "take"},
    ),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a page takes.

    Args:
        page: its name, or the address of another view of it.
        milliseconds: from the request to the end of the answer, the median.
        bytes: of the page, as it is before it is compressed.
        comes_later: whether it is what a page that is there has come, and says so.
    """

    page: str
    milliseconds: float
    bytes: int
    comes_later: bool = False

    @property
    def is_fair(self) -> bool:
        """Whether it is within the limits; what comes later only has to come."""
        most = math.inf if self.comes_later else _MOST_MILLISECONDS
        return self.bytes <= _MOST_BYTES and self.milliseconds <= most and math.isfinite(self.milliseconds)


def fill(small: Company, *, members: int) -> None:
    """Multiply what there is of a small company."""
    named = {**small.samples, "of": small.idp.workspace.id, "members": members}
    with transaction() as connection:
        take_any_time(connection)
        for statement in _FILL:
            wanted = text(statement)
            connection.execute(wanted, {name: named[name] for name in wanted.compile().params})
    with reading() as connection:
        take_any_time(connection)
        connection.execute(text("VACUUM ANALYZE"))


def walk(small: Company, pages: Sequence[tuple[str, str]]) -> Iterator[Cost]:
    """Every page, of lists other views, each once, and the numbers of every question."""
    seen, owner = {address for _, address in pages}, small.owner
    for name, address in pages:
        page = yield from _asked(owner, name, partial(owner.open, address))
        found = [html.unescape(each) for each in _VIEWS.findall(page)]
        others = [each if each.startswith("/") else f"{address}{each}" for each in found]
        others += [address + _SEARCHED] if 'role="search"' in page else []
        for other in dict.fromkeys(each for each in others if each not in seen):
            seen.add(other)
            called = f"{name} {re.sub(r'page=[^&]+', 'page=next', other.partition('?')[2])}"
            yield from _asked(owner, called, partial(owner.open, other))
    for name, page, path, fields in _QUESTIONS:
        at, sent = owner.address(path.format(**small.samples)), fields | owner.hidden(page.format(**small.samples))
        yield from _asked(owner, f"{name} asked", partial(owner.open, at, "POST", data=sent, headers=_OURS))


def _asked(owner: Visitor, name: str, ask: Callable[[], Response]) -> Generator[Cost, None, str]:
    """What a page takes, and its numbers where it is a question; and the page."""
    cost, answer = _timed(name, ask)
    yield cost
    if answer is None:
        return ""
    if _COUNTED_LATER in answer.text:
        yield replace(_timed(f"{name}: numbers", partial(owner.numbers, answer))[0], comes_later=True)
    return answer.text


def _timed(name: str, ask: Callable[[], Response]) -> tuple[Cost, Response | None]:
    took: list[float] = []
    while len(took) <= _TIMES:
        begun = time.perf_counter()
        try:
            answer = ask()
        except requests.Timeout:
            return Cost(name, float("inf"), 0), None
        took.append(time.perf_counter() - begun)
        if answer.status_code != requests.codes.ok:
            sys.exit(f"{name}: {answer.status_code}")
    return Cost(name, round(statistics.median(took[1:]) * 1000, 1), len(answer.content)), answer


def _founded(service: Whole) -> Company:
    """The small company, of a service without workers: nobody seals what it is filled with meanwhile."""
    web = service.parts["web-a"]
    web.start()
    eventually(lambda: is_ready(service.url("web-a")), within=60)
    return company.found(Service(service.url("web-a"), service.servers.folder, web.process, web.output))


def main() -> None:
    """Fill a workspace, walk the console, and print what each page took; exit 1 where one takes too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=100_000)
    members = parser.parse_args().members
    with tempfile.TemporaryDirectory() as folder, whole(Path(folder)) as service:
        app = create_app(settings.load(service.servers.environ))
        with app.app_context():
            migration.migrate()
            small = _founded(service)
            fill(small, members=members)
            db.engine.dispose()
        begun = os.getloadavg()[0]
        costs = sorted(walk(small, [*small.pages(app)]), key=lambda cost: cost.milliseconds, reverse=True)
        loads = (round(begun, 1), round(os.getloadavg()[0], 1))
    pages, numbers = ([asdict(cost) for cost in costs if cost.comes_later is later] for later in (False, True))
    told = {"members": members, "load": loads, "pages": pages, "numbers": numbers}
    sys.stdout.write(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode() + "\n")
    unfair = [cost.page for cost in costs if not cost.is_fair]
    if unfair:
        sys.exit(f"over {_MOST_MILLISECONDS} ms or {_MOST_BYTES} bytes: {', '.join(unfair)}")


if __name__ == "__main__":
    main()
