"""Whoever writes policies or makes programs through the admin API: the token that is asking, within what it has."""

from __future__ import annotations

from uuid import UUID

from provisioning.access import rules
from provisioning.access.policies import Giver
from provisioning.database import Connection
from provisioning.refusals import NotAllowed
from provisioning.tokens.standing import TokenView
from provisioning.web import giving
from provisioning.web.guard import held, token


def giver(connection: Connection) -> Giver:
    """The token that is asking, as one who gives roles of its workspace."""
    asking = token()
    is_in_person = isinstance(asking, TokenView) and asking.in_person
    return giving.giver(connection, asking.workspace_id, held(), asking.member_id if is_in_person else None)


def owner(named: UUID | None) -> UUID | None:
    """Whose a new program is: of whom the token is that asks, or another's if an owner says so.

    Raises:
        NotAllowed: somebody else does.
    """
    own = token().member_id
    if named is not None and named != own and not rules.decide(held(), "token.assign").allowed:
        raise NotAllowed("Only owners make tokens and clients for others.", action="token.assign")
    return named or own
