"""A connection's identity provider as Authlib's Flask client speaks to it, with nothing believed that isn't checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import FlaskIntegration, FlaskOAuth2App
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from flask import request, session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet
from joserfc.jws import JWSRegistry
from joserfc.jwt import ClaimsOption
from requests import RequestException, Session

from provisioning import clock
from provisioning.context import context
from provisioning.identities import client_keys
from provisioning.identities.providers import ProviderView
from provisioning.refusals import ProviderUnavailable, SignInRefusal
from provisioning.sealing import Unsealable

# Signed with the provider's private key, always: a shared secret proves nothing to others, and `none` to nobody.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519", "EdDSA"),
)
# How far the provider's clock may be from ours.
LEEWAY = timedelta(seconds=60)
_WANTED = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint")
_DEMANDED = _WANTED[:3]
_TROUBLES = (AuthlibBaseError, JoseError, RequestException, RuntimeError, ValueError, KeyError, TypeError)
_MOST_ATTEMPTS = 3
_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LOGOUT_TYPES = frozenset({"logout+jwt", "application/logout+jwt", "jwt"})
_LONGEST_TOKEN = 16 * 1024
# Half of a character, as JSON writes it where its other half is missing.
_HALF = re.compile(r"\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f])|(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f]", re.IGNORECASE)
# Why nobody is let in whose browser asked for nothing.
UNASKED = "unasked"
# In the year 2106: no clock of a provider says later.
_LATEST = 2**32


def credential_of(view: ProviderView) -> str:
    """The secret or private key by which a provider knows us.

    Raises:
        ProviderUnavailable: it was sealed under another key of the service's; it has to be set anew.
    """
    try:
        return context().credentials.open(view.credential).decode()
    except Unsealable as error:
        raise _unavailable(error) from error


class Provider(FlaskOAuth2App):  # type: ignore[misc]
    """The client of one provider, made for one request.

    Args:
        view: the provider's settings.
    """

    def __init__(self, view: ProviderView) -> None:
        self.view = view
        self.server_metadata: dict[str, Any]
        name = str(view.connection_id)
        credential: Any = credential_of(view)
        if view.auth_method == "private_key_jwt":
            credential = client_keys.read(credential)
        super().__init__(
            FlaskIntegration(name),
            name,
            client_id=view.client_id,
            client_secret=credential,
            client_auth_methods=_methods(credential),
            client_kwargs={
                "scope": "openid email profile",
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": view.auth_method,
            },
        )

    def _get_session(self) -> Any:
        return _guarded(super()._get_session())

    def _get_oauth_client(self, **metadata: Any) -> Any:
        return _guarded(super()._get_oauth_client(**metadata))

    def load_server_metadata(self) -> dict[str, Any]:
        """What the provider tells of itself (OpenID Connect Discovery 1.0, section 4), as far as it is of use here.

        Raises:
            ValueError: it calls itself something else, or points to where nobody may be sent.
        """
        if not self.server_metadata:
            address = self.view.issuer.rstrip("/") + "/.well-known/openid-configuration"
            with self._get_session() as outgoing:
                answer = outgoing.request("GET", address, withhold_token=True)
            answer.raise_for_status()
            self.server_metadata = _checked(answer.json(), issuer=self.view.issuer)
        return self.server_metadata

    def save_authorize_data(self, **kwargs: Any) -> None:
        """Remember an attempt in the browser; the oldest is forgotten, for a cookie is small."""
        kwargs.pop("url", None)
        attempts = [key for key in session if key.startswith("_state_")]
        for key in attempts[: len(attempts) + 1 - _MOST_ATTEMPTS]:
            session.pop(key)
        super().save_authorize_data(**kwargs)

    def send_off(self, *, redirect_uri: str, login_hint: str | None) -> Any:
        """The redirection to the provider (OpenID Connect Core 1.0, section 3.1.2.1).

        Raises:
            ProviderUnavailable: it doesn't answer, or not as the standard has it.
        """
        asked = {"login_hint": login_hint, "max_age": self.view.max_age}
        try:
            return self.authorize_redirect(redirect_uri, **{k: v for k, v in asked.items() if v is not None})
        except _TROUBLES as error:
            raise _unavailable(error) from error

    def claims(self) -> tuple[dict[str, Any], str]:
        """What the provider says of who has come back from it, verified, and the ID token that says so.

        `auth_time` is a moment in it, not a number.

        Raises:
            SignInRefusal: the answer isn't for this browser, or can't be believed.
            ProviderUnavailable: the provider doesn't answer.
        """
        if self.framework.get_state_data(session, request.args.get("state")) is None:
            raise SignInRefusal("The sign-in was not completed: begin again.", reason=UNASKED, cause="no state")
        try:
            self._refuse_others_answers()
            token = self.authorize_access_token(
                claims_options={
                    "iss": {"essential": True, "value": self.view.issuer},
                    "aud": {"essential": True, "value": self.view.client_id},
                },
                leeway=int(LEEWAY.total_seconds()),
            )
            said, id_token = self._completed(token), str(token["id_token"])
        except RequestException as error:
            raise _unavailable(error) from error
        except _TROUBLES as error:
            raise SignInRefusal(
                "The sign-in was not completed: begin again.", reason="unusable_answer", cause=type(error).__name__
            ) from error
        return said, id_token

    def _refuse_others_answers(self) -> None:
        """An answer names who gives it (RFC 9207), so that one provider's is never taken for another's."""
        named = request.args.get("iss")
        is_told = self.load_server_metadata().get("authorization_response_iss_parameter_supported") is True
        if named != self.view.issuer and (named is not None or is_told):
            raise ValueError("the answer is another issuer's")

    def _completed(self, token: Mapping[str, Any]) -> dict[str, Any]:
        said = dict(token["userinfo"])
        if not isinstance(said["sub"], str) or not 0 < len(said["sub"]) <= 255:  # noqa: PLR2004 - the standard's length
            raise ValueError("a subject has up to 255 characters")
        if self.view.max_age is not None or said.get("auth_time") is not None:
            said["auth_time"] = _moment(said["auth_time"])
        if self.view.max_age is not None:
            oldest = clock.now() - timedelta(seconds=self.view.max_age) - LEEWAY
            if said["auth_time"] < oldest:
                raise ValueError("it is too long ago that the person proved who they are")
        if said.get("auth_time") is not None and said["auth_time"] > clock.now() + LEEWAY:
            raise ValueError("nobody has proved anything in the future")
        if "email" not in said and "userinfo_endpoint" in self.load_server_metadata():
            more = self.userinfo(token=token)
            if more.get("sub") != said["sub"]:
                raise ValueError("the userinfo is somebody else's")
            said = {**more, **said}
        return _storable(said)

    def logout_claims(self, text: str) -> dict[str, Any]:
        """A logout token, verified (OpenID Connect Back-Channel Logout 1.0, section 2.6); `exp` is a moment in it.

        Raises:
            SignInRefusal: it can't be believed.
            ProviderUnavailable: the provider doesn't answer.
        """
        try:
            if len(text) > _LONGEST_TOKEN:
                raise ValueError("a logout token is short")
            decoded = jwt.decode(text, KeySet.import_key_set(self.fetch_jwk_set()), registry=self._registry())
            return _checked_logout(decoded.header, decoded.claims, self.view)
        except RequestException as error:
            raise _unavailable(error) from error
        except _TROUBLES as error:
            raise SignInRefusal(
                "This is no logout token of the provider.", reason="unusable_token", cause=type(error).__name__
            ) from error

    def exit(self, *, id_token: str, back: str) -> str | None:
        """Where a person signs out there (OpenID Connect RP-Initiated Logout 1.0, section 2), if the provider says.

        Args:
            id_token: by which they signed in.
            back: where they are to be sent afterwards.

        Raises:
            ProviderUnavailable: it doesn't answer.
        """
        try:
            if "end_session_endpoint" not in self.load_server_metadata():
                return None
            there = self.create_logout_url(back, id_token_hint=id_token, client_id=self.view.client_id)
        except _TROUBLES as error:
            raise _unavailable(error) from error
        return str(there["url"])

    def _registry(self) -> JWSRegistry:
        algorithms = self.load_server_metadata()["id_token_signing_alg_values_supported"]
        return JWSRegistry(algorithms=algorithms, strict_check_header=False)


def _methods(credential: Any) -> list[Any]:
    if not isinstance(credential, ECKey):
        return []
    algorithm = client_keys.ALGORITHM
    return [PrivateKeyJWT(alg=algorithm, headers={"alg": algorithm, "kid": credential.kid})]


def _guarded(outgoing: Session) -> Session:
    context().outbound.guard(outgoing)
    return outgoing


def _checked(told: Any, *, issuer: str) -> dict[str, Any]:
    if told["issuer"] != issuer:
        raise ValueError("the provider is another issuer")
    metadata = {name: told[name] for name in _WANTED if isinstance(told.get(name), str)}
    if any(name not in metadata for name in _DEMANDED):
        raise ValueError("the provider doesn't tell where to go")
    if not all(context().outbound.allows(address) for address in metadata.values()):
        raise ValueError("the provider points to an address that may not be called")
    algorithms = told.get("id_token_signing_alg_values_supported") or ALGORITHMS
    return metadata | {
        "issuer": issuer,
        "id_token_signing_alg_values_supported": [name for name in algorithms if name in ALGORITHMS],
        "authorization_response_iss_parameter_supported": told.get("authorization_response_iss_parameter_supported"),
    }


def _storable(claims: dict[str, Any]) -> dict[str, Any]:
    """Claims whose texts can be written down: no NUL and no half of a character.

    Raises:
        ValueError: one can't be.
    """
    text = json.dumps({name: value for name, value in claims.items() if not isinstance(value, datetime)})
    if "\\u0000" in text or _HALF.search(text):
        raise ValueError("a claim holds what can't be stored")
    return claims


def _moment(seconds: Any) -> datetime:
    """A number of seconds since 1970 as a moment.

    Raises:
        ValueError: it is no such number.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= _LATEST:
        raise ValueError("this is no moment")
    return datetime.fromtimestamp(seconds, UTC)


