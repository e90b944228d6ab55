"""Checks a chain from its first seal to its last: what was changed, is missing, was put in, and where.

Everything is computed anew from the facts themselves, some thousands at a time. After a bad seal the check goes on
with what the table says, so that one deed is one trouble.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, tuple_, union
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning.audit import canonical, signatures
from provisioning.audit.models import NOWHERE, Head, Seal, of_chain
from provisioning.audit.seals import FACT
from provisioning.audit.signatures import Known
from provisioning.directory.models import Workspace
from provisioning.outbox import Event

_SEALS_AT_ONCE, _FACTS_AT_ONCE = 20, 5000
# So many are told; all are counted.
MOST_TOLD = 1000
_LOWEST = -(2**63)
# An index has the facts in the order of seals; without fresh statistics PostgreSQL would sort them for every stretch.
_IN_ORDER_OF_THE_INDEX = text(
    "SELECT set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)"
)
_SEQ, _ID = canonical.FIELDS.index("seq"), canonical.FIELDS.index("id")
_NUMBER = len(canonical.FIELDS)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is not as it was sealed.

    Args:
        what: in words.
        seal: where.
        seq: which fact, where it is one.
        event_id: its id, where it is there to be asked.
    """

    what: str
    seal: int | None = None
    seq: int | None = None
    event_id: UUID | None = None


@dataclass(slots=True)
class Verdict:
    """What a check found; facts that aren't sealed yet are counted, and prove nothing."""

    chain: UUID
    seals: int = 0
    facts: int = 0
    dropped: int = 0
    unsealed: int = 0
    unsealed_since: datetime | None = None
    trouble_count: int = 0
    troubles: list[Trouble] = field(default_factory=list)
    last_hash: str | None = None

    def find(self, trouble: Trouble) -> None:
        """Count a trouble, and keep it if there are not too many."""
        self.trouble_count += 1
        if len(self.troubles) < MOST_TOLD:
            self.troubles.append(trouble)


@dataclass(frozen=True, slots=True)
class Milestone:
    """How far a check has come that goes on later.

    Args:
        number: of the last seal that was checked.
        hash: of that seal, in hexadecimal.
        seals: how many were checked.
        facts: how many were checked.
        dropped: how many retention has dropped.
        trouble_count: how many troubles there were.
    """

    number: int
    hash: str
    seals: int
    facts: int
    dropped: int
    trouble_count: int


def chains(connection: Connection) -> Sequence[UUID]:
    """All chains: what has a seal, a head or a fact, and every workspace, for each has at least its beginning."""
    sources = (Seal.workspace_id, Head.workspace_id, Workspace.id, func.coalesce(Event.workspace_id, NOWHERE))
    return connection.execute(union(*(select(source) for source in sources))).scalars().all()


def verify(connection: Connection, *, chain: UUID, known: Known, anchors: Mapping[int, str] | None = None) -> Verdict:
    """Check one chain.

    Args:
        connection: all of whose statements see the same moment.
        chain: of a workspace, or `NOWHERE`.
        known: whose signatures are believed.
        anchors: hashes of seals that were noted outside of the database, by number.
    """
    connection.execute(_IN_ORDER_OF_THE_INDEX)
    walk = _Walk(connection, Verdict(chain), known, dict(anchors or {}))
    walk.seals()
    walk.end()
    return walk.verdict


def check_on(
    connection: Connection, *, chain: UUID, known: Known, since: Milestone | None, in_time: Callable[[], bool]
) -> tuple[Verdict, Milestone | None]:
    """Check a chain for a while, a seal at a time, from its beginning or from where an earlier check has stopped.

    Args:
        connection: all of whose statements see the same moment.
        chain: of a workspace, or `NOWHERE`.
        known: whose signatures are believed.
        since: where to go on, as it was told; whoever keeps it must keep others from changing it.
        in_time: whether to go on with the next seal; the first one is checked in any case.

    Returns:
        What was found from the beginning on, with the troubles of this while; and where to go on, None at the end.
    """
    connection.execute(_IN_ORDER_OF_THE_INDEX)
    counted = None if since is None else (since.seals, since.facts, since.dropped)
    verdict = Verdict(chain, *(counted or ()))
    walk = _Walk(connection, verdict, known, {})
    if since is not None:
        verdict.trouble_count = since.trouble_count
        walk.begin_behind(since)
    if walk.seals(at_once=1, in_time=in_time):
        walk.end()
        return verdict, None
    return verdict, walk.milestone()


