"""The form in which a mapping is written: whom it means by simple choices or in full, and the roles that it gives.

The form says all that it was filled in with, so that what is previewed is what is saved; and which mapping whoever
fills it in has seen, so that nobody overwrites what somebody else has changed meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

import orjson

from provisioning.access import dormant, mappings
from provisioning.access.drafts import Draft, Rule
from provisioning.access.mappings import MappingView
from provisioning.access.policies import PolicyView, Terms
from provisioning.access.rules import LABELS, RESOURCES
from provisioning.database import Connection
from provisioning.directory.groups import GroupView
from provisioning.refusals import Invalid
from provisioning.scim.filter import Comparison, to_text
from provisioning.scim.path import AttributePath
from provisioning.web.console import shown

GROUP, BEGINS, ATTRIBUTE, FILTER, PATTERN = "group", "begins", "attribute", "filter", "pattern"
_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
# What people are most often told apart by; every other attribute is asked by a filter.
ATTRIBUTES: Mapping[str, tuple[str, AttributePath]] = {
    "department": ("Department", AttributePath(_ENTERPRISE, "department")),
    "division": ("Division", AttributePath(_ENTERPRISE, "division")),
    "organization": ("Organization", AttributePath(_ENTERPRISE, "organization")),
    "costCenter": ("Cost centre", AttributePath(_ENTERPRISE, "costCenter")),
    "title": ("Title", AttributePath(None, "title")),
    "userType": ("User type", AttributePath(None, "userType")),
}
_NAME = AttributePath(None, "displayName")
# So many lines the form has; who gives more by one mapping does so by the admin API.
MOST_ROLES = 40
_LONGEST, _LONGEST_SEEN = 8192, 400_000
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_MINUTE = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class Role:
    """A line of the form: a role, and on what.

    Args:
        role: its key; empty for a line that says nothing.
        on: `all`, `labels` or `resources`.
        labels: those that are ticked.
        resources: one a line.
        ends: the minute at which it ends, in UTC; empty for never.
        exact: the very moment, where the mapping has one, for the minute that it was shown as.
        reason: why it is given.
    """

    role: str = ""
    on: str = "all"
    labels: tuple[str, ...] = ()
    resources: str = ""
    ends: str = ""
    exact: str = ""
    reason: str = ""

    def terms(self) -> Terms:
        """The line as a policy.

        Raises:
            Invalid: nothing is chosen that it could be narrowed to, or the end is no moment.
        """
        resources = tuple(self.resources.replace(",", " ").split()) if self.on == RESOURCES else ()
        labels = self.labels if self.on == LABELS else ()
        if self.on != "all" and not (labels or resources):
            raise Invalid(f"Choose {self.on} to which the role is narrowed, or give it on everything.", field=self.on)
        return Terms(self.role, tuple(sorted(labels)), tuple(sorted(resources)), self._ends_at(), self.reason or None)

    def _ends_at(self) -> datetime | None:
        if not self.ends:
            return None
        try:
            exact = datetime.fromisoformat(self.exact) if self.exact else None
            if exact is not None and exact.strftime(_MINUTE) == self.ends:
                return exact
            return datetime.fromisoformat(self.ends).replace(tzinfo=UTC)
        except ValueError:
            raise Invalid("Write the end as a date and a time, or leave it out.", field="endsAt") from None


@dataclass(frozen=True, slots=True)
class Form:
    """The form as it is filled in.

    Args:
        name: what admins call the mapping.
        means: which of the choices says whom it means.
        group: what the group is called, or its id.
        group_was: what the form called the group that `bound` means.
        bound: the condition of the mapping that is edited, while its group is not chosen anew.
        begins: with what groups' names begin.
        attribute: which attribute of people is looked at.
        equals: what it must equal.
        about: what the filter is asked of: `Group` or `User`.
        filter: a SCIM filter.
        pattern: that names of groups follow.
        roles: the lines.
        seen: the mapping, as it was when the form was filled in; empty for a new one.
    """

    name: str = ""
    means: str = GROUP
    group: str = ""
    group_was: str = ""
    bound: str = ""
    begins: str = ""
    attribute: str = "department"
    equals: str = ""
    about: str = "Group"
    filter: str = ""
    pattern: str = ""
    roles: tuple[Role, ...] = field(default=(Role(),))
    seen: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing is said yet of whom it means."""
        said = {GROUP: self.group, BEGINS: self.begins, ATTRIBUTE: self.equals, FILTER: self.filter}
        return not said.get(self.means, self.pattern)

    def rule(self, connection: Connection, workspace_id: UUID) -> Rule:
        """Whom it means.

        Raises:
            Invalid: nothing is said of that, or several groups are called so.
        """
        if self.is_blank:
            raise Invalid("Say whom the mapping means.", field=self.means)
        match self.means:
            case "begins":
                return Rule("Group", to_text(Comparison(_NAME, "sw", self.begins)))
            case "attribute":
                return Rule("User", to_text(Comparison(ATTRIBUTES[self.attribute][1], "eq", self.equals)))
            case "filter":
                return Rule(self.about, self.filter)
            case "pattern":
                return Rule("Group", pattern=self.pattern)
        return Rule("Group", self._of_group(connection, workspace_id))

    def _of_group(self, connection: Connection, workspace_id: UUID) -> str:
        if self.bound and self.group == self.group_was:
            return self.bound
        if _ID.fullmatch(self.group):
            return mappings.condition_for_id(UUID(self.group))
        return mappings.condition_for_group(connection, workspace_id=workspace_id, group=self.group)

    def terms(self) -> list[Terms]:
        """What it gives; lines without a role say nothing."""
        return [line.terms() for line in self.roles if line.role]

    def with_a_role_more(self) -> Form:
        """The same with an empty line."""
        return replace(self, roles=(*self.roles, Role())[:MOST_ROLES])

    def without_role(self, place: int) -> Form:
        """The same without a line; one stays."""
        left = tuple(line for index, line in enumerate(self.roles) if index != place)
        return replace(self, roles=left or (Role(),))


