"""The session policy, pure: is this session alive, until when, and if not, why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

STANDARD, HIPAA = "standard", "hipaa"
# How many sessions of one person live at once: the oldest gives way to a new one.
MOST_LIVE = 50
# How long the text before is still taken after a session got a new one: requests that were on their way bring it.
GRACE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session may live after sign-in, and how long without activity."""

    absolute: timedelta
    idle: timedelta


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """The limits in force, and how often activity is written down."""

    standard: Limits
    hipaa: Limits
    activity_interval: timedelta

    def limits(self, policy: str) -> Limits:
        """Those of `standard` or `hipaa`."""
        return self.hipaa if policy == HIPAA else self.standard


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that a session is judged by, read in one query, with the database's clock in `now`."""

    id: UUID
    user_id: UUID
    # The only workspace that it opens; without one, all of the person's.
    reach_id: UUID | None
    policy: str
    created_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None
    ended_reason: str | None
    ended_workspace: str | None
    # The person's epoch is greater than the session's: a change of theirs has ended it.
    outdated: bool
    outdated_reason: str | None
    outdated_workspace: str | None
    # The person has become an owner, or is one no longer, since the session's text was made.
    renewal_due: bool
    # What a workspace of which the person was a member then has done since, as a reason, and its slug.
    changed: tuple[str, str] | None
    # A HIPAA-eligible workspace of which the person is an active member now.
    hipaa_workspace: str | None
    # The shorter limits of the person's workspaces that bind this session: slug, idle and absolute seconds.
    limits: Sequence[Sequence[Any]]
    active_memberships: int
    # The workspace whose connection vouched for the session, where its identity provider does so no more.
    closed_workspace: str | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer: alive until `expires_at` if nothing happens, or ended for a reason and by a workspace's doing."""

    active: bool
    reason: str | None
    policy: str | None
    expires_at: datetime | None
    workspace: str | None = None
    # Of a session that lives: why it ends at `expires_at`, and the workspace that causes it, if one does.
    next_reason: str | None = None
    next_workspace: str | None = None


UNKNOWN = Verdict(active=False, reason="unknown", policy=None, expires_at=None)


@dataclass(frozen=True, slots=True)
class _End:
    """A moment at which time runs out, why, and by which workspace's doing."""

    at: datetime
    reason: str
    workspace: str | None


def verdict(standing: Standing, policy: SessionPolicy) -> Verdict:
    """Judge a session. What has ended it once ends it for good; the strictest of what applies decides its end."""
    hipaa = standing.policy == HIPAA or standing.hipaa_workspace is not None
    end = min(_ends(standing, policy, hipaa=hipaa), key=lambda end: end.at)
    name = HIPAA if hipaa else STANDARD
    ended = _ending(standing, end)
    if ended is None:
        told = {"next_reason": end.reason, "next_workspace": end.workspace}
        return Verdict(active=True, reason=None, policy=name, expires_at=end.at, **told)
    reason, workspace = ended
    return Verdict(active=False, reason=reason, policy=name, expires_at=end.at, workspace=workspace)


def _ends(standing: Standing, policy: SessionPolicy, *, hipaa: bool) -> Iterator[_End]:
    """When the session's time runs out by the service's limits, and by each workspace's own."""
    born, seen = standing.created_at, standing.last_seen_at
    limits = policy.limits(HIPAA if hipaa else STANDARD)
    yield _End(born + limits.absolute, "absolute", standing.hipaa_workspace)
    yield _End(seen + limits.idle, "idle_hipaa" if hipaa else "idle", standing.hipaa_workspace)
    for workspace, idle, absolute in sorted(standing.limits, key=lambda limit: str(limit[0])):
        if absolute is not None:
            yield _End(born + timedelta(seconds=absolute), "absolute", workspace)
        if idle is not None:
            yield _End(seen + timedelta(seconds=idle), "idle", workspace)


def _ending(standing: Standing, end: _End) -> tuple[str | None, str | None] | None:
    """What has ended the session, and the workspace that causes it, if one does; the weightiest reason first."""
    changed_reason, changed_workspace = standing.changed or (None, None)
    endings = (
        (standing.ended_at is not None, standing.ended_reason, standing.ended_workspace),
        (standing.outdated, standing.outdated_reason, standing.outdated_workspace),
        (standing.changed is not None, changed_reason, changed_workspace),
        (standing.closed_workspace is not None, "connection_closed", standing.closed_workspace),
        (standing.active_memberships == 0, "no_active_membership", None),
        (end.at <= standing.now, end.reason, end.workspace),
    )
    return next(((reason, workspace) for ended, reason, workspace in endings if ended), None)
