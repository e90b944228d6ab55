"""The session policy as a state machine: whatever happens in whatever order, the service judges as the reference does.

The clock is the database's; it jumps ahead by making what it has stamped older. Workers are away except in the steps
that are theirs.
"""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.directory import members, roster, users, workspaces
from provisioning.directory.profile import Profile
from provisioning.outbox import Urgency
from provisioning.refusals import NoActiveMembership, NotFound
from provisioning.sessions import clearing, lifecycle, limits
from provisioning.sessions.limits import OwnLimits
from tests.conftest import TEST
from tests.sessions.playing import begin, flip, grow_older, judge, stored, use
from workers.deletion import remove_deleted
from workers.drain import drain

_numbers = itertools.count()
PEOPLE, PLACES = range(2), range(3)
MINUTE = timedelta(minutes=1)
WEEK, HALF_DAY = timedelta(days=7), timedelta(hours=12)
# Jumps and limits are whole steps of five minutes, and no example takes as long as one, the interval at which activity
# is written included: the seconds that really pass never put the two on different sides of a limit.
JUMPS = st.sampled_from([5 * MINUTE, 10 * MINUTE, timedelta(hours=1), timedelta(hours=7), timedelta(days=3)])
LONGEST_EXAMPLE = 240
LIMITS = st.builds(OwnLimits, st.sampled_from([None, 300, 600]), st.sampled_from([None, 3600, 21600]))


@dataclass
class Kept:
    """A session in the reference."""

    person: int
    hipaa: bool
    limits: list[OwnLimits]
    age: timedelta = timedelta(0)
    unseen: timedelta = timedelta(0)
    alive: bool = True


@dataclass
class Reference:
    """What is meant, without regard to how it is done."""

    hipaa: set[int] = field(default_factory=set)
    own: dict[int, OwnLimits] = field(default_factory=lambda: defaultdict(OwnLimits))
    active: set[tuple[int, int]] = field(default_factory=set)
    sessions: dict[bytes, Kept] = field(default_factory=dict)

    def of(self, person: int) -> list[int]:
        return [place for one, place in sorted(self.active) if one == person]

    def begin(self, digest: bytes, person: int) -> None:
        places = self.of(person)
        self.sessions[digest] = Kept(person, not self.hipaa.isdisjoint(places), [self.own[p] for p in places])

    def end(self, *people: int) -> None:
        for kept in self.sessions.values():
            kept.alive = kept.alive and kept.person not in people

    def bind(self, place: int, *people: int) -> None:
        for kept in self.sessions.values():
            if kept.person in people:
                kept.limits.append(self.own[place])

    def there(self, place: int) -> list[int]:
        return [person for person in PEOPLE if (person, place) in self.active]

    def passed(self, by: timedelta) -> None:
        for kept in self.sessions.values():
            kept.age, kept.unseen = kept.age + by, kept.unseen + by
            kept.alive = kept.alive and not self.over(kept)

    def over(self, kept: Kept) -> bool:
        age, unseen = kept.age.total_seconds(), kept.unseen.total_seconds()
        longest = (HALF_DAY, 15 * MINUTE) if kept.hipaa else (WEEK, WEEK)
        too_old = kept.age >= longest[0] or any(one.absolute and age >= one.absolute for one in kept.limits)
        return too_old or kept.unseen >= longest[1] or any(one.idle and unseen >= one.idle for one in kept.limits)

    def review(self) -> None:
        """A limit that has just been set may have been over for a while."""
        self.passed(timedelta(0))


