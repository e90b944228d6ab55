"""Proposals: a mapping gives ownership when two have said so, and until then it is and gives what it was and gave.

Who asks and who confirms are two owners who were appointed, each by a token that nobody else knows, or one such owner
and the operator. Ownership that comes of a mapping gives no such word: it would let itself be widened by whoever
administers a group at the identity provider.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, Update, case, cast, func, insert, select, update
from sqlalchemy.engine import Connection

from provisioning import entropy, outbox
from provisioning.access import mappings
from provisioning.access.drafts import Draft, Rule
from provisioning.access.events import MappingConfirmed, MappingDeclined, MappingProposalExpired, MappingProposed
from provisioning.access.mappings import MappingView
from provisioning.access.models import MappingProposal, MappingRow
from provisioning.access.policies import Giver, Terms
from provisioning.directory import roster
from provisioning.directory.models import Member
from provisioning.directory.paging import Page, Sorting, Window, fetch
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, Invalid, NotAllowed, NotFound

OPEN, CONFIRMED, DECLINED, EXPIRED = "open", "confirmed", "declined", "expired"
STATES = (OPEN, CONFIRMED, DECLINED, EXPIRED)
LIFETIME = timedelta(days=7)
MOST_OPEN = 50
_LONGEST_ANSWER = 500


@dataclass(frozen=True, slots=True)
class ProposalView:
    """What somebody wants a mapping to be, and what became of it."""

    id: UUID
    mapping_id: UUID
    mapping: str
    # The owner who asks, and what people call them; none: the operator.
    asker_id: UUID | None
    asker: str | None
    version: int
    was: Draft
    wanted: Draft
    state: str
    created_at: datetime
    expires_at: datetime
    settled_at: datetime | None
    answer: str | None


_IS_OVER = (MappingProposal.state == OPEN) & (MappingProposal.expires_at <= func.clock_timestamp())
# Whether or not anybody has written down that its time is over.
_STATE: ColumnElement[str] = cast(case((_IS_OVER, EXPIRED), else_=MappingProposal.state), Text)
_OF = (MappingRow.workspace_id == MappingProposal.workspace_id) & (MappingRow.id == MappingProposal.mapping_id)
_ASKER = (Member.workspace_id == MappingProposal.workspace_id) & (Member.id == MappingProposal.asker_id)
_VIEW = (
    select(
        MappingProposal.id,
        MappingProposal.mapping_id,
        MappingRow.name,
        MappingProposal.asker_id,
        func.coalesce(Member.display_name, Member.user_name),
        MappingProposal.version,
        MappingProposal.was,
        MappingProposal.wanted,
        _STATE,
        MappingProposal.created_at,
        MappingProposal.expires_at,
        MappingProposal.settled_at,
        MappingProposal.answer,
    )
    .join(MappingRow, _OF)
    .outerjoin(Member, _ASKER)
)
_NEWEST_FIRST = Sorting(MappingProposal.id.expression, descending=True, never_none=True)


def _view(row: Sequence[Any]) -> ProposalView:
    found = ProposalView(*row)
    return replace(found, was=Draft.from_json(row[6]), wanted=Draft.from_json(row[7]))


def create(
    connection: Connection, *, workspace_id: UUID, name: str, rule: Rule, terms: Sequence[Terms], giver: Giver
) -> MappingView:
    """Write a mapping; one that would give ownership is written switched off, and to switch it on is what waits.

    Raises:
        Invalid: the rule or a policy can't be, or the operator lets no mapping give ownership.
        NotAllowed: the giver doesn't have what it would give, or is no owner in person.
        Conflict: there are too many.
    """
    wanted = Draft(name, rule, enabled=True, terms=tuple(terms))
    waits = wanted.ownership is not None and _takes_two(connection, workspace_id, wanted)
    if waits:
        _require_owner(connection, workspace_id, giver)
    made = mappings.create(
        connection, workspace_id=workspace_id, name=name, rule=rule, terms=terms, giver=giver, enabled=not waits
    )
    if not waits:
        return made
    return _propose(connection, workspace_id, made, replace(made.draft, enabled=True), giver)


def change(
    connection: Connection,
    *,
    workspace_id: UUID,
    mapping_id: UUID,
    name: str | None = None,
    rule: Rule | None = None,
    enabled: bool | None = None,
    terms: Sequence[Terms] | None = None,
    giver: Giver,
) -> MappingView:
    """Change a mapping; what would give more ownership than was confirmed waits, all of it, and nothing is changed yet.

    Raises:
        NotFound: the workspace has none of this id.
        Invalid: the rule or a policy can't be, or the operator lets no mapping give ownership.
        NotAllowed: the giver doesn't have what it would give, or is no owner in person.
        Conflict: too much waits already.
    """
    before = mappings.lock(connection, workspace_id=workspace_id, mapping_id=mapping_id)
    wanted = mappings.drafted(
        connection, workspace_id=workspace_id, before=before, name=name, rule=rule, enabled=enabled, terms=terms
    )
    only_named = rule is None and enabled is None and terms is None
    widens = wanted.ownership is not None if not before.owners_confirmed else wanted.widens(before.draft)
    if only_named or not widens or not _takes_two(connection, workspace_id, wanted):
        return mappings.write(connection, workspace_id=workspace_id, before=before, wanted=wanted, giver=giver)
    _require_owner(connection, workspace_id, giver)
    return _propose(connection, workspace_id, before, wanted, giver)


def _takes_two(connection: Connection, workspace_id: UUID, wanted: Draft) -> bool:
    """Whether what would give ownership waits; names of groups give none where the operator doesn't let them.

    Raises:
        Invalid: it names ownership where the operator doesn't let it.
    """
    if mappings.may_give_ownership(connection, workspace_id=workspace_id):
        return True
    if not wanted.rule.names_owners:
        raise Invalid("Ownership is not given by mappings in this workspace: the operator can allow it.", field="role")
    return False


def _word_of(giver: Giver) -> UUID | None:
    """The member whose word it is; None for the operator's.

    Raises:
        NotAllowed: it is certainly nobody's.
    """
    if giver.facts is not None and giver.person is None:
        raise NotAllowed(
            "Ownership by a mapping takes the word of two owners in person: ask with a token that you made for"
            " yourself, or that the operator made for you.",
            action="mapping.confirm",
        )
    return giver.person


def _require_owner(connection: Connection, workspace_id: UUID, giver: Giver) -> None:
    if _word_of(giver) not in _standing(connection, workspace_id, {giver.person}):
        raise NotAllowed(
            "Only owners who were appointed let mappings give ownership, or ask for it.", action="mapping.confirm"
        )


def _standing(connection: Connection, workspace_id: UUID, ids: Collection[UUID | None]) -> frozenset[UUID | None]:
    """Those whose word counts: active owners by appointment, held in the order of their ids, and the operator."""
    wanted = sorted(one for one in ids if one is not None)
    held = [roster.lock(connection, workspace_id=workspace_id, member_id=one) for one in wanted]
    return frozenset({None, *(member.id for member in held if member.owner and member.active)})


def _propose(
    connection: Connection, workspace_id: UUID, before: MappingView, wanted: Draft, giver: Giver
) -> MappingView:
    """Have a change of a locked mapping wait; what the same one asks again is what waits already."""
    _rehearse(connection, workspace_id, before, wanted, giver)
    what = (before.id, before.version, wanted.as_json(), giver.person)
    waiting = select(
        MappingProposal.id,
        MappingProposal.mapping_id,
        MappingProposal.version,
        MappingProposal.wanted,
        MappingProposal.asker_id,
    ).where(MappingProposal.workspace_id == workspace_id, _STATE == OPEN)
    there = {row[0]: tuple(row[1:]) for row in connection.execute(waiting)}
    same = next((proposal_id for proposal_id, said in there.items() if said == what), None)
    if same is not None:
        return replace(before, waiting=same)
    if len(there) >= MOST_OPEN:
        raise Conflict(f"At most {MOST_OPEN} changes of mappings wait for a second owner.", field="policies")
    proposal_id = entropy.new_id()
    new = insert(MappingProposal).values(
        id=proposal_id,
        workspace_id=workspace_id,
        mapping_id=before.id,
        asker_id=giver.person,
        version=before.version,
        was=before.draft.as_json(),
        wanted=wanted.as_json(),
        state=OPEN,
        expires_at=func.clock_timestamp() + LIFETIME,
    )
    fact = MappingProposed(proposal_id=proposal_id, mapping_id=before.id, rule=str(wanted.rule), asker_id=giver.person)
    connection.execute(outbox.together(connection, new, fact, workspace_id=workspace_id, by=giver.by))
    return replace(before, waiting=proposal_id)


def _rehearse(connection: Connection, workspace_id: UUID, before: MappingView, wanted: Draft, giver: Giver) -> None:
    """Do it and take it back: what could not be done is not asked for."""
    with connection.begin_nested() as attempt:
        mappings.write(connection, workspace_id=workspace_id, before=before, wanted=wanted, giver=giver)
        attempt.rollback()


def told(connection: Connection, *, workspace_id: UUID, found: Sequence[MappingView]) -> list[MappingView]:
    """Mappings, each with the newest change of it that waits."""
    wanted = select(MappingProposal.mapping_id, MappingProposal.version, MappingProposal.id).where(
        MappingProposal.workspace_id == workspace_id,
        MappingProposal.mapping_id.in_([one.id for one in found]),
        _STATE == OPEN,
    )
    rows = connection.execute(wanted.order_by(MappingProposal.id)) if found else ()
    # Of another version than the mapping has by now, nothing can be confirmed.
    waiting: Mapping[tuple[UUID, int], UUID] = {(row[0], row[1]): row[2] for row in rows}
    return [replace(one, waiting=waiting.get((one.id, one.version))) for one in found]


def some(connection: Connection, *, workspace_id: UUID, window: Window, state: str | None = None) -> Page[ProposalView]:
    """Some of the workspace's proposals, newest first, and how many there are.

    Args:
        connection: to read with.
        workspace_id: where.
        window: which part of the list.
        state: only those that are in this state at this moment.
    """
    wanted = _VIEW.where(MappingProposal.workspace_id == workspace_id)
    if state is not None:
        wanted = wanted.where(_STATE.in_([state]))
    identifier = MappingProposal.id
    return fetch(connection, wanted, identifier=identifier, window=window, sorting=_NEWEST_FIRST, read=_view)


def by_id(connection: Connection, *, workspace_id: UUID, proposal_id: UUID, view: Any = _VIEW) -> ProposalView:
    """The workspace's proposal of this id.

    Raises:
        NotFound: it has none.
    """
    here = (MappingProposal.workspace_id == workspace_id, MappingProposal.id == proposal_id)
    row = connection.execute(view.where(*here)).one_or_none()
    if row is None:
        raise NotFound("There is no such change of a mapping in this workspace.")
    return _view(row)


def _lock(connection: Connection, workspace_id: UUID, proposal_id: UUID) -> ProposalView:
    """An open proposal, held against every other answer."""
    held = _VIEW.with_for_update(of=MappingProposal)
    found = by_id(connection, workspace_id=workspace_id, proposal_id=proposal_id, view=held)
    if found.state != OPEN:
        raise Conflict(f"This waits for nobody any more: it is {found.state}.", field="state")
    return found


def confirm(connection: Connection, *, workspace_id: UUID, proposal_id: UUID, giver: Giver) -> ProposalView:
    """Make the mapping what it is to be, as the second one who says so.

    Args:
        connection: in a transaction.
        workspace_id: where.
        proposal_id: what is confirmed.
        giver: who confirms.

    Raises:
        NotFound: the workspace has no such proposal.
        Conflict: it waits no more, the mapping is another by now, or the one who asked is an owner no more.
        NotAllowed: the one who confirms is the one who asked, or is no owner in person.
        Invalid: it can't be any more.
    """
    found = _lock(connection, workspace_id, proposal_id)
    if _word_of(giver) == found.asker_id:
        raise NotAllowed("Somebody else than the one who asked confirms this.", action="mapping.confirm")
    before = mappings.lock(connection, workspace_id=workspace_id, mapping_id=found.mapping_id)
    standing = _standing(connection, workspace_id, {giver.person, found.asker_id})
    if giver.person not in standing:
        raise NotAllowed("Only owners who were appointed let mappings give ownership.", action="mapping.confirm")
    if found.asker_id not in standing:
        raise Conflict("Who asked for this is an active owner no more: ask for it again.", field="asker")
    if (before.version, before.draft.as_json()) != (found.version, found.was.as_json()):
        raise Conflict("The mapping has changed since this was asked for: ask for it again.", field="mapping")
    mappings.write(
        connection, workspace_id=workspace_id, before=before, wanted=found.wanted, giver=giver, confirmed=True
    )
    fact = MappingConfirmed(**_about(found), second_id=giver.person)
    change = _settling(workspace_id, proposal_id, CONFIRMED)
    connection.execute(outbox.together(connection, change, fact, workspace_id=workspace_id, by=giver.by))
    return by_id(connection, workspace_id=workspace_id, proposal_id=proposal_id)


def foresee(connection: Connection, *, workspace_id: UUID, mapping: MappingView, giver: Giver) -> None:
    """Do what waits as if it were confirmed: on a connection that is rolled back, for a preview, and nowhere else."""
    if mapping.waiting is not None:
        found = by_id(connection, workspace_id=workspace_id, proposal_id=mapping.waiting)
        before = mappings.lock(connection, workspace_id=workspace_id, mapping_id=mapping.id)
        mappings.write(
            connection, workspace_id=workspace_id, before=before, wanted=found.wanted, giver=giver, confirmed=True
        )


def decline(
    connection: Connection, *, workspace_id: UUID, proposal_id: UUID, answer: str | None, by: Actor
) -> ProposalView:
    """Say no, and why; the one who asked takes it back so, too. Saying no takes no second word: it gives nothing.

    Raises:
        NotFound: the workspace has no such proposal.
        Conflict: it waits no more.
        Invalid: the answer is too long.
    """
    said = (answer or "").strip() or None
    if said is not None and (len(said) > _LONGEST_ANSWER or "\0" in said):
        raise Invalid(f"A reason has up to {_LONGEST_ANSWER} characters.", field="reason")
    found = _lock(connection, workspace_id, proposal_id)
    change = _settling(workspace_id, proposal_id, DECLINED, answer=said)
    fact = MappingDeclined(**_about(found), why=said)
    connection.execute(outbox.together(connection, change, fact, workspace_id=workspace_id, by=by))
    return by_id(connection, workspace_id=workspace_id, proposal_id=proposal_id)


def _about(found: ProposalView) -> dict[str, Any]:
    return {
        "proposal_id": found.id,
        "mapping_id": found.mapping_id,
        "rule": str(found.wanted.rule),
        "asker_id": found.asker_id,
    }


def _settling(workspace_id: UUID, proposal_id: UUID, state: str, **values: Any) -> Update:
    here = (MappingProposal.workspace_id == workspace_id, MappingProposal.id == proposal_id)
    return update(MappingProposal).where(*here).values(state=state, settled_at=func.clock_timestamp(), **values)


def expire(connection: Connection, *, most: int, by: Actor) -> int:
    """Write down which proposals nobody has confirmed in time. No answer waits for this.

    Args:
        connection: in a transaction of its own.
        most: how many at once.
        by: who does it.

    Returns:
        How many there were; fewer than `most` when none are left.
    """
    over = _VIEW.add_columns(MappingProposal.workspace_id).where(_IS_OVER).order_by(MappingProposal.expires_at)
    rows = connection.execute(over.limit(most).with_for_update(of=MappingProposal, skip_locked=True)).all()
    for *row, workspace_id in rows:
        found = _view(row)
        change = _settling(workspace_id, found.id, EXPIRED)
        fact = MappingProposalExpired(**_about(found))
        connection.execute(outbox.together(connection, change, fact, workspace_id=workspace_id, by=by))
    return len(rows)
