"""What the composition root hands to the doors and the workers, and how they get at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from provisioning.access.roles import Catalogue
from provisioning.credentials import Keyring
from provisioning.sessions.rules import SessionPolicy

_EXTENSION = "provisioning.context"


@dataclass(frozen=True, slots=True)
class Context:
    """Values, not settings: nothing here tells where it came from."""

    keyring: Keyring
    catalogue: Catalogue
    session_policy: SessionPolicy
    public_url: str


def install(app: Flask, context: Context) -> None:
    """Give the doors and workers of an application what they need."""
    app.extensions[_EXTENSION] = context


def context() -> Context:
    """The context of the application that is at work."""
    return cast("Context", current_app.extensions[_EXTENSION])
