"""Values that nobody else can read or change, wherever they are: encrypted, authenticated and dated by Fernet."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken

from provisioning import clock


class Unsealable(Exception):
    """The text was never sealed here, or has been changed."""


class Expired(Unsealable):
    """The text was sealed longer ago than it is good for."""


class Sealer:
    """Seals and opens under one key; what was sealed for one purpose never opens as anything else."""

    __slots__ = ("_fernet",)

    def __init__(self, key: bytes, purpose: str) -> None:
        derived = hmac.digest(key, f"sealing:{purpose}".encode(), hashlib.sha256)
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def seal(self, data: bytes) -> str:
        """The data as a text of letters, digits, `-` and `_`: it can stand in an address as it is."""
        sealed = self._fernet.encrypt_at_time(data, int(clock.now().timestamp()))
        return sealed.rstrip(b"=").decode()

    def open(self, text: str, *, lifetime_seconds: int | None = None) -> bytes:
        """The data that was sealed, however long ago if no lifetime is given.

        Raises:
            Expired: it was sealed more than that many seconds ago.
            Unsealable: it wasn't sealed here.
        """
        token = text.encode() + b"=" * (-len(text) % 4)
        try:
            data = self._fernet.decrypt(token)
        except InvalidToken:
            raise Unsealable from None
        age = clock.now().timestamp() - self._fernet.extract_timestamp(token)
        if lifetime_seconds is not None and age > lifetime_seconds:
            raise Expired
        return data
