"""What an API token may hand on to OAuth clients and connections: nothing that outlives or outranges it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.engine import Connection

from provisioning.refusals import NotAllowed
from provisioning.tokens.clients import ClientView
from provisioning.tokens.models import ApiToken
from provisioning.tokens.standing import TokenView


def refuse_bound(asking: TokenView) -> None:
    """Refuse a token that is bound to addresses: clients, connections and what is forwarded are used from anywhere.

    Raises:
        NotAllowed: it is.
    """
    if asking.ranges:
        sentence = "A token that is bound to addresses makes nothing, and gives no secret, that is used from anywhere."
        raise NotAllowed(sentence, action="token.widen")


def refuse_outlived(connection: Connection, *, client: ClientView, asking: TokenView) -> None:
    """Refuse a credential of a client that outlives the token which asks for it.

    Raises:
        NotAllowed: the client doesn't end, or later than the token.
    """
    maker = select(ApiToken.expires_at).where(
        ApiToken.workspace_id == client.workspace_id, ApiToken.id == client.parent_id
    )
    ends_at = connection.execute(maker).scalar_one_or_none()
    if ends_at is None or ends_at > asking.expires_at:
        sentence = "This client outlives the token: ask with one that lives as long, or on the command line."
        raise NotAllowed(sentence, action="token.outlive")
