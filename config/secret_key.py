"""The key of all token hashes: from the environment, or in development from a file of the data folder."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from config.settings import InvalidSettings, Settings

_FILE = "secret.key"


def read_or_create(settings: Settings) -> bytes:
    """The secret key in force, made on first use where development allows it.

    Returns:
        At least 32 bytes.

    Raises:
        InvalidSettings: production without a key, or a key file that is not private or not whole.
    """
    if settings.secret_key is not None:
        return settings.secret_key.encode()
    if settings.production:
        raise InvalidSettings("PROVISIONING_SECRET_KEY must be set when PROVISIONING_MODE is production")
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = settings.data_dir / _FILE
    _create_once(path)
    if path.stat().st_mode & 0o077:
        raise InvalidSettings(
            f"{path} can be read by others: make it private (chmod 600), or set PROVISIONING_SECRET_KEY"
        )
    key = path.read_bytes().strip()
    if len(key) < 32:  # noqa: PLR2004 - the bound that the variable has, too
        raise InvalidSettings(
            f"{path} holds no whole key: remove it to have a new one made (this ends all sessions and tokens)"
        )
    return key


def _create_once(path: Path) -> None:
    """Write a new key so that of several processes at once exactly one wins, and none sees half a file."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_hex(32).encode())
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
