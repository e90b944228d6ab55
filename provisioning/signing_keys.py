"""The keys by which the service signs (ES256): one that signs, the next one, and former ones until nobody needs them.

Verifiers find all of them at `/.well-known/jwks.json`: the next key is published a whole term before it signs, and a
former one stays for as long as anything that it signed may be looked at. Private parts are sealed under the secret
key; where that was changed they can't be opened any more, and new ones take their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.database import Base
from provisioning.outbox import SYSTEM, Actor, Fact
from provisioning.sealing import Sealer, Unsealable

ALGORITHM = "ES256"
PURPOSE = "signing keys"
# How long a key stays published after its last signature: nothing that is signed here is good for longer.
KEPT = timedelta(days=7)
_CURVE = "P-256"
_LOCK = 0x6A776B73  # "jwks": any number that nothing else on this database uses


class SigningKeyRow(Base):
    """A signing key: the next one has no time yet, the current one a beginning, a former one an end, too."""

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    public: Mapped[dict[str, Any]]
    private: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    current_since: Mapped[datetime | None]
    former_since: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class SigningKeysRotated(Fact):
    """The next signing key signs from now on; `current` names it."""

    name: ClassVar[str] = "signing_keys.rotated"
    current: str

    @property
    def subject(self) -> str:
        """There is one set of them."""
        return "signing_keys"


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key as it is shown: everything but its private part."""

    kid: str
    state: str
    created_at: datetime
    jwk: dict[str, Any]


_NEXT = SigningKeyRow.current_since.is_(None)
_CURRENT = SigningKeyRow.current_since.is_not(None) & SigningKeyRow.former_since.is_(None)


def published(connection: Connection) -> list[KeyView]:
    """Every key that a verifier may need: next, current and former ones; none before anything had to be signed."""
    wanted = select(SigningKeyRow).order_by(SigningKeyRow.created_at, SigningKeyRow.kid)
    return [KeyView(row.kid, _state(row), row.created_at, row.public) for row in connection.execute(wanted)]


def _state(row: Any) -> str:
    if row.current_since is None:
        return "next"
    return "current" if row.former_since is None else "former"


def current(connection: Connection, *, sealer: Sealer) -> ECKey:
    """The key that signs, with its private part; made on first use, and anew where the old one can't be opened.

    Args:
        connection: in a transaction.
        sealer: for `PURPOSE`, under the secret key.
    """
    found = _opened(connection, sealer)
    if found is None:
        _hold(connection)
        found = _opened(connection, sealer) or _begin(connection, sealer)
    return found


def sign(
    connection: Connection,
    claims: Mapping[str, Any],
    *,
    sealer: Sealer,
    kind: str = "JWT",
) -> str:
    """A JWT of these claims, signed by the current key; `kind` is its `typ`."""
    key = current(connection, sealer=sealer)
    header = {"alg": ALGORITHM, "kid": key.kid, "typ": kind}
    return jwt.encode(header, dict(claims), key, algorithms=[ALGORITHM])


def rotate(connection: Connection, *, sealer: Sealer, by: Actor) -> KeyView:
    """Let the next key sign from now on, and make another next one.

    Returns:
        The key that signs.
    """
    _hold(connection)
    return _rotate(connection, sealer, by)


def tend(connection: Connection, *, sealer: Sealer, term: timedelta) -> bool:
    """Rotate where the current key has signed for a whole term, and drop former keys that nobody needs.

    Asked as often as one likes, by several at once.

    Returns:
        Whether another key signs from now on.
    """
    unneeded = SigningKeyRow.former_since <= func.clock_timestamp() - KEPT
    connection.execute(delete(SigningKeyRow).where(unneeded))
    if not _is_due(connection, term):
        return False
    _hold(connection)
    if not _is_due(connection, term):
        return False
    _rotate(connection, sealer, SYSTEM)
    return True


def _is_due(connection: Connection, term: timedelta) -> bool:
    over = SigningKeyRow.current_since <= func.clock_timestamp() - term
    return connection.execute(select(1).where(_CURRENT, over)).one_or_none() is not None


def _rotate(connection: Connection, sealer: Sealer, by: Actor) -> KeyView:
    now = func.clock_timestamp()
    connection.execute(update(SigningKeyRow).where(_CURRENT).values(former_since=now))
    if not connection.execute(update(SigningKeyRow).where(_NEXT).values(current_since=now)).rowcount:
        _make(connection, sealer, current_since=now)
    _make(connection, sealer)
    signing = next(key for key in published(connection) if key.state == "current")
    outbox.append(connection, SigningKeysRotated(current=signing.kid), workspace_id=None, by=by)
    return signing


def _hold(connection: Connection) -> None:
    """One at a time, whatever there is; until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _opened(connection: Connection, sealer: Sealer) -> ECKey | None:
    row = connection.execute(select(SigningKeyRow.private).where(_CURRENT)).one_or_none()
    if row is None:
        return None
    try:
        return ECKey.import_key(orjson.loads(sealer.open(row.private, lifetime_seconds=None)))
    except Unsealable:
        return None


def _begin(connection: Connection, sealer: Sealer) -> ECKey:
    """A first pair of keys; those that can't be opened any more sign nothing, and stay for their verifiers."""
    now = func.clock_timestamp()
    lost = update(SigningKeyRow).where(SigningKeyRow.former_since.is_(None))
    connection.execute(lost.values(current_since=func.coalesce(SigningKeyRow.current_since, now), former_since=now))
    key = _make(connection, sealer, current_since=now)
    _make(connection, sealer)
    return key


def _make(connection: Connection, sealer: Sealer, *, current_since: Any = None) -> ECKey:
    key = ECKey.generate_key(_CURVE, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    new = insert(SigningKeyRow).values(
        kid=key.kid,
        public=key.as_dict(private=False),
        private=sealer.seal(orjson.dumps(key.as_dict(private=True))),
        current_since=current_since,
    )
    connection.execute(new)
    return key
