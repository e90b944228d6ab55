"""Clears away the sessions and tokens that a change has ended. They are refused since the change was committed."""

from __future__ import annotations

from uuid import UUID

from provisioning import progress
from provisioning.database import transaction
from provisioning.outbox import SYSTEM, Claimed
from provisioning.progress import Come
from provisioning.sessions import clearing, vouched
from provisioning.tokens import ending

_MEMBERS_AT_ONCE = 1000


def clear_workspace(claimed: Claimed) -> None:
    """After a change of HIPAA eligibility: walk the members in short transactions; a restart goes on with the walk."""
    workspace_id = UUID(claimed.payload["workspace_id"])
    come = progress.of(claimed)
    while True:
        with transaction() as connection:
            if come is None:
                come = Come(total=clearing.count_members(connection, workspace_id=workspace_id))
            stretch = clearing.clear_workspace(
                connection,
                workspace_id=workspace_id,
                after=None if come.place is None else UUID(come.place),
                most=_MEMBERS_AT_ONCE,
                by=SYSTEM,
            )
            if stretch.last_member is None:
                return
            come = Come(str(stretch.last_member), come.done + stretch.members, come.total)
            progress.note(connection, claimed, come)


def clear_connection(claimed: Claimed) -> None:
    """After a connection's identity provider stopped vouching for those whom it had signed in."""
    connection_id = UUID(claimed.payload["connection_id"])
    while True:
        with transaction() as connection:
            cleared = vouched.clear(connection, connection_id=connection_id, most=_MEMBERS_AT_ONCE, by=SYSTEM)
            if cleared < _MEMBERS_AT_ONCE:
                return


def clear_person(claimed: Claimed) -> None:
    """After a change that ended one person's sessions; tokens of a membership that has ended go with them."""
    user_id = UUID(claimed.payload["user_id"])
    with transaction() as connection:
        clearing.clear_person(connection, user_id=user_id, by=SYSTEM)
        ending.revoke_orphans(connection, user_id=user_id, by=SYSTEM)
