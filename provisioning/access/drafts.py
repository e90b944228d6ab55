"""Drafts: what a mapping is to be, the whole of it, and what of ownership it would give.

Ownership is worth a word of its own: whoever may give it to whom the identity provider puts into a group has handed the
workspace to whoever administers that group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provisioning.access.patterns import parse_pattern
from provisioning.access.policies import Terms
from provisioning.access.roles import OWNER
from provisioning.refusals import Invalid
from provisioning.scim.errors import ScimError
from provisioning.scim.extensions import Kinds
from provisioning.scim.filter import parse_filter, paths, to_text
from provisioning.scim.match import matches
from provisioning.scim.schema import ResourceType

# What is no attribute of the person or group itself, and so says nothing that access could rest on.
_NO_GROUND = frozenset({"meta", "schemas", "members"})


@dataclass(frozen=True, slots=True)
class Rule:
    """Whom a mapping means: a Group or User that meets the condition, or Groups whose names follow the pattern."""

    resource_type: str = "Group"
    condition: str | None = None
    pattern: str | None = None

    def __str__(self) -> str:
        return self.condition or f"displayName follows {self.pattern}"

    @property
    def names_owners(self) -> bool:
        """Whether the name of a group can say ownership: the pattern reads a role, and no label that narrows it."""
        pattern = None if self.pattern is None else parse_pattern(self.pattern)
        return pattern is not None and pattern.names_role and not pattern.keys


@dataclass(frozen=True, slots=True)
class Draft:
    """What a mapping is to be: what admins call it, whom it means, whether it counts, and what it gives."""

    name: str
    rule: Rule
    enabled: bool
    terms: tuple[Terms, ...]

    @property
    def ownership(self) -> tuple[Rule, frozenset[datetime | None]] | None:
        """Whom it would make owners, and until when; None: nobody."""
        if not self.enabled:
            return None
        ends = frozenset(one.ends_at for one in self.terms if one.role == OWNER)
        return (self.rule, ends) if ends or self.rule.names_owners else None

    def widens(self, was: Draft) -> bool:
        """Whether it would make others owners than another draft does, or for longer; no condition is judged."""
        mine, theirs = self.ownership, was.ownership
        if mine is None:
            return False
        return theirs is None or mine[0] != theirs[0] or not mine[1] <= theirs[1]

    def as_json(self) -> dict[str, Any]:
        """The form in which a draft is stored; what is equal has one form."""
        rule = {"about": self.rule.resource_type, "condition": self.rule.condition, "pattern": self.rule.pattern}
        terms = sorted((_as_json(one) for one in self.terms), key=str)
        return {"name": self.name, **rule, "enabled": self.enabled, "policies": terms}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Draft:
        """Read what `as_json` wrote."""
        rule = Rule(stored["about"], stored["condition"], stored["pattern"])
        return cls(stored["name"], rule, stored["enabled"], tuple(_terms(one) for one in stored["policies"]))


def _as_json(terms: Terms) -> dict[str, Any]:
    return {
        "role": terms.role,
        "labels": sorted(terms.labels),
        "resources": sorted(terms.resources),
        "ends_at": terms.ends_at and terms.ends_at.isoformat(),
        "reason": terms.reason,
    }


def _terms(stored: Mapping[str, Any]) -> Terms:
    ends_at = stored["ends_at"] and datetime.fromisoformat(stored["ends_at"])
    return Terms(stored["role"], tuple(stored["labels"]), tuple(stored["resources"]), ends_at, stored["reason"])


def kind_of(resource_type: str, kinds: Kinds) -> ResourceType:
    """What a condition is asked of."""
    return kinds.group if resource_type == "Group" else kinds.user


def read_rule(rule: Rule, kinds: Kinds) -> Rule:
    """The rule as it is stored, once it is certain that it can be asked of everything that it is about.

    Raises:
        Invalid: it can't be.
    """
    if rule.resource_type not in {"Group", "User"}:
        raise Invalid("A condition is about a Group or a User.", field="about")
    if (rule.condition is None) == (rule.pattern is None):
        raise Invalid("A mapping has either a condition or a pattern.", field="condition")
    if rule.pattern is not None:
        if rule.resource_type != "Group":
            raise Invalid("A pattern is about the names of Groups.", field="about")
        parse_pattern(rule.pattern)
        return rule
    return Rule(rule.resource_type, _canonical(rule.condition or "", rule.resource_type, kinds))


def _canonical(condition: str, resource_type: str, kinds: Kinds) -> str:
    try:
        tree = parse_filter(condition)
        matches({}, tree, kind_of(resource_type, kinds))
    except ScimError as error:
        raise Invalid(f"The condition can't be asked of a {resource_type}: {error.detail}", field="condition") from None
    for path in paths(tree):
        if path.name.lower() in _NO_GROUND or (path.sub or "").lower() == "$ref":
            raise Invalid(f"Access can't rest on {path}: name an attribute of the {resource_type}.", field="condition")
    return to_text(tree)
