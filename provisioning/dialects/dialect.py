"""What a dialect is: one identity provider's way of speaking SCIM, as one small value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provisioning.scim.schema import ResourceType

Quirk = Callable[[dict[str, Any], ResourceType], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One identity provider's way of speaking.

    Args:
        name: as admins choose it.
        calls_itself: what stands in its User-Agent; nothing where it gives no name.
        sends: deviations that can mean one thing only. They are put right for everybody, whoever is said to speak;
            they stand here because this one is known to send them.
        means: deviations that mean one thing from this one, and another from others: each applies to a body that
            replaces a resource, and only where an admin has said that this one speaks.
        documented: public pages and sources that tell of it.
    """

    name: str
    calls_itself: tuple[str, ...] = ()
    sends: tuple[Callable[..., Any], ...] = ()
    means: tuple[Quirk, ...] = ()
    documented: tuple[str, ...] = ()
