"""Who speaks, judged by what is heard; and what an admin could do about habits that make for trouble."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping

from provisioning.dialects import entra
from provisioning.dialects.known import DIALECTS, OTHER

# What is met, and what would make it go away.
ADVICE: Mapping[str, str] = {
    "password": "It sends passwords: switch password synchronisation off. They are dropped here.",
    "old_urns": "It writes URNs of SCIM 1.1: choose its template for SCIM 2.0 and correct the enterprise URN.",
    "missing_schemas": "It leaves `schemas` out: choose its template for SCIM 2.0.",
    "ambiguous members_left_out": (
        "It replaces groups without naming members, who stay: if that is how it empties a group, as Keycloak's"
        " extensions do, set the connection's dialect to keycloak."
    ),
}
NICKNAME_ADVICE = (
    "externalId is the mail nickname, which changes when a person is renamed: map the directory's object id to it."
)
INACTIVE_ADVICE = (
    "Everybody whom it has pushed is inactive: where the directory flags who is deleted or disabled, map the flag's "
    "opposite to `active`."
)
# Within so many characters everybody has said their name.
_LONGEST = 500


def recognise(user_agent: str, quirks: Collection[str]) -> str | None:
    """The dialect that is spoken, as far as it can be told.

    Args:
        user_agent: as the client calls itself.
        quirks: the deviations that were met.
    """
    # Capital operations are Entra ID's own, and it gives no name.
    return _called(user_agent[:_LONGEST]) or (entra.DIALECT.name if "op_in_capitals" in quirks else None)


@functools.lru_cache(maxsize=1024)
def _called(user_agent: str) -> str | None:
    heard = user_agent.lower()
    return next((one.name for one in DIALECTS.values() if any(name in heard for name in one.calls_itself)), None)


def advise(met: Collection[str], *, pinned: str, learned: str | None) -> list[str]:
    """What an admin could do.

    Args:
        met: the deviations that were met lately.
        pinned: the dialect that the connection is set to.
        learned: the dialect that was heard.
    """
    told = [ADVICE[quirk] for quirk in sorted(met) if quirk in ADVICE]
    if learned is None or learned == pinned:
        return told
    was = "is set to no dialect" if pinned == OTHER.name else f"is set to {pinned}"
    return [f"It sounds like {learned}, and {was}: set it to {learned}, if that is who speaks.", *told]
