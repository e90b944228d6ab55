"""Where an identity provider finds us: what an admin has to tell it."""

from __future__ import annotations

from uuid import UUID

from provisioning.context import context


def of(connection_id: UUID) -> dict[str, str]:
    """The addresses of a connection, named as the standards have it; from the settings, never from a Host header."""
    ours = f"{context().public_url}/sign-in"
    return {
        "redirect_uri": f"{ours}/back/{connection_id}",
        "initiate_login_uri": f"{ours}/with/{connection_id}",
        "backchannel_logout_uri": f"{ours}/back-channel/{connection_id}",
        "post_logout_redirect_uri": ours,
        "jwks_uri": f"{ours}/with/{connection_id}/keys",
    }
