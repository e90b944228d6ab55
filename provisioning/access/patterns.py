"""Name patterns, pure: what the name of a group says where a company names groups after what they give.

`seg-{label.environment}-{role}` reads `seg-prod-source-admin` as the role `source-admin` on what is labelled
`environment:prod`. Names are compared exactly: one that could be read in two ways says nothing.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from provisioning.access.labels import PART
from provisioning.refusals import Invalid

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_LABEL = "label."
_MOST_LABELS = 3
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, taken apart: texts and placeholders in turn; a text stands first and last, and may be empty."""

    texts: tuple[str, ...]
    placeholders: tuple[str, ...]

    @property
    def names_role(self) -> bool:
        """Whether the role stands in the name."""
        return "role" in self.placeholders

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the labels whose values stand in the name."""
        return tuple(name.removeprefix(_LABEL) for name in self.placeholders if name != "role")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a name says: a role if the pattern has a place for one, and labels as `key:value`."""

    role: str | None
    labels: frozenset[str]


@functools.lru_cache(maxsize=4096)
def parse_pattern(written: str) -> Pattern:
    """Take a pattern apart.

    Raises:
        Invalid: it has no placeholder, one of another name, one twice, or too many.
    """
    pieces = _PLACEHOLDER.split(written)
    texts, placeholders = tuple(pieces[::2]), tuple(pieces[1::2])
    if len(written) > _LONGEST or any("{" in text or "}" in text or "\0" in text for text in texts):
        raise Invalid(
            f"A pattern has up to {_LONGEST} characters, and braces only around placeholders.", field="pattern"
        )
    if not placeholders or len(set(placeholders)) < len(placeholders):
        raise Invalid("A pattern has placeholders, such as seg-{label.environment}-{role}, each once.", field="pattern")
    pattern = Pattern(texts, placeholders)
    wrong = [key for key in pattern.keys if not PART.fullmatch(key)]
    if wrong or any(name != "role" and not name.startswith(_LABEL) for name in placeholders):
        raise Invalid("A placeholder is {role} or {label.KEY}.", field="pattern")
    if len(pattern.keys) > _MOST_LABELS:
        raise Invalid(f"A pattern names at most {_MOST_LABELS} labels.", field="pattern")
    return pattern


def read(pattern: Pattern, name: str, roles: Collection[str]) -> Reading | None:
    """What a name says by a pattern; None if it doesn't follow it, or could be read in more than one way.

    Args:
        pattern: that it may follow.
        name: of a group.
        roles: the keys of the roles that there are.
    """
    if len(name) > _LONGEST:
        return None
    found: Reading | None = None
    for values in _splits(pattern, 0, name, frozenset(roles)):
        if found is not None:
            return None
        said = dict(zip(pattern.placeholders, values, strict=True))
        labels = frozenset(f"{key}:{said[_LABEL + key]}" for key in pattern.keys)
        found = Reading(said.get("role"), labels)
    return found


def _splits(pattern: Pattern, place: int, rest: str, roles: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """Every way to give the placeholders from one on their values in the rest of a name."""
    text = pattern.texts[place]
    if not rest.startswith(text):
        return
    rest = rest[len(text) :]
    if place == len(pattern.placeholders):
        if not rest:
            yield ()
        return
    for value in _values(pattern.placeholders[place], rest, roles):
        for others in _splits(pattern, place + 1, rest[len(value) :], roles):
            yield (value, *others)


def _values(placeholder: str, rest: str, roles: frozenset[str]) -> Iterator[str]:
    if placeholder == "role":
        yield from (role for role in roles if rest.startswith(role))
        return
    longest = PART.match(rest)
    for length in range(1, len(longest[0]) + 1 if longest else 1):
        yield rest[:length]
