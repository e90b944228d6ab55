"""What happens reaches those who are to be told, by the workers' own tasks over TLS: all of it, in order."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, update
from standardwebhooks import Webhook, WebhookVerificationError

from config import settings
from provisioning import doctor, entropy, outbox
from provisioning.access.founding import found_workspace
from provisioning.app import create_app
from provisioning.audit.models import NOWHERE, Seal
from provisioning.context import context
from provisioning.database import db, reading, transaction
from provisioning.directory import members, owners
from provisioning.directory.profile import Profile
from provisioning.forwarding import endpoints, syslog_places
from provisioning.forwarding.endpoints import EndpointView
from provisioning.forwarding.models import Endpoint, SyslogPlace
from provisioning.outbox import Event, Fact, Urgency
from provisioning.post import folder
from tests.conftest import TEST
from tests.forwarding.test_syslog import Collector, collecting, parsed, unframed
from tests.mail_server import certificate
from tests.receiver import Receiver, running
from tests.service import free_port
from tests.waiting import eventually
from workers import drain, forwarding, sealing

ANY_TIME = datetime(2020, 2, 29, 12, tzinfo=UTC)
WORKER = ("worker", "--queues", "forwarding", "--pool", "threads", "--concurrency", "4", "--loglevel", "warning")


@dataclass(frozen=True, slots=True)
class Told(Fact):
    """A fact that calls for no work."""

    name: ClassVar[str] = "told.plainly"
    about: str
    number: int

    @property
    def subject(self) -> str:
        return f"told:{self.about}"


@dataclass(frozen=True, slots=True)
class Worked(Told):
    """A fact that calls for work, which nobody here does."""

    name: ClassVar[str] = "told.with_work"
    calls_for_work: ClassVar[bool] = True


@pytest.fixture(scope="module")
def trusted(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("trusted"))


@pytest.fixture(autouse=True)
def _here(alone, trusted, monkeypatch) -> None:
    """Nobody is told of anything yet, and what the receivers show is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with transaction() as connection:
        connection.execute(delete(Endpoint))
        connection.execute(delete(SyslogPlace))


@pytest.fixture
def receiver(trusted) -> Iterator[Receiver]:
    with running(Receiver(trusted)) as server:
        yield server


@dataclass
class Tenant:
    """A workspace, and the numbers of the facts that were written there."""

    id: UUID
    written: list[int] = field(default_factory=list)

    def write(self, *numbers: int, about: str = "x", kind: type[Told] = Told) -> None:
        with transaction() as connection:
            self.append(connection, *numbers, about=about, kind=kind)

    def append(self, connection, *numbers: int, about: str = "x", kind: type[Told] = Told) -> None:
        facts = [kind(about=about, number=number) for number in numbers]
        outbox.append(connection, *facts, workspace_id=self.id, by=TEST)


def found() -> Tenant:
    slug = f"f{entropy.new_id().hex[-10:]}"
    with transaction() as connection:
        return Tenant(found_workspace(connection, slug=slug, name=slug, hipaa_eligible=False, by=TEST).id)


@pytest.fixture
def tenant() -> Tenant:
    """A workspace whose beginning is sealed."""
    made = found()
    sealing.seal_audit()
    return made


def register(tenant: Tenant, url: str, *events: str) -> endpoints.Registered:
    means = context().forwarding
    with transaction() as connection:
        return endpoints.register(
            connection,
            workspace_id=tenant.id,
            url=url,
            events=events or ("told.*",),
            sealer=means.sealer,
            outbound=means.outbound,
            by=TEST,
        )


def forward() -> int:
    """Seal what there is, and tell the endpoints of it."""
    sealing.seal_audit()
    return forwarding.forward_to_endpoints()


def numbers(receiver: Receiver) -> list[int]:
    return [event["details"]["number"] for one in receiver.received for event in one.events]


def now(endpoint: EndpointView) -> EndpointView:
    with reading() as connection:
        return endpoints.by_id(connection, workspace_id=endpoint.workspace_id, endpoint_id=endpoint.id)


def let_time_pass(endpoint: EndpointView, by: timedelta) -> None:
    """What was noted of its failing was noted so long ago."""
    with transaction() as connection:
        connection.execute(
            update(Endpoint)
            .where(Endpoint.id == endpoint.id)
            .values(due_at=func.clock_timestamp(), failing_since=Endpoint.failing_since - by)
        )