def _checked_logout(header: Mapping[str, Any], claims: dict[str, Any], view: ProviderView) -> dict[str, Any]:
    essential = ClaimsOption(essential=True)
    registry = jwt.JWTClaimsRegistry(
        leeway=int(LEEWAY.total_seconds()),
        iss={"essential": True, "value": view.issuer},
        aud={"essential": True, "value": view.client_id},
        iat=essential,
        exp=essential,
        jti=essential,
    )
    registry.validate(claims)
    events = claims.get("events")
    if str(header.get("typ", "jwt")).lower() not in _LOGOUT_TYPES or "nonce" in claims:
        raise ValueError("this is another kind of token")
    if not (isinstance(events, dict) and isinstance(events.get(_LOGOUT_EVENT), dict)):
        raise ValueError("this token tells of no logout")  # noqa: TRY004 - of a value, not of an argument
    if not any(isinstance(claims.get(name), str) and claims[name] for name in ("sub", "sid")):
        raise ValueError("nobody is named")
    return _storable({**claims, "exp": _moment(claims["exp"])})


def _unavailable(error: Exception) -> ProviderUnavailable:
    return ProviderUnavailable(
        "The identity provider does not answer as it should: try again, or tell an admin of your workspace.",
        cause=type(error).__name__,
    )
