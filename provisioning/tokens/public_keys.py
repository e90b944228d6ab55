"""Public keys by which OAuth clients and connections prove who they are (`private_key_jwt`): read, keep, look up.

Which algorithms count is decided here and by the key, never by what an assertion says of itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from sqlalchemy import delete, func, insert, select
from sqlalchemy.engine import Connection

from provisioning import entropy, outbox
from provisioning.directory import connections
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, Invalid, NotFound
from provisioning.tokens import access_tokens
from provisioning.tokens.events import OAuthKeyAdded, OAuthKeyRemoved
from provisioning.tokens.models import OAuthKey

# By the type and curve of a key.
_ALGORITHMS: Mapping[tuple[str, str | None], tuple[str, ...]] = {
    ("EC", "P-256"): ("ES256",),
    ("RSA", None): ("RS256", "PS256"),
    ("OKP", "Ed25519"): ("Ed25519",),
}
ALGORITHMS = tuple(name for names in _ALGORITHMS.values() for name in names)
MOST = 2
_SHORTEST_RSA, _LONGEST_RSA = 2048, 8192
_LONGEST_TEXT, _LONGEST_KID = 8192, 200
_PUBLIC = ("kty", "crv", "x", "y", "n", "e")
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_ADVICE = "Send a public key as PEM or JWK: P-256, Ed25519, or RSA of 2048 to 8192 bits."


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose keys they are: an OAuth client or a connection, locked by whoever changes them."""

    kind: Literal["client", "connection"]
    id: UUID
    workspace_id: UUID


@dataclass(frozen=True, slots=True)
class KeyView:
    """A public key as it is shown."""

    id: UUID
    jwk: dict[str, Any]
    created_at: datetime


def read(sent: str | Mapping[str, Any]) -> dict[str, Any]:
    """The JWK of a public key that was sent as PEM or JWK: its public parts, with `kid` and, where one is set, `alg`.

    Raises:
        Invalid: it is no public key of a kind that is taken.
    """
    key = _of_jwk(sent) if isinstance(sent, Mapping) else _of_pem(sent)
    given = sent if isinstance(sent, Mapping) else {}
    jwk: dict[str, Any] = {name: key.as_dict()[name] for name in _PUBLIC if name in key.as_dict()}
    able = _ALGORITHMS.get((jwk["kty"], jwk.get("crv")))
    if able is None or (isinstance(key, RSAKey) and not _SHORTEST_RSA <= key.raw_value.key_size <= _LONGEST_RSA):
        raise Invalid(_ADVICE, field="key")
    if given.get("use", "sig") != "sig" or given.get("alg", able[0]) not in able:
        raise Invalid(f"Such a key signs with {' or '.join(able)}.", field="key")
    kid = given.get("kid") or key.thumbprint()
    if not isinstance(kid, str) or len(kid) > _LONGEST_KID or "\0" in kid:
        raise Invalid(f"A kid has up to {_LONGEST_KID} characters.", field="key")
    return {**jwk, "kid": kid, "use": "sig", **({"alg": given["alg"]} if "alg" in given else {})}


def _of_jwk(sent: Mapping[str, Any]) -> Key:
    if any(name in sent for name in _PRIVATE):
        raise Invalid("This is a private key: keep it, make a new one, and send its public part alone.", field="key")
    parts = {name: sent[name] for name in _PUBLIC if name in sent}
    if not all(isinstance(part, str) and len(part) <= _LONGEST_TEXT for part in parts.values()):
        raise Invalid(_ADVICE, field="key")
    return imported(parts)


