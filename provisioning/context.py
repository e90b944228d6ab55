"""What the composition root hands to the doors and the workers, and how they get at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from flask import Flask, current_app

from provisioning.access.roles import Catalogue
from provisioning.audit.reads import Recorded
from provisioning.audit.signatures import Notary
from provisioning.credentials import Keyring
from provisioning.forwarding.means import Means
from provisioning.outbound import Outbound
from provisioning.pace import Measures, Pace
from provisioning.post.letters import Carrier
from provisioning.sealing import Sealer
from provisioning.sessions.rules import SessionPolicy
from provisioning.tokens.lifetimes import TokenLimits

_EXTENSION = "provisioning.context"


@dataclass(frozen=True, slots=True)
class Context:
    """Values, not settings: nothing here tells where it came from."""

    keyring: Keyring
    catalogue: Catalogue
    session_policy: SessionPolicy
    cursors: Sealer
    # What a browser carries while it is at an identity provider.
    sign_in_state: Sealer
    # What the forms of the console carry, so that no others are taken.
    forms: Sealer
    # The secrets and keys by which identity providers know us.
    credentials: Sealer
    outbound: Outbound
    pace: Pace
    measures: Measures
    signing: Sealer
    # Signs the seals of the audit trail, and vouches for the keys that did.
    notary: Notary
    # How long the audit trail keeps facts.
    audit_retention: timedelta
    # Tells the outside what happens.
    forwarding: Means
    # Of which workspaces the trail holds what was read.
    recorded_answers: Recorded
    public_url: str
    # Takes letters to their readers.
    post: Carrier
    # How long an invitation can be accepted, and how long it is kept as expired.
    invitation_lifetime: timedelta
    invitation_retention: timedelta
    # How long access tokens live of clients that have no length of their own, and how long a key signs.
    access_token_lifetime: timedelta
    signing_key_term: timedelta
    # How long the provisioning log keeps its entries.
    journal_retention: timedelta
    token_limits: TokenLimits
    # How long API tokens that have ended are listed.
    token_retention: timedelta
    # How many requests of one API token are answered in a minute.
    api_requests_per_minute: int
    # How long ended sessions are kept.
    session_retention: timedelta
    # How many proxies in front may say, in X-Forwarded-*, how the client called the service.
    trusted_proxies: int = 0


def install(app: Flask, context: Context) -> None:
    """Give the doors and workers of an application what they need."""
    app.extensions[_EXTENSION] = context


def of(app: Flask) -> Context:
    """The context of an application."""
    return cast("Context", app.extensions[_EXTENSION])


def context() -> Context:
    """The context of the application that is at work."""
    return of(current_app)