def facts(tenant: Tenant, noun: str = "forwarding_endpoint.") -> list[str]:
    with reading() as connection:
        wanted = select(Event.name).where(Event.workspace_id == tenant.id, Event.name.startswith(noun))
        return list(connection.execute(wanted.order_by(Event.seq)).scalars())


def test_what_happens_is_sent_signed_once_and_nothing_of_before_or_of_others(tenant, receiver):
    tenant.write(0)
    sealing.seal_audit()
    made = register(tenant, receiver.url)
    found().write(1)
    tenant.write(2, 3)
    assert (forward(), forward()) == (2, 0)
    (one,) = receiver.received
    told = Webhook(made.secret).verify(one.body, one.headers)
    assert told["type"] == "audit.events"
    assert [event["details"]["number"] for event in told["data"]["events"]] == [2, 3]
    assert one.headers["content-type"] == "application/json"
    assert now(made.endpoint).delivered_at is not None


def test_only_the_events_that_were_asked_for_are_sent_and_the_others_are_not_in_the_way(tenant, receiver):
    made = register(tenant, receiver.url, "told.with_work", "workspace.*")
    tenant.write(*range(600))
    tenant.write(600, kind=Worked, about="y")
    settle()
    assert forward() == 1
    assert receiver.names() == ["told.with_work"]
    with transaction() as connection:
        held = endpoints.lock(connection, workspace_id=tenant.id, endpoint_id=made.endpoint.id)
        endpoints.change(connection, endpoint=held, events=["told.plainly"], enabled=None, by=TEST)
    tenant.write(601)
    assert forward() == 1
    assert receiver.names() == ["told.with_work", "told.plainly"]


def settle() -> None:
    with transaction() as connection:
        connection.execute(update(Event).where(Event.done_at.is_(None)).values(done_at=func.clock_timestamp()))


def test_a_fact_that_is_committed_late_is_not_passed_over(tenant, receiver):
    register(tenant, receiver.url)
    with transaction() as slow:
        tenant.append(slow, 1, about="late")
        tenant.write(2, about="early")
        assert forward() == 1
        assert numbers(receiver) == [2]
    assert forward() == 1
    assert numbers(receiver) == [2, 1]


def test_what_follows_on_a_fact_whose_work_is_under_way_does_not_overtake_it(tenant, receiver):
    register(tenant, receiver.url)
    tenant.write(1, kind=Worked)
    tenant.write(2)
    tenant.write(3, about="other")
    assert forward() == 1
    with transaction() as connection:
        # As a superuser can: it is older than what the sealer leaves to the workers.
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.execute(update(Event).values(occurred_at=Event.occurred_at - timedelta(minutes=2)))
    with transaction() as at_work:
        at_work.execute(select(Event.id).where(Event.name == Worked.name).with_for_update()).all()
        assert forward() == 0
    tenant.write(4)
    assert forward() == 3
    assert numbers(receiver) == [3, 1, 2, 4]


def test_an_endpoint_that_was_down_gets_everything_in_order_and_others_get_it_meanwhile(tenant, receiver, trusted):
    port = free_port()
    down = register(tenant, f"https://127.0.0.1:{port}/audit")
    register(tenant, receiver.url)
    for number in range(1, 4):
        tenant.write(number)
        forward()
    assert numbers(receiver) == [1, 2, 3]
    shown = now(down.endpoint)
    assert (shown.state, shown.attempts, shown.error) == ("enabled", 1, "ConnectionError")
    tenant.write(*range(4, 130))
    with running(Receiver(trusted, port=port)) as back:
        let_time_pass(down.endpoint, timedelta(0))
        forward()
        assert numbers(back) == list(range(1, 130))
        assert now(down.endpoint).attempts == 0
        assert all(Webhook(down.secret).verify(one.body, one.headers) for one in back.received)


@pytest.mark.parametrize("status", [199, 301, 307, 400, 404, 429, 500, 503])
def test_only_an_answer_of_2xx_takes_it_and_a_redirect_is_not_followed(tenant, receiver, status):
    made = register(tenant, receiver.url)
    tenant.write(1)
    receiver.answers = [status]
    assert forward() == 0
    assert forward() == 0
    assert now(made.endpoint).attempts == 1
    let_time_pass(made.endpoint, timedelta(0))
    tenant.write(2)
    assert forward() == 2
    first, again, then = receiver.received
    assert (first.id, first.body) == (again.id, again.body)
    assert then.id != first.id
    assert numbers(receiver) == [1, 1, 2]


