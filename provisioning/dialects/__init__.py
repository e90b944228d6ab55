"""What identity providers send that is not quite SCIM, put right before strict processing.

One file each tells what an identity provider is known to send, why and where that is documented. What can mean one
thing only is put right for everybody; what means different things from different senders, only where an admin has
pinned the connection's dialect. A dialect that was learned from what is heard advises, and decides nothing.

Knows: deviations, each a named function that says who sends it, and dialects, each a value that lists them.
Never knows: storage, HTTP; no deviation is known outside of this room.
Offers: `normalise_resource`, `normalise_replacement`, `normalise_patch`, `normalise_filter` - what conforms comes out
unchanged, and twice is once; `DIALECTS` by name; `recognise`, who speaks, and `advise`.
"""

from __future__ import annotations

from provisioning.dialects.filters import NormalisedFilter, normalise_filter
from provisioning.dialects.known import DIALECTS, OTHER
from provisioning.dialects.normalise import Normalised, normalise_patch, normalise_replacement, normalise_resource
from provisioning.dialects.recognise import INACTIVE_ADVICE, NICKNAME_ADVICE, advise, recognise

__all__ = [
    "DIALECTS",
    "INACTIVE_ADVICE",
    "NICKNAME_ADVICE",
    "OTHER",
    "Normalised",
    "NormalisedFilter",
    "advise",
    "normalise_filter",
    "normalise_patch",
    "normalise_replacement",
    "normalise_resource",
    "recognise",
]
