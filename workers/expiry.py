"""Marks sessions and tokens whose time is over as ended, and forgets old entries, in short transactions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from provisioning import signing_keys
from provisioning.access import access_requests, custom_roles, dormant, policies, proposals
from provisioning.context import context
from provisioning.database import transaction
from provisioning.directory import invitations, tally
from provisioning.identities import logouts
from provisioning.journal import entries
from provisioning.outbox import SYSTEM
from provisioning.sessions import clearing
from provisioning.tokens import answers, assertions, clients, ending, warnings
from workers.batches import MOST_TOLD, sweep


def expire_sessions() -> int:
    """Mark expired sessions, and return how many there were."""
    policy = context().session_policy
    return sweep(
        lambda database, most: clearing.mark_expired(database, policy=policy, most=most, by=SYSTEM), most=MOST_TOLD
    )


def expire_tokens() -> int:
    """Mark expired API tokens and those whose maker has ended, and return how many there were.

    Access tokens and assertions go without a word.
    """
    sweep(lambda database, most: clients.delete_expired(database, most=most))
    sweep(lambda database, most: assertions.forget(database, most=most))
    abandoned = sweep(lambda database, most: ending.mark_abandoned(database, most=most, by=SYSTEM))
    return abandoned + sweep(lambda database, most: ending.mark_expired(database, most=most, by=SYSTEM))


def warn_of_expiry() -> int:
    """Tell of API tokens whose end is near, and return how many facts that took."""
    return sweep(lambda database, most: warnings.warn(database, most=most, by=SYSTEM))


def forget_tokens() -> int:
    """Delete API tokens that ended long ago, and return how many there were."""
    keep = context().token_retention
    return sweep(lambda database, most: ending.forget(database, older_than=keep, most=most, by=SYSTEM))


def tend_keys() -> bool:
    """Let the next signing key sign where the current one's term is over."""
    here = context()
    with transaction() as database:
        return signing_keys.tend(database, sealer=here.signing, term=here.signing_key_term)


def expire_policies() -> int:
    """Delete policies whose end has come, and return how many there were."""
    return sweep(lambda database, most: policies.delete_expired(database, most=most, by=SYSTEM))


def expire_invitations() -> int:
    """Delete invitations that expired long ago, and return how many there were."""
    keep = context().invitation_retention
    return sweep(lambda database, most: invitations.delete_expired(database, older_than=keep, most=most, by=SYSTEM))


def close_access_requests() -> int:
    """Close access requests that came true in another way, and return how many there were."""
    with transaction() as database:
        waiting = access_requests.waiting(database)
    closed = 0
    for workspace_id in waiting:
        with transaction() as database:
            roles = custom_roles.of_workspace(database, workspace_id=workspace_id, catalogue=context().catalogue)
            closed += access_requests.close_granted(database, workspace_id=workspace_id, roles=roles, by=SYSTEM)
    return closed


def expire_mapping_proposals() -> int:
    """Close changes of mappings that nobody has confirmed in time, and return how many there were."""
    return sweep(lambda database, most: proposals.expire(database, most=most, by=SYSTEM))


def forget() -> int:
    """Delete log entries, ended sessions and logout tokens that need not be kept, and return how many there were."""
    keep, kept = context().journal_retention, context().session_retention
    logged = sweep(lambda database, most: entries.forget(database, older_than=keep, most=most))
    ended = sweep(lambda database, most: clearing.forget(database, older_than=kept, most=most))
    return logged + ended + sweep(lambda database, most: logouts.forget(database, most=most))


def forget_answers() -> int:
    """Delete answers whose keys need not be known any more, and return how many there were."""
    return sweep(lambda database, most: answers.forget(database, most=most))


def forget_lost_groups() -> int:
    """Delete notes of groups lost long ago and the mappings that wait for them; how many notes there were."""
    return sweep(lambda database, most: dormant.forget(database, most=most, by=SYSTEM))


def gather_tallies() -> int:
    """Put together what is noted of the numbers of members, and return of how many workspaces."""
    with transaction() as database:
        return tally.gather(database)


# Under the names that the schedule uses.
TASKS: Mapping[str, Callable[[], int]] = {
    "provisioning.expire_sessions": expire_sessions,
    "provisioning.expire_tokens": expire_tokens,
    "provisioning.expire_policies": expire_policies,
    "provisioning.expire_invitations": expire_invitations,
    "provisioning.close_access_requests": close_access_requests,
    "provisioning.expire_mapping_proposals": expire_mapping_proposals,
    "provisioning.warn_of_expiry": warn_of_expiry,
    "provisioning.forget_tokens": forget_tokens,
    "provisioning.tend_keys": tend_keys,
    "provisioning.forget": forget,
    "provisioning.forget_answers": forget_answers,
    "provisioning.forget_lost_groups": forget_lost_groups,
    "provisioning.gather_tallies": gather_tallies,
}
