"""`/oauth/introspect` (RFC 7662): what a session, an API token or an access token is worth at this moment.

Who asks is told of their own workspace's alone; whatever else is asked about is `{"active": false}` and no more. The
credentials of connections are among that: they are for the SCIM door and nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from authlib.oauth2.rfc6749 import InvalidRequestError, UnauthorizedClientError
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import request

from provisioning.access import rules
from provisioning.access.rules import Facts
from provisioning.context import Context, context
from provisioning.credentials import Kind
from provisioning.database import reading
from provisioning.directory.looks import Look
from provisioning.prepared import Row
from provisioning.refusals import NotAllowed
from provisioning.sessions import lifecycle
from provisioning.sessions.lifecycle import Seen
from provisioning.sessions.rules import SessionPolicy, verdict
from provisioning.tokens import clients, standing
from provisioning.web import bearers, guard, haste
from provisioning.web.oauth.authentication import METHODS
from provisioning.web.oauth.client import API, INTROSPECT, ApiClient

ACTION = "token.introspect"
_FORBIDDEN = 403
_FLAGS: Mapping[str, bool] = {"true": True, "false": False}


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    """Authlib's endpoint: who asks is a client or the bearer of a token, and what is told is judged anew each time."""

    CLIENT_AUTH_METHODS: ClassVar[tuple[str, ...]] = METHODS

    def authenticate_endpoint_client(self, asked: Any) -> UUID:
        """The workspace of whoever asks, and may.

        Raises:
            UnauthorizedClientError: a client whose policies don't allow it.
            NotAllowed: a bearer token whose policies, or scope, don't.
        """
        if request.authorization is not None and request.authorization.type == "bearer":
            bearer = guard.program(INTROSPECT)
            haste.count_client(str(bearer.who.id))
            if not _may(bearer.facts):
                raise NotAllowed(f"This token's policies do not allow {ACTION}.", action=ACTION)
            return bearer.who.workspace_id
        found = super().authenticate_endpoint_client(asked)
        if not isinstance(found, ApiClient) or not _may(found.facts):
            raise UnauthorizedClientError(f"This client's policies do not allow {ACTION}.", status_code=_FORBIDDEN)
        return found.workspace_id

    def authenticate_token(self, asked: Any, client: UUID) -> dict[str, Any] | None:  # noqa: ARG002 - Authlib's names
        """What is to be told of the token that was sent; a hint of its type is not needed, and not looked at."""
        if not request.form.get("token"):
            raise InvalidRequestError(description="Send the token in question as token.")
        activity = _FLAGS.get(request.form.get("activity", "true"))
        if activity is None:
            raise InvalidRequestError(description="activity is true or false.")
        return introspect(request.form["token"], workspace_id=client, activity=activity, means=context())

    def create_introspection_payload(self, token: dict[str, Any] | None) -> dict[str, Any]:
        """The answer (section 2.2)."""
        return told(token)


def told(token: dict[str, Any] | None) -> dict[str, Any]:
    """The answer about a token, or about none (section 2.2)."""
    return {"active": False} if token is None else {"active": True, **token}


def _may(held: Facts) -> bool:
    return rules.decide(held, ACTION).allowed


def introspect(text: str, *, workspace_id: UUID, activity: bool, means: Context) -> dict[str, Any] | None:
    """What a workspace's applications are told of a token; None where it is worth nothing to them.

    Args:
        text: the token.
        workspace_id: theirs.
        activity: whether the person whose session it is is at work, so that the idle limit begins anew.
        means: the keys and rules by which it is judged.
    """
    keyring, of = means.keyring, _Of(workspace_id, means.public_url)
    if (digest := keyring.recognise(text, Kind.SESSION)) is not None:
        with reading() as database:
            policy = means.session_policy
            seen = lifecycle.seen_from(database, digest=digest, policy=policy, workspace_id=workspace_id)
        return _session(seen, of, policy, activity=activity)
    if (digest := keyring.recognise(text, Kind.ACCESS_TOKEN)) is not None:
        return _access_token(digest, of)
    if (digest := keyring.recognise(text, Kind.API_TOKEN)) is not None:
        return _api_token(digest, of)
    return None


_ALONG = bearers.along(lambda program: lifecycle.seen_in(program.workspace_id))


def look(text: str, means: Context) -> Look | None:
    """What is read along with the credential of who asks, for `session`; None where a text is no session's."""
    digest = means.keyring.recognise(text, Kind.SESSION)
    return None if digest is None else Look(_ALONG, {"brought": digest})


def session(row: Row | None, *, workspace_id: UUID, means: Context) -> dict[str, Any] | None:
    """What `introspect` tells, by the row of `look`, of somebody who is at work."""
    of, policy = _Of(workspace_id, means.public_url), means.session_policy
    return None if row is None else _session(lifecycle.seen(row, policy), of, policy, activity=True)


class _Of(NamedTuple):
    """Whose applications are told, and by whom."""

    workspace_id: UUID
    issuer: str


def _session(seen: Seen | None, of: _Of, policy: SessionPolicy, *, activity: bool) -> dict[str, Any] | None:
    if seen is None or not seen.verdict.active:
        return None
    standing = seen.standing
    if activity:
        with reading() as database:
            standing = lifecycle.record_activity(database, standing=standing, policy=policy)
    judged = verdict(standing, policy)
    return {
        **_common("session", of, issued_at=standing.created_at, ends_at=judged.expires_at),
        "sub": str(seen.member_id),
        "username": seen.user_name,
        "policy": judged.policy,
        **_step_up(seen),
    }


def _step_up(seen: Seen) -> dict[str, Any]:
    """When the person proved who they are (RFC 9470), and how strongly, where an identity provider said so."""
    told = {"auth_time": int(seen.authenticated_at.timestamp()), "acr": seen.acr, "amr": list(seen.amr)}
    return {name: value for name, value in told.items() if value}


def _access_token(digest: bytes, of: _Of) -> dict[str, Any] | None:
    with reading() as database:
        found = clients.live(database, digest)
    if found is None or found.client.workspace_id != of.workspace_id:
        return None
    return {
        **_common("access_token", of, issued_at=found.issued_at, ends_at=found.expires_at),
        "token_type": "Bearer",
        "scope": found.scope,
        "client_id": str(found.client.id),
        "sub": str(found.client.id),
    }


def _api_token(digest: bytes, of: _Of) -> dict[str, Any] | None:
    with reading() as database:
        found = standing.live(database, digest)
    if found is None or found.workspace_id != of.workspace_id:
        return None
    return {
        **_common("api_token", of, issued_at=found.created_at, ends_at=found.expires_at),
        "token_type": "Bearer",
        "scope": f"{API} {INTROSPECT}",
        "sub": str(found.id),
        # Who asks sees the address that the token came from; here only theirs is seen.
        **({"address_ranges": list(found.ranges)} if found.ranges else {}),
    }


def _common(kind: str, of: _Of, *, issued_at: datetime, ends_at: datetime | None) -> dict[str, Any]:
    """What is told of every kind. Moments are whole seconds, and an end is never told too late."""
    said: dict[str, Any] = {"iss": of.issuer, "aud": of.issuer, "iat": int(issued_at.timestamp())}
    if ends_at is not None:
        said["exp"] = int(ends_at.timestamp())
    return {**said, "kind": kind, "workspace": str(of.workspace_id)}