def _of_pem(sent: str) -> Key:
    if "PRIVATE KEY" in sent:
        raise Invalid("This is a private key: keep it, make a new one, and send its public part alone.", field="key")
    if len(sent) > _LONGEST_TEXT:
        raise Invalid(_ADVICE, field="key")
    try:
        raw = load_pem_public_key(sent.encode())
    except (ValueError, TypeError, NotImplementedError, UnsupportedAlgorithm):
        raise Invalid(_ADVICE, field="key") from None
    if isinstance(raw, RSAPublicKey):
        return RSAKey(raw, sent)
    if isinstance(raw, EllipticCurvePublicKey):
        return ECKey(raw, sent)
    if isinstance(raw, Ed25519PublicKey):
        return OKPKey(raw, sent)
    raise Invalid(_ADVICE, field="key")


def imported(jwk: Mapping[str, Any]) -> Key:
    """A JWK as a key to verify with.

    Raises:
        Invalid: it is none.
    """
    kinds: Mapping[str, Any] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey}
    try:
        key: Key = kinds[jwk["kty"]].import_key(dict(jwk))
        key.thumbprint()
        _ = key.raw_value
    except (JoseError, ValueError, KeyError, TypeError):
        raise Invalid(_ADVICE, field="key") from None
    return key


_VIEW = select(OAuthKey.id, OAuthKey.jwk, OAuthKey.created_at).order_by(OAuthKey.id)


def _of(holder: Holder) -> tuple[Any, ...]:
    return (OAuthKey.workspace_id == holder.workspace_id, getattr(OAuthKey, f"{holder.kind}_id") == holder.id)


def every(connection: Connection, *, holder: Holder) -> Sequence[KeyView]:
    """The keys of a client or connection, oldest first."""
    return [KeyView(*row) for row in connection.execute(_VIEW.where(*_of(holder)))]


def add(connection: Connection, *, holder: Holder, jwk: dict[str, Any], by: Actor) -> KeyView:
    """Add a key; two may be valid at once, so that one can be exchanged without a gap.

    Args:
        connection: in a transaction that holds the client or connection.
        holder: whose key it is.
        jwk: as `read` made it.
        by: who does it.

    Raises:
        Conflict: there are two already, or this one is there.
    """
    held = every(connection, holder=holder)
    if any(key.jwk["kid"] == jwk["kid"] for key in held):
        raise Conflict("There is a key of this kid already.", field="key")
    if len(held) >= MOST:
        raise Conflict(f"There are {MOST} keys already: remove one first.", field="key")
    new = insert(OAuthKey).values(
        id=entropy.new_id(), workspace_id=holder.workspace_id, jwk=jwk, **{f"{holder.kind}_id": holder.id}
    )
    made = KeyView(*connection.execute(new.returning(OAuthKey.id, OAuthKey.jwk, OAuthKey.created_at)).one())
    fact = OAuthKeyAdded(holder=holder.kind, client_id=holder.id, kid=jwk["kid"])
    outbox.append(connection, fact, workspace_id=holder.workspace_id, by=by)
    return made


def remove(connection: Connection, *, holder: Holder, key_id: UUID, by: Actor) -> None:
    """Take a key away: what it signs is refused from the commit on, and the access tokens of its holder end.

    Which of those were got by this key is not known; the holder is locked by whoever calls this.

    Raises:
        NotFound: the client or connection has none of this id.
    """
    gone = delete(OAuthKey).where(*_of(holder), OAuthKey.id == key_id).returning(OAuthKey.jwk["kid"].astext)
    kid = connection.execute(gone).scalar_one_or_none()
    if kid is None:
        raise NotFound("There is no such key.")
    if holder.kind == "client":
        access_tokens.end_of(connection, workspace_id=holder.workspace_id, client_id=holder.id)
    else:
        connections.end_short_tokens(connection, workspace_id=holder.workspace_id, connection_id=holder.id)
    fact = OAuthKeyRemoved(holder=holder.kind, client_id=holder.id, kid=kid)
    outbox.append(connection, fact, workspace_id=holder.workspace_id, by=by)


def aggregated(*conditions: Any) -> Any:
    """The keys that meet conditions as one JSON list, for a look-up to carry along."""
    return select(func.jsonb_agg(OAuthKey.jwk)).where(*conditions).scalar_subquery()
