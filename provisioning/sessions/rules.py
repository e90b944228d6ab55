"""The session policy, pure: is this session alive, until when, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

STANDARD, HIPAA = "standard", "hipaa"


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
    # A workspace whose eligibility has changed since, and of which the person was a member then.
    changed_workspace: str | None
    # A HIPAA-eligible workspace of which the person is an active member now.
    hipaa_workspace: str | None
    active_memberships: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer: alive until `expires_at` if nothing happens, or ended for a reason and by a workspace's doing."""

    active: bool
    reason: str | None
    policy: str | None
    expires_at: datetime | None
    workspace: str | None = None


UNKNOWN = Verdict(active=False, reason="unknown", policy=None, expires_at=None)


def verdict(standing: Standing, policy: SessionPolicy) -> Verdict:
    """Judge a session. What has ended it once ends it for good; the strictest of what applies decides its end."""
    name = HIPAA if standing.policy == HIPAA or standing.hipaa_workspace else STANDARD
    limits = policy.limits(name)
    absolute = standing.created_at + limits.absolute
    idle = standing.last_seen_at + limits.idle
    reason, workspace = _ending(standing, absolute=absolute, idle=idle, hipaa=name == HIPAA)
    return Verdict(
        active=reason is None, reason=reason, policy=name, expires_at=min(absolute, idle), workspace=workspace
    )


def _ending(standing: Standing, *, absolute: datetime, idle: datetime, hipaa: bool) -> tuple[str | None, str | None]:
    """What has ended the session, and the workspace that causes it, if one does; the weightiest reason first."""
    idle_reason = "idle_hipaa" if hipaa else "idle"
    endings = (
        (standing.ended_at is not None, standing.ended_reason, standing.ended_workspace),
        (standing.outdated, standing.outdated_reason, standing.outdated_workspace),
        (standing.changed_workspace is not None, "revoked_hipaa_change", standing.changed_workspace),
        (standing.active_memberships == 0, "no_active_membership", None),
        (absolute <= standing.now, "absolute", standing.hipaa_workspace),
        (idle <= standing.now, idle_reason, standing.hipaa_workspace),
    )
    return next(((reason, workspace) for ended, reason, workspace in endings if ended), (None, None))
