"""PATCH as RFC 7644, section 3.5.2 tells it, on plain dictionaries: the reference that the service is compared with.

Written from the RFC and the decisions that the service documents, not from its code; it knows only what the tests send.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Set as AbstractSet

USER_URN = "urn:ietf:params:scim:schemas:core:2.0:User"
WORK_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_MANY = {"value": str, "display": str, "type": str, "primary": bool}
_NAMES = {"formatted": str, "familyName": str, "givenName": str}
USER = {"userName": str, "displayName": str, "title": str, "active": bool, "name": _NAMES,
        "emails": [_MANY], "phoneNumbers": [_MANY], "roles": [_MANY]}  # fmt: skip
WORK = {"department": str, "manager": {"value": str}}
_PATH = re.compile(r"(?:(?P<urn>urn:.*):)?(?P<name>\w+)(?:\[(?P<condition>.*)\])?(?:\.(?P<sub>\w+))?")
_TERM = re.compile(r'(\w+) (?:(pr)|(eq|ne|co|sw) (?:"(.*?)"|(true|false)))')


class Refused(Exception):
    """The whole request is refused, with this scimType."""


def patched(document: dict, operations: list[dict]) -> dict:
    """A User's writable attributes after the operations."""
    changed = copy.deepcopy(document)
    for sent in operations:
        for path, value in _targets(sent, USER.keys()):
            _one(changed, sent["op"], path, value)
    for name, kind in USER.items():
        if isinstance(kind, list) and sum(element.get("primary", False) for element in changed.get(name, [])) > 1:
            raise Refused("invalidValue")
    return changed


def _targets(sent: dict, known: AbstractSet[str]) -> list[tuple[str, object]]:
    if sent["op"] not in {"add", "replace", "remove"}:
        raise Refused("invalidSyntax")
    if sent["op"] != "remove" and "value" not in sent:
        raise Refused("invalidValue")
    if "path" in sent:
        return [(sent["path"], sent.get("value"))]
    if sent["op"] == "remove":
        raise Refused("noTarget")
    if not isinstance(sent["value"], dict):
        raise Refused("invalidValue")
    inside = [(f"{WORK_URN}:{name}", value) for name, value in sent["value"].get(WORK_URN, {}).items()]
    # Decided: what the schema does not know is ignored in a value, as in a whole resource.
    return [(name, value) for name, value in sent["value"].items() if name.split(".")[0] in known] + inside


def _kinds(urn: str | None, name: str, condition: str | None, sub: str | None) -> tuple[object, object]:
    """What the attribute is, and what the path leads to."""
    kind = (WORK if urn == WORK_URN else USER).get(name)
    parts = kind[0] if isinstance(kind, list) else kind
    if kind is None or (condition and not isinstance(kind, list)):
        raise Refused("invalidPath")
    if sub and not (isinstance(parts, dict) and sub in parts):
        raise Refused("invalidPath")
    return kind, parts[sub] if sub else parts if condition else kind


def _one(document: dict, op: str, path: str, value: object) -> None:
    urn, name, condition, sub = _PATH.fullmatch(path).groups()
    kind, wanted = _kinds(urn, name, condition, sub)
    if name == "userName" and (op == "remove" or not value):
        raise Refused("mutability" if op == "remove" else "invalidValue")
    _check(wanted, value)
    value = _known(wanted, value)
    if op == "add" and value is None:
        return
    holder = document.setdefault(WORK_URN, {}) if urn == WORK_URN else document
    new = None if op == "remove" else value
    if not isinstance(kind, list):
        holder[name] = _single(holder.get(name), sub, new)
    elif condition or sub:
        holder[name] = _selected(holder.get(name, []), op, condition, sub, new)
    else:
        holder[name] = _listed(holder.get(name, []), op, value)
    if holder[name] in (None, [], {}):
        del holder[name]
    if urn == WORK_URN and not holder:
        del document[urn]


def _check(kind: object, value: object) -> None:
    if value is None:
        return
    if isinstance(kind, list):
        if not isinstance(value, list):
            raise Refused("invalidValue")
        for element in value:
            _check(kind[0], element)
    elif isinstance(kind, dict):
        if not isinstance(value, dict):
            raise Refused("invalidValue")
        for name in kind.keys() & value.keys():
            _check(kind[name], value[name])
    elif type(value) is not kind:
        raise Refused("invalidValue")


def _known(kind: object, value: object) -> object:
    """The value without what the schema does not know, which is ignored as in a whole resource."""
    if isinstance(kind, list) and value is not None:
        return [_known(kind[0], element) for element in value]
    return {name: value[name] for name in value if name in kind} if isinstance(value, dict) else value


