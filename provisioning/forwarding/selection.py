"""Which facts an endpoint is told of: names, `noun.*` for all of a noun, `*` for all. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from provisioning.refusals import Invalid

ALL = "*"
_MOST = 100
_FAMILY = ".*"


def checked(patterns: Sequence[str], *, known: Collection[str]) -> list[str]:
    """The patterns, each once, in the order of the alphabet.

    Args:
        patterns: as they were asked for.
        known: the names of all facts there are.

    Raises:
        Invalid: there are none or too many, or one that nothing can ever match.
    """
    if not 0 < len(patterns) <= _MOST:
        raise Invalid(f"Say 1 to {_MOST} events, or * for all.", field="events")
    for pattern in patterns:
        if not any(matches([pattern], name) for name in known):
            raise Invalid(f"No event is called {pattern[:100]!r}.", field="events")
    return sorted(set(patterns))


def matches(patterns: Collection[str], name: str) -> bool:
    """Whether a fact of this name is meant."""
    return any(_matches(pattern, name) for pattern in patterns)


def _matches(pattern: str, name: str) -> bool:
    if pattern.endswith(_FAMILY):
        return name.startswith(pattern.removesuffix("*"))
    return pattern in {ALL, name}
