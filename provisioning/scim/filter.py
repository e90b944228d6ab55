"""Filters (RFC 7644, section 3.4.2.2): text to tree, and tree to canonical text. parse_filter(to_text(tree)) == tree.

Beyond the grammar two things that identity providers send are read: bare words as strings (`externalId eq ada`), and a
sub-attribute behind a value path (`emails[type eq "work"].value eq "x"`), which means the same element.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.scim.errors import InvalidFilter, TooMany
from provisioning.scim.path import AttributePath, match_attribute

LONGEST, DEEPEST, MOST_TERMS = 8192, 12, 200
OPERATORS = frozenset({"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"})


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path operator value`."""

    path: AttributePath
    operator: str
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Present:
    """`path pr`."""

    path: AttributePath


@dataclass(frozen=True, slots=True)
class And:
    """All of the terms."""

    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of the terms."""

    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Not the term."""

    term: Filter


@dataclass(frozen=True, slots=True)
class ValuePath:
    """`path[condition]`: one element of the attribute meets the whole condition."""

    path: AttributePath
    condition: Filter


Filter = Comparison | Present | And | Or | Not | ValuePath

_TOKEN = re.compile(r'\s*(?:(?P<mark>[()\[\]])|(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>[^\s()\[\]"]+))', re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_LITERALS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text.lower() in words


def parse_filter(text: str) -> Filter:
    """Read a filter.

    Raises:
        InvalidFilter: the text is no filter; the detail says at which character.
        TooMany: it is longer, deeper or has more terms than is reasonable.
    """
    parser = _Parser(text)
    tree = parser.disjunction()
    parser.expect_end()
    return tree


class _Parser:
    """Recursive descent over the tokens, as deep as `DEEPEST` and no deeper."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise TooMany(f"A filter has at most {LONGEST} characters.")
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0
        self._terms = 0

    def disjunction(self) -> Filter:
        terms = [self._conjunction()]
        while self._take_word("or"):
            terms.append(self._conjunction())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def expect_end(self) -> None:
        if self._peek().kind != "end":
            raise self._unexpected("`and`, `or` or the end")

    def _conjunction(self) -> Filter:
        terms = [self._term()]
        while self._take_word("and"):
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def _term(self) -> Filter:
        self._count()
        if self._peek().is_word("not") and self._peek(1).text == "(":
            self._next += 1
            return Not(self._bracketed("(", ")"))
        if self._peek().text == "(" and self._peek().kind == "mark":
            return self._bracketed("(", ")")
        return self._about_attribute()

    def _count(self) -> None:
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise TooMany(f"A filter has at most {MOST_TERMS} terms.")

    def _bracketed(self, opening: str, closing: str) -> Filter:
        self._take_mark(opening)
        self._depth += 1
        if self._depth > DEEPEST:
            raise TooMany(f"A filter is nested at most {DEEPEST} deep.")
        inside = self.disjunction()
        self._take_mark(closing)
        self._depth -= 1
        return inside

    def _about_attribute(self) -> Filter:
        path = self._attribute()
        if self._peek().text == "[" and self._peek().kind == "mark":
            return self._value_path(path)
        return self._compared(path)

    def _value_path(self, path: AttributePath) -> Filter:
        condition = self._bracketed("[", "]")
        behind = self._peek()
        if behind.kind == "word" and behind.text.startswith("."):
            self._next += 1
            sub = match_attribute(behind.text[1:])
            if sub is None or sub.sub is not None or sub.urn is not None:
                raise InvalidFilter(f"{behind.text!r} at character {behind.place} is no sub-attribute.")
            self._count()
            terms = condition.terms if isinstance(condition, And) else (condition,)
            return ValuePath(path, And((*terms, self._compared(sub))))
        return ValuePath(path, condition)

    def _compared(self, path: AttributePath) -> Filter:
        operator = self._peek()
        if operator.is_word("pr"):
            self._next += 1
            return Present(path)
        if not operator.is_word(*OPERATORS):
            raise self._unexpected("an operator (eq, ne, co, sw, ew, pr, gt, ge, lt, le)")
        self._next += 1
        return Comparison(path, operator.text.lower(), self._value())

    def _attribute(self) -> AttributePath:
        token = self._peek()
        path = match_attribute(token.text) if token.kind == "word" else None
        if path is None:
            raise self._unexpected("an attribute")
        self._next += 1
        return path

    def _value(self) -> str | int | float | bool | None:
        token = self._peek()
        if token.kind not in {"string", "word"}:
            raise self._unexpected("a value")
        self._next += 1
        return _string(token) if token.kind == "string" else _bare(token.text)

    def _take_word(self, word: str) -> bool:
        if self._peek().is_word(word):
            self._next += 1
            return True
        return False

    def _take_mark(self, mark: str) -> None:
        if self._peek().kind != "mark" or self._peek().text != mark:
            raise self._unexpected(f"`{mark}`")
        self._next += 1

    def _peek(self, ahead: int = 0) -> _Token:
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def _unexpected(self, wanted: str) -> InvalidFilter:
        token = self._peek()
        found = "the filter ends" if token.kind == "end" else f"there is {token.text[:50]!r}"
        return InvalidFilter(f"At character {token.place} {found} where {wanted} is expected.")


def _tokens(text: str) -> Iterator[_Token]:
    place, end = 0, len(text.rstrip())
    while place < end:
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            raise InvalidFilter(f"At character {place + 1} a string begins that does not end.")
        yield _Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup) + 1)
        place = found.end()
    yield _Token("end", "", end + 1)


def _string(token: _Token) -> str:
    try:
        value = json.loads(token.text, strict=False)
        value.encode()
    except ValueError:
        raise InvalidFilter(f"The string at character {token.place} is no JSON string.") from None
    if "\0" in value:
        raise InvalidFilter(f"The string at character {token.place} holds the character NUL.")
    return str(value)


def _bare(text: str) -> str | int | float | bool | None:
    if text.lower() in _LITERALS:
        return _LITERALS[text.lower()]
    if _NUMBER.fullmatch(text):
        return float(text) if set(text) & set(".eE") else int(text)
    return text


def to_text(tree: Filter) -> str:
    """The filter as canonical text."""
    match tree:
        case Comparison(path, operator, value):
            return f"{path} {operator} {_literal(value)}"
        case Present(path):
            return f"{path} pr"
        case And(terms):
            return " and ".join(_enclosed(term, And, Or) for term in terms)
        case Or(terms):
            return " or ".join(_enclosed(term, Or) for term in terms)
        case Not(term):
            return f"not ({to_text(term)})"
        case ValuePath(path, condition):
            return f"{path}[{to_text(condition)}]"


def _enclosed(term: Filter, *weaker: type[Any]) -> str:
    return f"({to_text(term)})" if isinstance(term, weaker) else to_text(term)


def _literal(value: str | float | bool | None) -> str:  # noqa: FBT001 - a value of the filter
    return json.dumps(value, ensure_ascii=False)


def paths(tree: Filter) -> Iterator[AttributePath]:
    """The attributes that a filter names; what stands within a value path belongs to the path's own."""
    match tree:
        case And(terms) | Or(terms):
            for term in terms:
                yield from paths(term)
        case Not(term):
            yield from paths(term)
        case Comparison(path) | Present(path) | ValuePath(path):
            yield path