@pytest.mark.parametrize(
    ("told", "least", "most"),
    [
        ("999999999", 3590, 3601),
        (format_datetime(ANY_TIME + timedelta(minutes=5), usegmt=True), 290, 301),
        (format_datetime(ANY_TIME - timedelta(minutes=5), usegmt=True), 0, 4),
        ("soon", 0, 4),
    ],
)
def test_who_asks_for_a_pause_gets_it_within_bounds_whatever_its_clock_says(tenant, receiver, told, least, most):
    made = register(tenant, receiver.url)
    tenant.write(1)
    receiver.answers, receiver.headers = [503], {"Retry-After": told, "Date": format_datetime(ANY_TIME, usegmt=True)}
    assert forward() == 0
    with reading() as connection:
        left = connection.execute(select(Endpoint.due_at - func.clock_timestamp())).scalar_one()
    assert least <= left.total_seconds() <= most
    assert now(made.endpoint).attempts == 1


def test_a_worker_killed_before_it_notes_what_was_taken_leaves_the_very_same_message_to_the_next(
    tenant, receiver, spawn
):
    made, may_answer = register(tenant, receiver.url), threading.Event()
    tenant.write(1, 2)
    sealing.seal_audit()
    receiver.answers = [lambda: may_answer.wait(60) and 204]
    first = spawn(*WORKER)
    eventually(lambda: asked(receiver, 1), within=60)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    may_answer.set()
    tenant.write(3)
    sealing.seal_audit()
    spawn(*WORKER)
    eventually(lambda: asked(receiver, 3), within=60)
    eventually(lambda: now(made.endpoint).delivered_at is not None and numbers(receiver)[-1:] == [3])
    before, again, then = receiver.received
    assert (before.id, before.body) == (again.id, again.body)
    assert [[event["details"]["number"] for event in one.events] for one in (before, then)] == [[1, 2], [3]]
    assert Webhook(made.secret).verify(again.body, again.headers)


def asked(receiver: Receiver, times: int) -> bool:
    """Whether it was called so often; a worker that has just started is told by the broker that there is work."""
    if len(receiver.received) >= times:
        return True
    sealing.nudge.drain(forwarding.QUEUE)
    return False


def test_two_workers_at_once_send_it_once(tenant, receiver, bench_app):
    register(tenant, receiver.url)
    tenant.write(*range(250))
    sealing.seal_audit()
    counts: list[int] = []

    def work() -> None:
        with bench_app.app_context():
            counts.append(forwarding.forward_to_endpoints())

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 250
    assert numbers(receiver) == list(range(250))


def test_an_endpoint_that_fails_for_long_is_an_alarm_once_and_one_that_comes_back_is_told_of(tenant, receiver):
    made = register(tenant, receiver.url)
    tenant.write(1)
    receiver.always = 500
    forward()
    assert "forwarding_endpoint.failing" not in facts(tenant)
    let_time_pass(made.endpoint, timedelta(hours=2))
    for _ in range(2):
        forward()
        let_time_pass(made.endpoint, timedelta(0))
    assert facts(tenant).count("forwarding_endpoint.failing") == 1
    assert now(made.endpoint).state == "failing"
    receiver.always = 204
    forward()
    assert facts(tenant)[-1] == "forwarding_endpoint.recovered"
    assert (now(made.endpoint).state, now(made.endpoint).error) == ("enabled", None)


@pytest.mark.parametrize(
    ("status", "passed", "because"), [(500, timedelta(days=6), "unreachable"), (410, None, "gone")]
)
def test_an_endpoint_is_given_up_aloud_and_goes_on_where_it_was_when_it_is_switched_on(
    tenant, receiver, status, passed, because
):
    made = register(tenant, receiver.url)
    tenant.write(1)
    receiver.always = status
    forward()
    if passed:
        let_time_pass(made.endpoint, passed)
        forward()
    assert facts(tenant)[-1] == "forwarding_endpoint.disabled"
    shown = now(made.endpoint)
    assert (shown.state, shown.disabled_because) == ("disabled", because)
    asked = len(receiver.received)
    receiver.always = 204
    tenant.write(2)
    let_time_pass(made.endpoint, timedelta(0))
    assert forward() == 0
    assert len(receiver.received) == asked
    with transaction() as connection:
        held = endpoints.lock(connection, workspace_id=tenant.id, endpoint_id=made.endpoint.id)
        endpoints.change(connection, endpoint=held, events=None, enabled=True, by=TEST)
    assert forward() == 2
    assert numbers(receiver)[-2:] == [1, 2]


