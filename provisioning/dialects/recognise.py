"""Who speaks, judged by what is heard; and what an admin could do about habits that make for trouble."""

from __future__ import annotations

from collections.abc import Collection, Mapping

# As they call themselves in User-Agent. Ping, OneLogin and Keycloak's extensions give no name of their own.
_NAMES: Mapping[str, str] = {
    "okta": "okta",
    "authentik": "authentik",
    "jumpcloud": "jumpcloud",
    "google": "google",
    "rippling": "rippling",
    "onelogin": "onelogin",
    "keycloak": "keycloak",
    "pingone": "ping",
    "pingfederate": "ping",
}

# What is met, and what would make it go away.
ADVICE: Mapping[str, str] = {
    "password": "It sends passwords: switch password synchronisation off. They are dropped here.",
    "old_urns": "It writes URNs of SCIM 1.1: choose its template for SCIM 2.0 and correct the enterprise URN.",
    "missing_schemas": "It leaves `schemas` out: choose its template for SCIM 2.0.",
}
NICKNAME_ADVICE = (
    "externalId is the mail nickname, which changes when a person is renamed: map the directory's object id to it."
)
INACTIVE_ADVICE = (
    "Everybody whom it has pushed is inactive: where the directory flags who is deleted or disabled, map the flag's "
    "opposite to `active`."
)


def recognise(user_agent: str, quirks: Collection[str]) -> str | None:
    """The dialect that is spoken, as far as it can be told.

    Args:
        user_agent: as the client calls itself.
        quirks: the deviations that were met.
    """
    heard = user_agent.lower()
    named = next((dialect for name, dialect in _NAMES.items() if name in heard), None)
    # Capital operations are Entra ID's own, and it gives no name.
    return "entra" if named is None and "op_in_capitals" in quirks else named


def advise(met: Collection[str]) -> list[str]:
    """What an admin could do about the deviations that were met."""
    return [ADVICE[quirk] for quirk in sorted(met) if quirk in ADVICE]