def _always() -> bool:
    return True


class _Walk:
    """The way along one chain."""

    def __init__(self, connection: Connection, verdict: Verdict, known: Known, anchors: dict[int, str]) -> None:
        self._connection, self.verdict, self._known, self._anchors = connection, verdict, known, anchors
        self._number, self._hash = 0, canonical.NOTHING_BEFORE

        self._after = _LOWEST

    def begin_behind(self, since: Milestone) -> None:
        self._number, self._hash, self._after = since.number, bytes.fromhex(since.hash), since.number

    def milestone(self) -> Milestone:
        found = self.verdict
        counts = (found.seals, found.facts, found.dropped, found.trouble_count)
        return Milestone(self._number, self._hash.hex(), *counts)

    def seals(self, *, at_once: int = _SEALS_AT_ONCE, in_time: Callable[[], bool] = _always) -> bool:
        """Whether it came to the end of the chain in time."""
        after = self._after
        while some := _seals(self._connection, self.verdict.chain, after, at_once):
            last = some[-1].number
            stretches = groupby(_facts(self._connection, self.verdict.chain, after, last), key=itemgetter(_NUMBER))
            self._along(some, stretches)
            after = last
            if not in_time():
                return False
        for _number, facts in groupby(
            _facts(self._connection, self.verdict.chain, after, None), key=itemgetter(_NUMBER)
        ):
            self._strays(facts)
        return True

    def _along(self, seals: Sequence[Any], stretches: Iterator[tuple[int, Iterator[Any]]]) -> None:
        """Both sides are in the order of numbers; the facts of a seal stand before the next stretch is asked for."""
        number, facts = next(stretches, (None, iter(())))
        for seal in seals:
            while number is not None and number < seal.number:
                self._strays(facts)
                number, facts = next(stretches, (None, iter(())))
            mine = number == seal.number
            self._seal(seal)
            self._contents(seal, facts if mine else iter(()))
            if mine:
                number, facts = next(stretches, (None, iter(())))

    def _strays(self, facts: Iterator[Any]) -> None:
        for fact in facts:
            self._find("is said to be under a seal that is not there", fact[_NUMBER], fact)

    def _seal(self, seal: Any) -> None:
        """The seal itself: its place, its link, its hash, its signature."""
        self.verdict.seals += 1
        if seal.number != self._number + 1:
            self._gap(self._number + 1, seal.number - 1)
        elif seal.previous != self._hash:
            self._find("the seal does not follow from the one before it", seal.number)
        header = {name: getattr(seal, name) for name in canonical.HEADER}
        hashed = canonical.hash_of(header, previous=seal.previous, rows=seal.rows)
        if hashed != seal.hash:
            self._find("the seal was changed", seal.number)
        elif not self._known.say(seal.signature, signatures.SEAL, self._claims(seal)):
            self._find("the seal is not signed by the service", seal.number)
        if self._anchors.pop(seal.number, seal.hash.hex()) != seal.hash.hex():
            self._find("the seal is not the one that was noted outside", seal.number)
        self._number, self._hash = seal.number, seal.hash

    def _gap(self, first: int, last: int) -> None:
        if last < first:
            self._find("the seal was put in", last + 1)
        elif first == last:
            self._find("the seal is missing", first)
        else:
            self._find(f"the seals from here to {last} are missing", first)

    def _contents(self, seal: Any, facts: Iterator[Any]) -> None:
        expected = {} if self._dropped(seal) else dict(canonical.unpack(seal.rows))
        for fact in facts:
            self.verdict.facts += 1
            hashed = expected.pop(fact[_SEQ], None)
            if hashed is None:
                self._find("was put in", seal.number, fact)
            elif hashed != canonical.digest(fact[:_NUMBER]):
                self._find("was changed", seal.number, fact)
        for seq in expected:
            self.verdict.find(Trouble("is missing", seal.number, seq))

    def _dropped(self, seal: Any) -> bool:
        """Whether the service itself says that retention dropped what was sealed."""
        if seal.dropped is None:
            return False
        if not self._known.say(seal.dropped, signatures.DROP, self._claims(seal)):
            self._find("it is not the service that says that retention dropped the facts", seal.number)
            return False
        self.verdict.dropped += seal.count
        return True

    def _claims(self, seal: Any) -> dict[str, Any]:
        return signatures.claims(self.verdict.chain, seal.number, seal.hash)

    def end(self) -> None:
        """Where the chain ends: as its head says, and not before what was noted outside."""
        self._head()
        for number in sorted(self._anchors):
            self._find("the seal that was noted outside is not there", number)
        tail = select(func.count(), func.min(Event.occurred_at))
        of_tail = of_chain(self.verdict.chain) & Event.seal_number.is_(None)
        self.verdict.unsealed, self.verdict.unsealed_since = self._connection.execute(tail.where(of_tail)).one()
        if self.verdict.seals:
            self.verdict.last_hash = self._hash.hex()
        elif not self.verdict.unsealed and not self.verdict.trouble_count and self.verdict.chain != NOWHERE:
            self._find("no fact and no seal of the workspace is there, not even of its beginning")

    def _head(self) -> None:
        wanted = select(Head.signature).where(Head.workspace_id == self.verdict.chain)
        signature = self._connection.execute(wanted).scalar_one_or_none()
        if signature is None:
            if self.verdict.seals:
                self._find("the head of the chain is missing, which tells its last seal", self._number)
            return
        told = self._known.told(signature, signatures.HEAD) or {}
        if told.get("chain") != str(self.verdict.chain) or not isinstance(told.get("number"), int):
            self._find("the head of the chain is not signed by the service", self._number)
        elif told["number"] > self._number:
            self._gap(self._number + 1, told["number"])
        elif told != signatures.claims(self.verdict.chain, self._number, self._hash):
            self._find("the head of the chain names another seal as the last one", self._number)

    def _find(self, what: str, seal: int | None = None, fact: Any = None) -> None:
        seq, identifier = (None, None) if fact is None else (fact[_SEQ], fact[_ID])
        self.verdict.find(Trouble(what, seal, seq, identifier))


