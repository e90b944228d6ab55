"""Letters that tell people of what has happened; where one of several fails, the next try writes to all again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from provisioning.context import context
from provisioning.database import reading
from provisioning.directory import roster, workspaces
from provisioning.directory.workspaces import WorkspaceView
from provisioning.outbox import Claimed
from provisioning.post import access_request, api_token, forwarding, mapping_proposal
from provisioning.post.letters import Letter, Undeliverable
from provisioning.refusals import NotFound

_log = logging.getLogger(__name__)


def token_expiring(claimed: Claimed) -> None:
    """Warn of the end of an API token."""
    told = claimed.payload
    expires_at = datetime.fromisoformat(told["expires_at"])
    _tell(
        claimed,
        told["to"],
        lambda email, of: api_token.expiring(
            email=email, workspace=of.name, token=told["token_name"], expires_at=expires_at
        ),
    )


def token_leaked(claimed: Claimed) -> None:
    """Tell of an API token that was found in the open."""
    told = claimed.payload
    _tell(
        claimed,
        told["to"],
        lambda email, of: api_token.leaked(
            email=email, workspace=of.name, token=told["token_name"], found_at=told["found_at"]
        ),
    )


def access_requested(claimed: Claimed) -> None:
    """Tell the owners that a member asks for access."""
    told = claimed.payload
    if claimed.workspace_id is None:
        return
    with reading() as connection:
        where = {"workspace_id": claimed.workspace_id}
        owners = roster.owners(connection, **where)
        names = roster.names(connection, ids=[UUID(told["member_id"])], **where)
    _tell(
        claimed,
        owners,
        lambda email, of: access_request.letter(
            email=email,
            member=next(iter(names.values()), "Somebody who has left"),
            role=told["role"],
            why=told["why"],
            workspace=of.name,
            slug=of.slug,
        ),
    )


def forwarding_registered(claimed: Claimed) -> None:
    """Tell the owners that an address is told what happens."""
    origin = claimed.payload["origin"]
    _tell_every_owner(
        claimed,
        lambda email, of: forwarding.registered(email=email, workspace=of.name, slug=of.slug, origin=origin),
    )


def forwarding_failing(claimed: Claimed) -> None:
    """Tell the owners that an endpoint takes nothing."""
    _tell_of_failure(claimed, forwarding.failing)


def forwarding_disabled(claimed: Claimed) -> None:
    """Tell the owners that an endpoint was given up."""
    _tell_of_failure(claimed, forwarding.disabled)


def _tell_of_failure(claimed: Claimed, write: Callable[..., Letter]) -> None:
    about = {"origin": claimed.payload["origin"], "error": claimed.payload["error"]}
    _tell_every_owner(claimed, lambda email, of: write(email=email, workspace=of.name, slug=of.slug, **about))


def _tell_every_owner(claimed: Claimed, write: Callable[[str, WorkspaceView], Letter]) -> None:
    if claimed.workspace_id is None:
        return
    with reading() as connection:
        owners = roster.owners(connection, workspace_id=claimed.workspace_id)
    _tell(claimed, owners, write)


def mapping_proposed(claimed: Claimed) -> None:
    """Ask the owners, but for the one who asks, whether a mapping may give ownership."""
    _tell_owners(claimed, claimed.payload["asker_id"], mapping_proposal.asked)


def mapping_confirmed(claimed: Claimed) -> None:
    """Tell the owners, but for the one who confirmed, that a mapping gives ownership from now on."""
    _tell_owners(claimed, claimed.payload["second_id"], mapping_proposal.confirmed)


def mapping_declined(claimed: Claimed) -> None:
    """Tell the one who asked that a mapping stays as it is."""
    told, asker = claimed.payload, claimed.payload["asker_id"]
    _tell(
        claimed,
        [] if asker is None else [asker],
        lambda email, of: mapping_proposal.declined(
            email=email, workspace=of.name, rule=told["rule"], why=told["why"] or "No reason was given."
        ),
    )


def _tell_owners(claimed: Claimed, but: str | None, write: Callable[..., Letter]) -> None:
    if claimed.workspace_id is None:
        return
    told, asker = claimed.payload, claimed.payload["asker_id"]
    with reading() as connection:
        where = {"workspace_id": claimed.workspace_id}
        owners = [one for one in roster.owners(connection, **where) if str(one) != but]
        names = {} if asker is None else roster.names(connection, ids=[UUID(asker)], **where)
    who = "The operator" if asker is None else names.get(UUID(asker), "Somebody who has left")
    _tell(
        claimed,
        owners,
        lambda email, of: write(
            email=email, asker=who, rule=told["rule"], proposal_id=told["proposal_id"], workspace=of.name, slug=of.slug
        ),
    )


def _tell(claimed: Claimed, to: Sequence[str | UUID], write: Callable[[str, WorkspaceView], Letter]) -> None:
    """Write to active members of the fact's workspace; whoever is none by now hears nothing.

    Raises:
        OSError: a letter could not be handed over this time.
    """
    if claimed.workspace_id is None:
        return
    with reading() as connection:
        try:
            of = workspaces.by_id(connection, claimed.workspace_id)
        except NotFound:
            return
        addresses = roster.addresses(connection, workspace_id=of.id, ids=[UUID(str(member)) for member in to])
    for address in addresses:
        try:
            context().post.send(write(address, of))
        except Undeliverable as error:
            _log.warning("a letter about %s: %s", claimed.name, error)
