"""Who uses the service while it is struck: identity providers, admins and people, who write down what they did."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from provisioning.database import DatabaseFailure, transaction
from provisioning.directory import workspaces
from tests.conftest import GROUP_URN, PATCH_URN, TEST, USER_URN
from tests.faults.asking import Answer, Client, Prober, check, use
from tests.faults.checker import Change, Life, Span
from tests.faults.company import Company
from tests.faults.whole import Whole
from tests.waiting import eventually
from tests.web.tokens import OWNER

_PEOPLE = 12
# What the workspace's own applications are told of somebody who is no active member any more.
_SUSPENDED = frozenset({"suspended", "unknown"})
_FLIPPED = frozenset({"revoked_hipaa_change"})


@dataclass
class Load:
    """One company's programs; each runs in a thread of its own until it is told to end.

    Args:
        whole: the service.
        company: theirs.
        prober: is told of every session and token, and writes the history.
        seed: what they do, in which order.
    """

    whole: Whole
    company: Company
    prober: Prober
    seed: int
    people: list[str] = field(default_factory=list)
    group: str = ""
    # For each person, whether they may be in the group at the end: what was acknowledged last, and all that may be.
    memberships: dict[str, set[bool]] = field(default_factory=lambda: defaultdict(lambda: {False}))
    client: Client = field(default_factory=Client)
    operations: int = 0
    # Whether the workspace is HIPAA-eligible, as far as that was acknowledged.
    eligible: bool | None = False

    def settle(self) -> None:
        """Push people and a group, as long as nothing strikes yet."""
        for number in range(_PEOPLE):
            body = {"schemas": [USER_URN], "userName": f"{number}@{self.company.slug}.example", "active": True}
            self.people.append(self._scim("POST", "/Users", body).body["id"])
        self.group = self._scim("POST", "/Groups", {"schemas": [GROUP_URN], "displayName": "staff"}).body["id"]

    def programs(self) -> list[Callable[[random.Random], None]]:
        """What each of the company's programs does, again and again."""
        return [self._provision, self._sign_in, self._administer]

    def go_on(self, program: Callable[[random.Random], None], over: threading.Event) -> None:
        """One program, until the end."""
        chance = random.Random(f"{self.seed} {program.__name__}")  # noqa: S311 - to be repeated
        while not over.wait(chance.uniform(0.0, 0.1)):
            program(chance)
            self.operations += 1

    def _provision(self, chance: random.Random) -> None:
        person = chance.choice(self.people)
        deed = chance.choice((self._add, self._add, self._remove, self._suspend))
        deed(person)

    def _add(self, person: str) -> None:
        self._change_group(person, {"op": "add", "path": "members", "value": [{"value": person}]}, there=True)

    def _remove(self, person: str) -> None:
        self._change_group(person, {"op": "remove", "path": f'members[value eq "{person}"]'}, there=False)

    def _change_group(self, person: str, operation: dict[str, Any], *, there: bool) -> None:
        answer = self._patch(f"/Groups/{self.group}", operation)
        if answer.is_done:
            self.memberships[person] = {there}
        elif answer.is_unknown:
            self.memberships[person].add(there)

    def _suspend(self, person: str) -> None:
        """And bring them back, until that is acknowledged: for somebody has to be there to sign in."""
        answer = self._patch(f"/Users/{person}", {"op": "replace", "path": "active", "value": False})
        self._note(f"person:{person}", answer, _SUSPENDED)
        back = {"op": "replace", "path": "active", "value": True}
        begun = time.monotonic()
        eventually(lambda: self._patch(f"/Users/{person}", back).is_done, within=120, every=0.2)
        # Whoever returns to a workspace that is HIPAA-eligible loses the sessions from before.
        may_be = Change(f"person:{person}", Span(begun, time.monotonic()), _SUSPENDED | _FLIPPED, certain=False)
        self.prober.history.changes.append(may_be)

    def _sign_in(self, chance: random.Random) -> None:
        person = chance.choice(self.people)
        email = f"{self.people.index(person)}@{self.company.slug}.example"
        answer = self._api("POST", "/sessions", {"email": email})
        if not answer.is_done:
            return
        begun = answer.body["data"]["session"]
        scopes = frozenset({f"session:{begun['id']}", f"person:{person}", f"workspace:{self.company.slug}"})
        text, company = begun["token"], self.company
        self.prober.watch(Life(text, scopes, answer.span), lambda client, url: check(client, url, company, text))
        if chance.random() < 0.3:
            ended = self._api("DELETE", f"/sessions/{begun['id']}")
            self._note(f"session:{begun['id']}", ended, frozenset({"revoked"}))

    def _administer(self, chance: random.Random) -> None:
        if chance.random() < 0.2:
            self._flip()
            return
        answer = self._api("POST", "/tokens", {"name": "t", "permissions": OWNER})
        if not answer.is_done:
            return
        made = answer.body["data"]["token"]
        text = made["secret"]
        self.prober.watch(Life(text, frozenset({text}), answer.span), lambda client, url: use(client, url, text))
        if chance.random() < 0.7:
            self._note(text, self._api("DELETE", f"/tokens/{made['id']}"), frozenset({"ended"}))

    def _flip(self) -> None:
        """On or off, as the operator does; it ends what was begun before, unless it was so already."""
        to, acknowledged, begun = not self.eligible, True, time.monotonic()
        try:
            with transaction() as connection:
                workspaces.set_hipaa_eligible(connection, slug=self.company.slug, eligible=to, by=TEST)
        except DatabaseFailure:
            acknowledged = False
        span = Span(begun, time.monotonic()) if acknowledged else Span(begun)
        certain = acknowledged and self.eligible is not None
        self.prober.history.changes.append(Change(f"workspace:{self.company.slug}", span, _FLIPPED, certain=certain))
        self.eligible = to if acknowledged else None

    def _note(self, scope: str, answer: Answer, reasons: frozenset[str]) -> None:
        if answer.is_done or answer.is_unknown:
            span = answer.span if answer.is_done else Span(answer.span.begun)
            self.prober.history.changes.append(Change(scope, span, reasons))

    def _patch(self, path: str, operation: dict[str, Any]) -> Answer:
        return self._scim("PATCH", path, {"schemas": [PATCH_URN], "Operations": [operation]})

    def _scim(self, method: str, path: str, body: Any) -> Answer:
        return self._ask(method, f"/scim/v2{path}", self.company.scim, body)

    def _api(self, method: str, path: str, body: Any = None) -> Answer:
        return self._ask(method, f"/api{path}", self.company.api, body)

    def _ask(self, method: str, path: str, headers: Any, body: Any) -> Answer:
        return self.client.ask(method, f"{random.choice(self.whole.webs)}{path}", headers, body)  # noqa: S311
