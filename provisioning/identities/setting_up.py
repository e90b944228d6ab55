"""What an admin sets of a connection's identity provider, made ready to be stored, whichever door it comes through."""

from __future__ import annotations

from typing import Any

from provisioning.identities import client_keys
from provisioning.identities.providers import Terms
from provisioning.outbound import Outbound
from provisioning.refusals import Invalid
from provisioning.sealing import Sealer


def terms(
    *,
    issuer: str,
    secret: str | None,
    auth_method: str | None,
    outbound: Outbound,
    sealer: Sealer,
    **others: Any,
) -> Terms:
    """What `providers.set_` stores: with the secret sealed, or with a new private key where there is none.

    Args:
        issuer: the provider's.
        secret: what it gave us, if it did.
        auth_method: how we prove who we are; None for what goes with the secret, or with its absence.
        outbound: says whether the issuer may be called.
        sealer: seals the credential.
        others: of `Terms`, as they are.

    Raises:
        Invalid: the issuer may not be called, or the secret and the way don't go together.
    """
    if not outbound.allows(issuer):
        raise Invalid("This issuer may not be called: it must be public and speak https.", field="issuer")
    method, credential = client_keys.chosen(secret, auth_method)
    return Terms(issuer=issuer, auth_method=method, credential=sealer.seal(credential.encode()), **others)
