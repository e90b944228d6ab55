"""What the service signs about its trail, and who may be believed when that is checked years later.

The signing keys change and go; the public parts of those that signed a seal stay, each vouched for: sealed under the
secret key, which isn't in the database. Whoever can write every table can't sign, nor bring in a key that could.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from provisioning import signing_keys
from provisioning.audit.models import Key
from provisioning.sealing import Sealer, Unsealable

PURPOSE = "keys of the audit trail"
# What a signature says: this is a seal; this is the last seal; this seal's facts were dropped by retention.
Says = Literal["audit-seal+jwt", "audit-head+jwt", "audit-drop+jwt"]
SEAL: Says = "audit-seal+jwt"
HEAD: Says = "audit-head+jwt"
DROP: Says = "audit-drop+jwt"


@dataclass(frozen=True, slots=True)
class Notary:
    """Signs and vouches: the sealers of the signing keys' private parts and of the trail's public ones."""

    signing: Sealer
    vouching: Sealer


def claims(chain: UUID, number: int, hashed: bytes) -> dict[str, Any]:
    """What is signed of a seal."""
    return {"chain": str(chain), "number": number, "hash": hashed.hex()}


def sign(connection: Connection, says: Says, told: Mapping[str, Any], *, notary: Notary) -> str:
    """Sign by the current key, and see to it that this one is vouched for."""
    text = signing_keys.sign(connection, told, sealer=notary.signing, kind=says)
    kid = _kid(jws.extract_compact(text.encode()))
    if connection.execute(select(1).where(Key.kid == kid)).one_or_none() is None:
        public = next(key.jwk for key in signing_keys.published(connection) if key.kid == kid)
        new = insert(Key).values(kid=kid, public=public, voucher=notary.vouching.seal(kid.encode()))
        connection.execute(new.on_conflict_do_nothing())
    return text


def _kid(message: Any) -> str:
    return str(message.headers()["kid"])


@dataclass(frozen=True, slots=True)
class Known:
    """The keys that are believed, and the names of those that nobody vouches for."""

    keys: Mapping[str, ECKey]
    unvouched: Collection[str]

    def say(self, text: str, says: Says, told: Mapping[str, Any]) -> bool:
        """Whether a text is the service's word that says exactly this."""
        return self.told(text, says) == told

    def told(self, text: str, says: Says) -> dict[str, Any] | None:
        """What a text tells, if it is the service's word of this kind."""
        try:
            token = jwt.decode(text, self._key, algorithms=[signing_keys.ALGORITHM])
        except (JoseError, KeyError, ValueError):
            return None
        return token.claims if token.header.get("typ") == says else None

    def _key(self, message: Any) -> ECKey:
        return self.keys[_kid(message)]


def known(connection: Connection, *, vouching: Sealer, trusted: Collection[str] = ()) -> Known:
    """The keys by which seals are checked.

    Args:
        connection: to read with.
        vouching: for `PURPOSE`, under the secret key.
        trusted: names of keys that are believed though another secret key vouched for them; a name is the key's
            thumbprint (RFC 7638), and so means that very key. Only the names are taken on trust, never the table.
    """
    keys: dict[str, ECKey] = {}
    unvouched = []
    for kid, public, voucher in connection.execute(select(Key.kid, Key.public, Key.voucher)):
        try:
            found = ECKey.import_key(public)
        except (JoseError, ValueError):
            continue
        if found.thumbprint() != kid:
            continue
        if kid in trusted or _vouched(voucher, kid, vouching):
            keys[kid] = found
        else:
            unvouched.append(kid)
    return Known(keys, unvouched)


def _vouched(voucher: str, kid: str, vouching: Sealer) -> bool:
    try:
        return vouching.open(voucher) == kid.encode()
    except Unsealable:
        return False