class Sessions(RuleBasedStateMachine):
    """Two people, three workspaces, and everything that begins and ends sessions."""

    @initialize()
    def found(self) -> None:
        self.reference, self.places, self.begun_at = Reference(), {}, time.monotonic()
        self.name = f"m{next(_numbers)}"
        for place in PLACES:
            self._found(place)
        for person, place in itertools.product(PEOPLE, PLACES[:2]):
            self._pushed(person, place, active=True)
        for person in PEOPLE:
            self.signs_in(person)

    def _found(self, place: int) -> None:
        slug = f"{self.name}-{next(_numbers)}"
        with transaction() as connection:
            made = workspaces.create(connection, slug=slug, name=slug, hipaa_eligible=False, by=TEST)
        self.places[place] = made
        self.reference.hipaa.discard(place)
        self.reference.own[place] = OwnLimits()

    def _address(self, person: int) -> str:
        return f"{person}@{self.name}.example"

    def _member(self, connection: Any, person: int, place: int) -> Any:
        of = self.places[place].id
        found = roster.by_email(connection, workspace_id=of, email=self._address(person))
        return roster.lock(connection, workspace_id=of, member_id=found.id)

    def _is_member(self, person: int, place: int) -> bool:
        with reading() as connection:
            ids = roster.ids_by_email(connection, workspace_id=self.places[place].id, emails=[self._address(person)])
        return bool(ids)

    @rule(person=st.sampled_from(PEOPLE), place=st.sampled_from(PLACES))
    def joins_or_comes_back(self, person: int, place: int) -> None:
        self._pushed(person, place, active=True)

    @rule(person=st.sampled_from(PEOPLE), place=st.sampled_from(PLACES))
    def is_suspended(self, person: int, place: int) -> None:
        self._pushed(person, place, active=False)

    def _pushed(self, person: int, place: int, *, active: bool) -> None:
        profile = Profile.of({"userName": self._address(person), "active": active})
        was = (person, place) in self.reference.active
        there = self._is_member(person, place)
        with transaction() as connection:
            if there:
                member = self._member(connection, person, place)
                members.store(connection, member=member, profile=profile, connection_id=None, by=TEST)
            else:
                of = self.places[place].id
                members.create(connection, workspace_id=of, profile=profile, connection_id=None, by=TEST)
        if active and not was:
            self._joined(person, place)
        elif was and not active:
            self._left(person, place)

    def _joined(self, person: int, place: int) -> None:
        self.reference.active.add((person, place))
        if place in self.reference.hipaa:
            self.reference.end(person)
        self.reference.bind(place, person)
        self.reference.review()

    def _left(self, person: int, place: int) -> None:
        self.reference.active.discard((person, place))
        self.reference.end(person)

    @rule(person=st.sampled_from(PEOPLE), place=st.sampled_from(PLACES))
    def is_removed(self, person: int, place: int) -> None:
        if not self._is_member(person, place):
            return
        with transaction() as connection:
            members.remove(connection, member=self._member(connection, person, place), by=TEST)
        if (person, place) in self.reference.active:
            self._left(person, place)

    @rule(person=st.sampled_from(PEOPLE))
    def signs_in(self, person: int) -> None:
        if self.reference.of(person):
            self.reference.begin(begin(self._address(person)), person)
            return
        with pytest.raises((NoActiveMembership, NotFound)):
            begin(self._address(person))

    @precondition(lambda self: self.reference.sessions)
    @rule(data=st.data())
    def is_at_work(self, data: st.DataObject) -> None:
        digest = data.draw(st.sampled_from(sorted(self.reference.sessions)))
        use(digest)
        kept = self.reference.sessions[digest]
        if kept.alive:
            kept.unseen = timedelta(0)

    @precondition(lambda self: self.reference.sessions)
    @rule(by=JUMPS)
    def time_passes(self, by: timedelta) -> None:
        grow_older(self.reference.sessions, by)
        self.reference.passed(by)

    @rule(place=st.sampled_from(PLACES), on=st.booleans())
    def flag_is_set(self, place: int, *, on: bool) -> None:
        flip(self.places[place].slug, on=on)
        if on is (place in self.reference.hipaa):
            return
        self.reference.hipaa ^= {place}
        self.reference.end(*self.reference.there(place))

    @rule(place=st.sampled_from(PLACES[:2]), own=LIMITS)
    def limits_are_set(self, place: int, own: OwnLimits) -> None:
        self._limited(place, own)

    @rule(place=st.sampled_from(PLACES[:2]), own=LIMITS)
    def limits_come_and_go(self, place: int, own: OwnLimits) -> None:
        self._limited(place, own)
        self._limited(place, OwnLimits())

    def _limited(self, place: int, own: OwnLimits) -> None:
        of, policy = self.places[place].id, context().session_policy
        with transaction() as connection:
            limits.replace(connection, workspace_id=of, limits=own, policy=policy, by=TEST)
        self.reference.own[place] = own
        self.reference.bind(place, *self.reference.there(place))
        self.reference.review()

    @rule(place=st.sampled_from(PLACES))
    def workspace_is_deleted(self, place: int) -> None:
        with transaction() as connection:
            workspaces.delete(connection, slug=self.places[place].slug, by=TEST)
        for person in self.reference.there(place):
            self._left(person, place)
        self._found(place)

    @rule(person=st.sampled_from(PEOPLE))
    def signs_out_everywhere(self, person: int) -> None:
        with transaction() as connection:
            account = users.by_email(connection, self._address(person))
            if account is not None:
                users.end_sessions(connection, user_id=account[0], workspace_id=None, reason="signed_out", by=TEST)
        self.reference.end(person)

    @precondition(lambda self: self.reference.sessions)
    @rule(data=st.data())
    def is_revoked(self, data: st.DataObject) -> None:
        digest = data.draw(st.sampled_from(sorted(self.reference.sessions)))
        identifier: UUID = stored(digest).id
        with transaction() as connection:
            lifecycle.revoke(connection, session_id=identifier, workspace_id=None, by=TEST)
        self.reference.sessions[digest].alive = False

    @rule()
    def workers_do_what_waits(self) -> None:
        for urgency in Urgency:
            drain(urgency)

    @rule()
    def workers_sweep(self) -> None:
        with transaction() as connection:
            clearing.mark_expired(connection, policy=context().session_policy, most=1000, by=TEST)
        remove_deleted()

    @invariant()
    def is_judged_as_the_reference_does(self) -> None:
        if not hasattr(self, "reference") or time.monotonic() - self.begun_at > LONGEST_EXAMPLE:
            return
        for digest, kept in self.reference.sessions.items():
            verdict = judge(digest)
            assert verdict.active == kept.alive, (verdict, kept)


def test_no_order_of_events_makes_the_service_judge_otherwise_than_the_reference(bench_app):
    with bench_app.app_context():
        run_state_machine_as_test(
            Sessions,
            settings=settings(
                max_examples=15,
                stateful_step_count=30,
                suppress_health_check=list(HealthCheck),
            ),
        )