def test_owners_are_written_to_when_an_endpoint_is_registered_fails_and_is_given_up(bench, tenant, receiver):
    profile = Profile.of({"userName": f"owner@{tenant.id.hex}.example", "active": True})
    with transaction() as connection:
        owner = members.create(connection, workspace_id=tenant.id, connection_id=None, profile=profile, by=TEST)
        owners.appoint(connection, member=owner, by=TEST)
    receiver.always = 500
    made = register(tenant, f"{receiver.url}?code=hush")
    tenant.write(1)
    for hours in (0, 2, 200):
        forward()
        let_time_pass(made.endpoint, timedelta(hours=hours))
    forward()
    drain.drain(Urgency.LETTERS)
    letters = [kept for kept in folder.every(settings.load(bench).mail_dir) if kept.message["To"] == owner.email]
    origin = receiver.url.removesuffix("/audit")
    words = ["is told what happens in", "does not take what happens in", "is not told any more what happens in"]
    assert [kept.message["Subject"].startswith(f"{origin} {word}") for kept, word in zip(letters, words, strict=True)]
    assert all("hush" not in kept.body and "HTTP 500" in kept.body for kept in letters[1:])


def test_while_secrets_overlap_each_of_them_proves_it_and_then_the_newest_alone(tenant, receiver):
    made, means = register(tenant, receiver.url), context().forwarding

    def rotate(overlap: timedelta) -> str:
        with transaction() as connection:
            held = endpoints.lock(connection, workspace_id=tenant.id, endpoint_id=made.endpoint.id)
            return endpoints.rotate(connection, endpoint=held, overlap=overlap, sealer=means.sealer, by=TEST).secret

    second = rotate(timedelta(hours=1))
    tenant.write(1)
    forward()
    both = receiver.received[-1]
    assert len(both.headers["webhook-signature"].split()) == 2
    for secret in (made.secret, second):
        assert Webhook(secret).verify(both.body, both.headers)
    third = rotate(timedelta(0))
    tenant.write(2)
    forward()
    one = receiver.received[-1]
    assert Webhook(third).verify(one.body, one.headers)
    for secret in (made.secret, second):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(one.body, one.headers)


def test_a_replay_tells_of_everything_since_a_moment_again(tenant, receiver):
    made = register(tenant, receiver.url)
    tenant.write(1)
    forward()
    with reading() as connection:
        moment = connection.execute(select(func.clock_timestamp())).scalar_one()
    tenant.write(2)
    tenant.write(3)
    forward()

    def replay(since: Any) -> int:
        with transaction() as connection:
            held = endpoints.lock(connection, workspace_id=tenant.id, endpoint_id=made.endpoint.id)
            endpoints.replay(connection, endpoint=held, since=since, by=TEST)
        return forwarding.forward_to_endpoints()

    assert replay(moment) == 2
    assert numbers(receiver) == [1, 2, 3, 2, 3]
    tenant.write(4)
    sealing.seal_audit()
    assert replay(moment + timedelta(days=1)) == 0
    tenant.write(5)
    assert forward() == 1


def test_a_replay_that_is_asked_for_while_something_is_sent_is_not_forgotten(tenant, receiver, bench_app):
    made = register(tenant, receiver.url)
    tenant.write(1)
    forward()
    with reading() as connection:
        moment = connection.execute(select(func.clock_timestamp() - timedelta(hours=1))).scalar_one()

    def replay() -> int:
        with bench_app.app_context(), transaction() as connection:
            held = endpoints.lock(connection, workspace_id=tenant.id, endpoint_id=made.endpoint.id)
            endpoints.replay(connection, endpoint=held, since=moment, by=TEST)
        return 204

    tenant.write(2)
    receiver.answers = [replay]
    forward()
    assert numbers(receiver) == [1, 2, 1, 2]


