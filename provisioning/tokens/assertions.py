"""Assertions by which a client proves that it holds a private key (RFC 7523, section 3): judged, and good once.

Nothing that an assertion says of its own verification is believed: the keys are those that were registered, the
algorithms are listed, and a header may hold `alg`, `typ` and `kid` alone. So `jwk`, `jku`, `x5u`, `x5c` and `crit` are
refused whatever they hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import CompactSignature, JWSRegistry
from sqlalchemy import DateTime, LargeBinary, Uuid, delete, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from provisioning.tokens.models import UsedAssertion
from provisioning.tokens.public_keys import ALGORITHMS, imported

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
UNSIGNED = "No registered key has signed it with an algorithm that is taken."
# An hour is what widely used clients sign for, and what others allow; each is good once whatever it says.
LONGEST_LIFE = timedelta(hours=1)
# How far a client's clock may be ahead of ours.
_SKEW = timedelta(seconds=30)
_LONGEST = 8192
_LONGEST_JTI = 255
_HEADERS = frozenset({"alg", "typ", "kid"})
_TYPES = frozenset({"jwt", "client-authentication+jwt"})
_REGISTRY = JWSRegistry(algorithms=ALGORITHMS)


class Refused(Exception):
    """The assertion proves nothing; the text says why, and is fit to be told."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion that has been judged: who signed it, what makes it unique, and until when to remember it."""

    client_id: UUID
    kid: str
    digest: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Unproved:
    """An assertion that was taken apart; all that it says is still to be proved."""

    signed: CompactSignature
    headers: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def client_id(self) -> Any:
        """Whom it claims to come from."""
        return self.claims.get("sub")


def take_apart(text: str) -> Unproved:
    """Read an assertion, no further than its size allows.

    Raises:
        Refused: it is none, or its header holds what is not taken.
    """
    if len(text) > _LONGEST:
        raise Refused(f"An assertion has at most {_LONGEST} characters.")
    try:
        signed = jws.extract_compact(text.encode())
        headers, claims = signed.headers(), orjson.loads(signed.payload or b"")
    except (JoseError, ValueError, RecursionError):
        raise Refused("This is no signed JWT.") from None
    if not isinstance(claims, dict) or not isinstance(headers, dict):
        raise Refused("This is no signed JWT.")
    if not headers.keys() <= _HEADERS:
        raise Refused("Its header may hold alg, typ and kid alone.")
    return Unproved(signed, headers, claims)


def judge(
    found: Unproved, *, keys: Iterable[Mapping[str, Any]], client_id: UUID, audiences: Collection[str], now: datetime
) -> Assertion:
    """Judge an assertion; `use` has the last word, for each is good once.

    Args:
        found: what was sent, taken apart.
        keys: the JWKs that were registered for the client.
        client_id: the client.
        audiences: what the authorization server and the endpoint are called.
        now: the present moment.

    Raises:
        Refused: no registered key has signed it, or it says the wrong thing.
    """
    if str(found.headers.get("typ", "JWT")).lower() not in _TYPES:
        raise Refused("Its typ is not that of an assertion.")
    kid = next((jwk["kid"] for jwk in keys if _signed_by(found, jwk)), None)
    if kid is None:
        raise Refused(UNSIGNED)
    claims = found.claims
    if claims.get("iss") != str(client_id) or claims.get("sub") != str(client_id):
        raise Refused("Its iss and sub must be the client's id.")
    named = claims.get("aud")
    wanted = named if isinstance(named, list) else [named]
    if not wanted or not all(isinstance(one, str) and one in audiences for one in wanted):
        raise Refused("Its aud must be the issuer or the token endpoint, and nobody else.")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
        raise Refused(f"Its jti must be a text of up to {_LONGEST_JTI} characters.")
    expires_at = _time_is_right(claims, now)
    return Assertion(client_id, kid, hashlib.sha256(jti.encode()).digest(), expires_at)


def _signed_by(found: Unproved, jwk: Mapping[str, Any]) -> bool:
    """Whether a registered key has signed it; a `kid` that is given must be the key's."""
    if found.headers.get("kid", jwk["kid"]) != jwk["kid"]:
        return False
    try:
        return jws.validate_compact(found.signed, imported(jwk), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError):
        return False


def _time_is_right(claims: Mapping[str, Any], now: datetime) -> datetime:
    expires_at = _moment(claims, "exp")
    if expires_at is None or not now < expires_at <= now + LONGEST_LIFE + _SKEW:
        raise Refused(f"Its exp must lie within the next {LONGEST_LIFE.total_seconds():.0f} seconds.")
    for name in ("iat", "nbf"):
        moment = _moment(claims, name)
        if moment is not None and moment > now + _SKEW:
            raise Refused(f"Its {name} lies in the future.")
    return expires_at


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(f"Its {name} must be a number.")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        raise Refused(f"Its {name} is no moment of any calendar.") from None


def use(connection: Connection, assertion: Assertion, *, workspace_id: UUID) -> bool:
    """Use an assertion up, in a transaction whose commit makes it so.

    Returns:
        Whether it was good: not used before, and by the database's clock not over.
    """
    row = select(
        literal(workspace_id, Uuid),
        literal(assertion.client_id, Uuid),
        literal(assertion.digest, LargeBinary),
        literal(assertion.expires_at, DateTime(timezone=True)),
    ).where(literal(assertion.expires_at, DateTime(timezone=True)) > func.clock_timestamp())
    new = insert(UsedAssertion).from_select(["workspace_id", "client_id", "digest", "expires_at"], row)
    done = connection.execute(new.on_conflict_do_nothing().returning(UsedAssertion.client_id))
    return done.one_or_none() is not None


def forget(connection: Connection, *, most: int) -> int:
    """Forget assertions that are over by their own word; returns how many, fewer than `most` when none are left."""
    key = (UsedAssertion.workspace_id, UsedAssertion.client_id, UsedAssertion.digest)
    over = select(*key).where(UsedAssertion.expires_at < func.clock_timestamp()).limit(most)
    gone = delete(UsedAssertion).where(tuple_(*key).in_(over.with_for_update(skip_locked=True)))
    return connection.execute(gone).rowcount
