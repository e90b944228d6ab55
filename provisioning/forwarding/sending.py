"""Sends an endpoint a message, signed by all of its secrets. No connection to the database is held meanwhile."""

from __future__ import annotations

from uuid import UUID

import requests

from provisioning import clock, entropy
from provisioning.database import reading
from provisioning.forwarding import call, endpoint_secrets, messages
from provisioning.forwarding.call import Outcome
from provisioning.forwarding.endpoints import EndpointView
from provisioning.forwarding.messages import Message
from provisioning.outbound import Outbound
from provisioning.sealing import Sealer, Unsealable


def send(
    http: requests.Session, message: Message, *, workspace_id: UUID, endpoint_id: UUID, url: str, sealer: Sealer
) -> Outcome:
    """Send a message, and tell what became of it.

    Args:
        http: of `call.session`.
        message: what is sent.
        workspace_id: whose endpoint it is.
        endpoint_id: which.
        url: where it is.
        sealer: opens its secrets.
    """
    try:
        with reading() as connection:
            secrets = endpoint_secrets.live(
                connection, workspace_id=workspace_id, endpoint_id=endpoint_id, sealer=sealer
            )
    except Unsealable as error:
        # The service has another secret key by now: the endpoint wants a new secret.
        return Outcome(error=type(error).__name__)
    now = clock.now()
    return call.post(http, url, messages.sign(message, secrets=secrets, now=now), now=now)


def test(endpoint: EndpointView, *, sealer: Sealer, outbound: Outbound) -> Outcome:
    """Send a message without events, whether the endpoint is switched on or not, and tell what became of it.

    Args:
        endpoint: which.
        sealer: opens its secrets.
        outbound: makes the call.
    """
    message = messages.trial(entropy.new_id().hex, now=clock.now())
    where = {"workspace_id": endpoint.workspace_id, "endpoint_id": endpoint.id}
    with call.session(outbound) as http:
        return send(http, message, url=endpoint.url, sealer=sealer, **where)