def test_an_address_that_leads_inward_is_never_called_and_one_whose_secret_cannot_be_opened_is_not_either(
    bench, tenant, receiver
):
    """In production not even this machine may be called, whatever was registered before."""
    made = register(tenant, receiver.url)
    tenant.write(1)
    sealing.seal_audit()
    strict = {"PROVISIONING_MODE": "production", "PROVISIONING_BASE_URL": "https://x.example"}
    for environ, error in (
        ({**strict, "PROVISIONING_SECRET_KEY": context_key(bench)}, "InvalidURL"),
        ({"PROVISIONING_SECRET_KEY": "another secret key, of 32 characters"}, "Unsealable"),
    ):
        other = create_app(settings.load({**bench, **environ}))
        let_time_pass(made.endpoint, timedelta(0))
        with other.app_context():
            forwarding.forward_to_endpoints()
            db.engine.dispose()
        assert now(made.endpoint).error == error
    assert receiver.received == []


def test_who_is_not_trusted_hears_nothing(tenant, tmp_path):
    with running(Receiver(certificate(tmp_path))) as stranger:
        made = register(tenant, stranger.url)
        tenant.write(1)
        assert forward() == 0
        assert (now(made.endpoint).error, stranger.received) == ("SSLError", [])


def context_key(bench: dict[str, str]) -> str:
    """The secret key of the bench, as its data folder keeps it."""
    return next(file.read_text().strip() for file in sorted(_folder(bench).glob("*.key")))


def _folder(bench: dict[str, str]):
    return settings.load(bench).data_dir


@pytest.fixture
def through_syslog(bench):
    """Runs the task with a syslog that is set: how many events it has sent."""
    made = []

    def tell(target: Any) -> int:
        sealing.seal_audit()
        app = create_app(settings.load({**bench, "PROVISIONING_SYSLOG_URL": target}))
        made.append(app)
        with app.app_context():
            return forwarding.forward_to_syslog()

    yield tell
    for app in made:
        with app.app_context():
            db.engine.dispose()


def lines(collector: Collector) -> list[int]:
    """The numbers of the facts that a collector has read."""
    read = [parsed(line) for stream in list(collector.streams) for line in unframed(stream)]
    return [line.told["details"]["number"] for line in read if line.about["type"].startswith("told.")]


def test_the_syslog_is_told_of_all_workspaces_from_then_on_and_of_what_it_missed(tenant, trusted, through_syslog):
    assert forwarding.forward_to_syslog() == 0
    nowhere = Tenant(NOWHERE)
    with collecting(tls=trusted) as (target, collector):
        url = f"syslog+tls://{target.host}:{target.port}"
        assert through_syslog(url) == 0
        later = found()
        tenant.write(1)
        with transaction() as connection:
            outbox.append(connection, Told(about="x", number=2), workspace_id=None, by=TEST)
        later.write(3)
        through_syslog(url)
        assert sorted(lines(collector)) == [1, 2, 3]
        assert {parsed(line).about["workspaceId"] for stream in collector.streams for line in unframed(stream)} >= {
            str(tenant.id),
            str(nowhere.id),
            str(later.id),
        }
        assert through_syslog(url) == 0
    with collecting(rude=True) as (target, _):
        tenant.write(*range(4, 500))
        assert through_syslog(f"syslog+tcp://{target.host}:{target.port}") == 0
    with collecting() as (target, collector):
        through_syslog(f"syslog+tcp://{target.host}:{target.port}")
        assert lines(collector) == list(range(4, 500))
        with transaction() as connection:
            syslog_places.hold(connection)
            ago = connection.execute(select(func.clock_timestamp() - timedelta(hours=1))).scalar_one()
            syslog_places.replay(connection, since=ago, by=TEST)
        through_syslog(f"syslog+tcp://{target.host}:{target.port}")
        assert sorted(lines(collector)[496:]) == list(range(500))[1:]


def test_a_syslog_that_is_late_is_seen_by_the_doctor(tenant, through_syslog):
    nowhere = f"syslog+tcp://127.0.0.1:{free_port()}"
    through_syslog(nowhere)
    tenant.write(1)
    assert through_syslog(nowhere) == 0
    assert late() == 0
    with transaction() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.execute(update(Seal).values(sealed_at=Seal.sealed_at - timedelta(hours=1)))
    assert late() == 1


def late() -> int:
    with reading() as connection:
        found = doctor.findings(connection, policy=context().session_policy, syslog=True)
        assert not {"audit_events_late_for_syslog"} & {
            one.name for one in doctor.findings(connection, policy=context().session_policy, syslog=False)
        }
    return next(one.count for one in found if one.name == "audit_events_late_for_syslog")