def _merged(before: dict | None, new: dict) -> dict:
    """Null is no value (RFC 7643, section 2.5): a sub-attribute that is sent as null goes."""
    return {name: value for name, value in {**(before or {}), **new}.items() if value is not None}


def _single(before: object, sub: str | None, value: object) -> object:
    if sub:
        return _merged(before, {sub: value})
    return _merged(before, value) if isinstance(value, dict) else value


def _listed(before: list[dict], op: str, value: list[dict] | None) -> list[dict]:
    new = [element for sent in value or [] if (element := _merged({}, sent))]
    if op == "replace":
        return new
    if op == "remove":  # Decided: a remove with a value takes out the elements that it lists.
        return (
            []
            if value is None
            else [e for e in before if not any(_folded(n).items() <= _folded(e).items() for n in new)]
        )
    added = [e for place, e in enumerate(new) if e not in before and e not in new[:place]]
    return _unset(before, added) + added


def _folded(element: dict) -> dict:
    return {name: value.lower() if isinstance(value, str) else value for name, value in element.items()}


def _unset(others: list[dict], chosen: list[dict]) -> list[dict]:
    """`primary: true` on one element makes it false on all others."""
    moved = any(element.get("primary") for element in chosen)
    return [{**e, "primary": False} if moved and e.get("primary") else e for e in others]


def _selected(before: list[dict], op: str, condition: str | None, sub: str | None, value: object) -> list[dict]:
    chosen = [element for element in before if condition is None or _meets(element, condition)]
    if not chosen:
        return before if value is None else _made(before, condition, sub, value)
    others = [element for element in before if element not in chosen]
    changed = [_changed(element, op, sub, value) for element in chosen]
    unset, altered = iter(_unset(others, changed)), iter(changed)
    return [e for old in before if (e := next(altered if old in chosen else unset))]


def _changed(element: dict, op: str, sub: str | None, value: object) -> dict:
    if sub:
        return _merged(element, {sub: value})
    return _merged(element if op == "add" else {}, value or {})


def _made(before: list[dict], condition: str | None, sub: str | None, value: object) -> list[dict]:
    """Decided: what a condition of `eq` alone does not find is made; anything else has no target."""
    seed = {}
    for term in condition.split(" and ") if condition else ():
        name, _, operator, text, truth = _TERM.fullmatch(term.split(" or ")[0]).groups()
        if operator != "eq" or " or " in condition:
            raise Refused("noTarget")
        seed[name] = text if text is not None else truth == "true"
    made = _merged(seed, {sub: value} if sub else value)
    if condition and not _meets(made, condition):
        raise Refused("noTarget")
    return [*_unset(before, [made]), made]


def _meets(element: dict, condition: str) -> bool:
    if " or " in condition:
        return any(_meets(element, term) for term in condition.split(" or "))
    return all(_term(element, *_TERM.fullmatch(term).groups()) for term in condition.split(" and "))


def _term(element: dict, name: str, present: str | None, operator: str, text: str | None, truth: str | None) -> bool:
    have = element.get(name)
    if present:
        return have not in (None, "")
    want = text.lower() if truth is None else truth == "true"
    have = have.lower() if isinstance(have, str) else have
    if operator in {"eq", "ne"}:
        return (have == want) is (operator == "eq")
    return have is not None and (want in have if operator == "co" else have.startswith(want))


def patched_group(name: str, members: set[str], operations: list[dict], known: set[str]) -> tuple[str, set[str]]:
    """A Group's name and members after the operations, of people whom the workspace knows."""
    for sent in operations:
        for path, value in _targets(sent, {"displayName", "members"}):
            if path == "displayName":
                name = _named(sent["op"], value)
            else:
                members = _joined(members, sent["op"], path, value)
    if not name:
        raise Refused("invalidValue")
    # Decided: who is not there is awaited, and not shown.
    return name, members & known


def _named(op: str, value: object) -> str:
    if op == "remove" or not isinstance(value, str):
        raise Refused("mutability" if op == "remove" else "invalidValue")
    return value


def _joined(members: set[str], op: str, path: str, value: list[dict] | None) -> set[str]:
    if path.startswith("members["):
        if op != "remove":
            raise Refused("mutability")
        return members - set(re.findall(r'value eq "(.*?)"', path))
    if path != "members":
        raise Refused("invalidPath")
    who = {element["value"] for element in value or []}
    if op == "remove":
        return set() if value is None else members - who
    return who if op == "replace" else members | who