def _seals(connection: Connection, chain: UUID, after: int, most: int) -> Sequence[Any]:
    wanted = select(*Seal.__table__.columns).where(Seal.workspace_id == chain, Seal.number > after)
    return connection.execute(wanted.order_by(Seal.number).limit(most)).all()


def _facts(connection: Connection, chain: UUID, after: int, up_to: int | None) -> Iterator[Any]:
    """The facts of a stretch of seals, in the order of seals and within one of `seq`; some thousands in memory."""
    wanted = select(*FACT, Event.seal_number).where(of_chain(chain), Event.seal_number.is_not(None))
    if up_to is not None:
        wanted = wanted.where(Event.seal_number <= up_to)
    wanted = wanted.order_by(Event.seal_number, Event.seq).limit(_FACTS_AT_ONCE)
    place = (after, 2**63 - 1)
    while True:
        here = tuple_(Event.seal_number, Event.seq) > tuple_(*place)
        rows = connection.execute(wanted.where(here)).all()
        yield from rows
        if len(rows) < _FACTS_AT_ONCE:
            return
        place = (rows[-1][_NUMBER], rows[-1][_SEQ])


@dataclass(frozen=True, slots=True)
class End:
    """The last seal of a chain."""

    chain: UUID
    number: int
    hash: str


def ends(connection: Connection) -> Sequence[End]:
    """The last seal of each chain: noted outside of the database, it proves that nothing before it was cut off."""
    last = select(Seal.workspace_id, Seal.number, Seal.hash).ext(distinct_on(Seal.workspace_id))
    rows = connection.execute(last.order_by(Seal.workspace_id, Seal.number.desc()))
    return [End(row.workspace_id, row.number, row.hash.hex()) for row in rows]
