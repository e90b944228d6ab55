"""What identity providers send that is not quite SCIM, put right before strict processing.

Knows: deviations, each a named function that says who sends it.
Never knows: storage, HTTP, which connection speaks; no deviation is known outside of this room.
Offers: `normalise_resource`, `normalise_patch` and `normalise_filter` - what conforms comes out unchanged, and twice is
once - and `recognise`, who speaks.
"""

from __future__ import annotations

from provisioning.dialects.filters import NormalisedFilter, normalise_filter
from provisioning.dialects.normalise import Normalised, normalise_patch, normalise_resource
from provisioning.dialects.recognise import INACTIVE_ADVICE, NICKNAME_ADVICE, advise, recognise

__all__ = [
    "INACTIVE_ADVICE",
    "NICKNAME_ADVICE",
    "Normalised",
    "NormalisedFilter",
    "advise",
    "normalise_filter",
    "normalise_patch",
    "normalise_resource",
    "recognise",
]