def read(sent: Mapping[str, str], labels: Sequence[str]) -> Form:
    """What a form was filled in with.

    Args:
        sent: its fields; what a form of ours never sends is left out of account.
        labels: those that are ticked, each with the number of its line and a blank before it.
    """
    texts = {name: sent.get(name, "").replace("\0", "").strip()[:_LONGEST] for name in _TEXTS}
    chosen = {
        "means": _one_of(sent.get("means"), (GROUP, BEGINS, ATTRIBUTE, FILTER, PATTERN)),
        "attribute": _one_of(sent.get("attribute"), tuple(ATTRIBUTES)),
        "about": _one_of(sent.get("about"), ("Group", "User")),
    }
    count = next((place for place in range(MOST_ROLES) if f"role-{place}" not in sent), MOST_ROLES)
    lines = tuple(_line(sent, place, labels) for place in range(count)) or (Role(),)
    return Form(**texts, **chosen, roles=lines, seen=sent.get("seen", "")[:_LONGEST_SEEN])


_TEXTS = ("name", "group", "group_was", "bound", "begins", "equals", "filter", "pattern")


def _one_of(value: str | None, known: Sequence[str]) -> str:
    return value if value is not None and value in known else known[0]


def _line(sent: Mapping[str, str], place: int, labels: Sequence[str]) -> Role:
    def text(name: str) -> str:
        return sent.get(f"{name}-{place}", "").replace("\0", "").strip()[:_LONGEST]

    ticked = tuple(label for number, _, label in (one.partition(" ") for one in labels) if number == str(place))
    on = _one_of(sent.get(f"on-{place}"), ("all", LABELS, RESOURCES))
    return Role(text("role"), on, ticked, text("resources"), text("ends"), text("exact"), text("reason"))


def of_group(group: GroupView) -> Form:
    """A new mapping that means one group."""
    condition = mappings.condition_for_id(group.id)
    return Form(group.display_name, group=group.display_name, group_was=group.display_name, bound=condition)


def of_mapping(mapping: MappingView, group: str | None) -> Form:
    """A mapping as it can be edited, in the simplest of the choices that says the same.

    Args:
        mapping: the mapping.
        group: what the group is called that it means by its id, if it does.
    """
    given = tuple(_given(policy) for policy in mapping.policies) or (Role(),)
    form = Form(mapping.name, roles=given, seen=seen(mapping.draft))
    rule = mapping.rule
    if rule.pattern is not None:
        return replace(form, means=PATTERN, pattern=rule.pattern)
    written = rule.condition or ""
    if group is not None:
        return replace(form, means=GROUP, group=group, group_was=group, bound=written)
    return _in_the_simplest(form, rule, written)


def _in_the_simplest(form: Form, rule: Rule, written: str) -> Form:
    match mappings.parsed(written):
        case Comparison(path, "sw", str() as value) if rule.resource_type == "Group" and path == _NAME:
            return replace(form, means=BEGINS, begins=value)
        case Comparison(path, "eq", str() as value) if rule.resource_type == "Group" and path == _NAME:
            return replace(form, means=GROUP, group=value, group_was=value, bound=written)
        case Comparison(path, "eq", str() as value) if rule.resource_type == "User":
            named = (name for name, (_, meant) in ATTRIBUTES.items() if meant == path)
            if (attribute := next(named, None)) is not None:
                return replace(form, means=ATTRIBUTE, attribute=attribute, equals=value)
    return replace(form, means=FILTER, about=rule.resource_type, filter=written)


def _given(policy: PolicyView) -> Role:
    ends, exact = ("", "")
    if policy.ends_at is not None:
        moment = policy.ends_at.astimezone(UTC)
        ends, exact = moment.strftime(_MINUTE), moment.isoformat()
    listed = "\n".join(sorted(map(str, policy.scope.resources)))
    labels = tuple(sorted(policy.scope.labels))
    return Role(policy.role, policy.scope.kind, labels, listed, ends, exact, policy.reason or "")


def bound_to(mapping: MappingView) -> UUID | None:
    """The group that a mapping means by its id."""
    return dormant.bound_to(mapping.rule)


def seen(draft: Draft) -> str:
    """What whoever fills the form in has before them."""
    return orjson.dumps(draft.as_json(), option=orjson.OPT_SORT_KEYS).decode()


def changed_meanwhile(form: Form, now: Draft) -> list[tuple[str, str]]:
    """What of a mapping is another than the form was filled in for: what it is called, and what it is now."""
    try:
        before = Draft.from_json(orjson.loads(form.seen))
    except (ValueError, KeyError, TypeError):
        return [("Everything", "this form is not complete")]
    if before.as_json() == now.as_json():
        return []
    found = {
        "Name": (before.name, now.name),
        "Whom it means": (f"{before.rule.resource_type}: {before.rule}", f"{now.rule.resource_type}: {now.rule}"),
        "State": (before.enabled, now.enabled),
        "Roles": (before.as_json()["policies"], now.as_json()["policies"]),
    }
    said = {
        "State": "on" if now.enabled else "off",
        "Roles": ", ".join(map(shown.gives, now.terms)) or "none",
    }
    return [(name, said.get(name, str(after))) for name, (was, after) in found.items() if was != after]
