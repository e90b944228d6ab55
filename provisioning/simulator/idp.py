"""What all identity providers have in common: who is known by which id, look-ups, and the last look."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, TypeVar

import orjson

from provisioning.simulator.client import GROUP_URN, Client
from provisioning.simulator.company import Changes, Person, State, Team, flattened
from provisioning.simulator.report import Report

T = TypeVar("T")
_PAGE = 100


class IdentityProvider(ABC):
    """One identity provider: an implementation says what it sends, and in which order.

    Args:
        client: sends its requests.
        report: takes up what is wrong with the outcome.
        company: the people and teams, before and after a day.
        concurrency: how many requests it has under way at once.
    """

    name: ClassVar[str]
    # How its admins have set it up, where that changes what it sends; None for what most of them have.
    variant: ClassVar[str | None] = None
    headers: ClassVar[Mapping[str, str]]
    # Whether the people in a group's groups are sent as its members; else these are only the people directly in it.
    flattens: ClassVar[bool] = False

    def __init__(self, client: Client, report: Report, company: Changes, *, concurrency: int) -> None:
        self.client = client
        self.report = report
        self.company = flattened(company) if self.flattens else company
        self.concurrency = concurrency
        self.user_ids: dict[int, str] = {}
        self.group_ids: dict[int, str] = {}

    @classmethod
    def label(cls) -> str:
        """Its name, with its variant."""
        return cls.name if cls.variant is None else f"{cls.name}-{cls.variant}"

    @abstractmethod
    def connection_test(self) -> None:
        """What the button in its console sends."""

    @abstractmethod
    def push_person(self, number: int, person: Person) -> None:
        """The full cycle for one person: find, then create or bring up to date."""

    @abstractmethod
    def push_team(self, number: int, team: Team, *, also_called: str | None) -> None:
        """The full cycle for one team; it may be there under its later name from an earlier run."""

    @abstractmethod
    def incremental(self) -> None:
        """A day's changes."""

    @abstractmethod
    def user(self, person: Person) -> dict[str, Any]:
        """A person as this identity provider writes them."""

    def kept(self, person: Person) -> dict[str, Any]:
        """A person as they are to come back."""
        return self.user(person)

    def after_the_day(self) -> State:
        """What must be there in the end."""
        return self.company.after

    def known(self, numbers: Iterable[int]) -> list[int]:
        """Those of the people who could be created; that others could not has been told already."""
        return [number for number in sorted(numbers) if number in self.user_ids]

    def full(self) -> None:
        """The first cycle: everybody, then every team."""
        before, after = self.company.before, self.company.after
        self.each(before.people.items(), lambda item: self.push_person(*item))
        later = {number: team.name for number, team in after.teams.items() if team.name != before.teams[number].name}
        self.each(before.teams.items(), lambda item: self.push_team(*item, also_called=later.get(item[0])))

    def each(self, items: Iterable[T], do: Callable[[T], None]) -> None:
        """Do something for each, as many at once as this identity provider does."""
        with ThreadPoolExecutor(self.concurrency) as pool:
            list(pool.map(do, items))

    def look_up(self, operation: str, path: str, condition: str, **params: str) -> dict[str, Any] | None:
        """Find one resource by a filter; several are a violation, none is none."""

        def one_at_most(document: Any) -> str | None:
            return "several match" if document["totalResults"] > 1 else None

        found = self.client.send(
            operation, "GET", path, expect=(200,), params={"filter": condition, **params}, check=one_at_most
        )
        return found["Resources"][0] if found and found["Resources"] else None

    def members(self, numbers: Iterable[int]) -> list[dict[str, Any]]:
        """People as members of a group; those who are not known at the other end are left out."""
        return [{"value": self.user_ids[number]} for number in self.known(numbers)]

    def as_sent(self, person: Person) -> Callable[[Any], str | None]:
        """A check that a User came back as it was sent: whatever differs is sent again in the next cycle, for ever."""
        expected = self.kept(person)

        def check(document: Any) -> str | None:
            for name in ("userName", "externalId", "displayName", "active", "title"):
                if name in expected and document.get(name) != expected[name]:
                    return f"{name} came back as {document.get(name)!r}, and was {expected[name]!r}"
            sent, came = expected["name"], document.get("name", {})
            wrong = [part for part in ("givenName", "familyName") if came.get(part) != sent[part]]
            return f"name.{wrong[0]} came back as {came.get(wrong[0])!r}" if wrong else None

        return check

    def verify(self, state: State) -> None:
        """The last look: page through everybody and read every team, and compare with what must be there."""
        found = {resource["id"]: resource for resource in self.everybody()}
        for number, person in state.people.items():
            resource = found.get(self.user_ids.get(number, ""))
            wrong = "is missing" if resource is None else self.as_sent(person)(resource)
            if wrong:
                self.report.find(f"at the end: {person.user_name}: {wrong}")
        self.each(state.teams.items(), lambda item: self._verify_team(*item))

    def everybody(self) -> list[dict[str, Any]]:
        """Page through all Users."""
        everybody: list[dict[str, Any]] = []
        while True:
            params = {"startIndex": str(len(everybody) + 1), "count": str(_PAGE)}
            page = self.client.send("import page", "GET", "/Users", expect=(200,), params=params)
            everybody += page["Resources"] if page else []
            total = page["totalResults"] if page else len(everybody) + 1
            if len(everybody) >= total:
                return everybody
            if not page or not page["Resources"]:
                self.report.find(f"at the end: the import stopped after {len(everybody)} of {total} people")
                return everybody

    def takes_out(self, others: set[str]) -> set[str]:
        """Which members of a group it takes out, of those whom it doesn't count among them: all."""
        return others

    def _verify_team(self, number: int, team: Team) -> None:
        identifier = self.group_ids.get(number)
        if identifier is None:
            self.report.find(f"at the end: the group {team.name} was never created")
            return
        wanted = {member["value"] for member in self.members(team.members)}

        def same(document: Any) -> str | None:
            there = {member["value"] for member in document.get("members", [])}
            if document.get("displayName") != team.name:
                return f"displayName is {document.get('displayName')!r}, and was {team.name!r}"
            missing, too_many = wanted - there, self.takes_out(there - wanted)
            if missing or too_many:
                return f"{len(missing)} members are missing, and {len(too_many)} are too many"
            return None

        self.client.send("group read", "GET", f"/Groups/{identifier}", expect=(200,), check=same)


def quoted(text: str) -> str:
    """A text as a filter's string (RFC 7644, section 3.4.2.2: a JSON string)."""
    return orjson.dumps(text).decode()


def new_group(team: Team) -> dict[str, Any]:
    """The least that a Group is created with."""
    return {"schemas": [GROUP_URN], "displayName": team.name}
