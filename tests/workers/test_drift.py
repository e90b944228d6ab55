"""Once a day what drifts is counted, and an alarm is raised when the counts have changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.sql import func

from provisioning import entropy
from provisioning.access.founding import found_workspace
from provisioning.database import reading, transaction
from provisioning.directory import connections, members
from provisioning.directory.models import Workspace
from provisioning.directory.profile import Profile
from provisioning.drift import DriftChanged
from provisioning.outbox import Event
from tests.conftest import TEST
from workers import alarms

pytestmark = pytest.mark.usefixtures("alone")


def a_day_passes():
    with transaction() as connection:
        yesterday = func.clock_timestamp() - timedelta(days=1)
        connection.execute(update(Workspace).values(drift_counted_at=yesterday))


def test_an_alarm_is_raised_once_a_day_at_most_and_only_when_the_counts_have_changed():
    slug = f"d{entropy.new_id().hex[-10:]}"
    with transaction() as connection:
        of = found_workspace(connection, slug=slug, name=slug, hipaa_eligible=False, by=TEST).id
        connections.create(connection, workspace_id=of, name="idp", dialect="other", digest=slug.encode(), by=TEST)

    def come(name):
        profile = Profile.of({"userName": f"{name}@{slug}.example", "active": True})
        with transaction() as connection:
            return members.create(connection, workspace_id=of, profile=profile, connection_id=None, by=TEST)

    def watched():
        alarms.watch_drift()
        told = select(Event.payload["counts"]).where(Event.name == DriftChanged.name, Event.workspace_id == of)
        with reading() as connection:
            return connection.execute(told.order_by(Event.seq)).scalars().all()

    assert watched() == []
    ann = come("ann")
    assert watched() == []
    a_day_passes()
    assert watched() == [{"unknown_member": 1}]
    a_day_passes()
    assert watched() == [{"unknown_member": 1}]
    with transaction() as connection:
        members.remove(connection, member=ann, by=TEST)
    a_day_passes()
    assert watched() == [{"unknown_member": 1}, {}]
