"""Access requests: a member asks for a role on something, an owner answers; what comes another way closes it by itself.

Approving gives a policy with all the rules that policies have. Whether somebody has by now what they asked for is asked
of the engine, whenever a request is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Update, func, insert, select, update
from sqlalchemy.engine import Connection

from provisioning import entropy, outbox
from provisioning.access import holders, policies, rules, scopes
from provisioning.access.events import (
    AccessRequestApproved,
    AccessRequestClosed,
    AccessRequestCreated,
    AccessRequestDenied,
)
from provisioning.access.models import AccessRequest
from provisioning.access.policies import Giver, Subject, Terms
from provisioning.access.roles import OWNER, Catalogue
from provisioning.access.rules import Scope
from provisioning.directory import roster
from provisioning.directory.models import Member
from provisioning.directory.paging import Page, Sorting, Window, fetch
from provisioning.directory.roster import MemberView
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, Invalid, NotFound

OPEN, APPROVED, DENIED, GRANTED = "open", "approved", "denied", "granted"
STATES = (OPEN, APPROVED, DENIED, GRANTED)
MOST_OPEN = 50
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class AccessRequestView:
    """What a member asks for, and what became of it."""

    id: UUID
    member_id: UUID
    name: str
    email: str
    role: str
    scope: Scope
    reason: str
    state: str
    created_at: datetime
    settled_at: datetime | None
    answer: str | None
    policy_id: UUID | None


_WHOSE = (Member.workspace_id == AccessRequest.workspace_id) & (Member.id == AccessRequest.member_id)
_VIEW = select(
    AccessRequest.id,
    AccessRequest.member_id,
    func.coalesce(Member.display_name, Member.user_name),
    Member.user_name,
    AccessRequest.role,
    AccessRequest.scope,
    AccessRequest.reason,
    AccessRequest.state,
    AccessRequest.created_at,
    AccessRequest.settled_at,
    AccessRequest.answer,
    AccessRequest.policy_id,
).join(Member, _WHOSE)
_NEWEST_FIRST = Sorting(AccessRequest.id.expression, descending=True, never_none=True)


def _view(row: Sequence[Any]) -> AccessRequestView:
    view = AccessRequestView(*row)
    return replace(view, scope=Scope.from_json(row[5]))


def ask(
    connection: Connection, *, workspace_id: UUID, member_id: UUID, terms: Terms, roles: Catalogue, by: Actor
) -> AccessRequestView:
    """Ask for a role on behalf of a member; who has asked for the very same already has the one request.

    Args:
        connection: in a transaction.
        workspace_id: where.
        member_id: who is to get it.
        terms: what is asked for, and why.
        roles: all roles of the workspace.
        by: who asks.

    Raises:
        NotFound: the workspace has no such member.
        Invalid: the role can't be given so, or no reason is given.
        Conflict: the member is suspended, has that access already, or has asked for too much.
    """
    member = _active(connection, workspace_id, member_id)
    role = roles.require(terms.role)
    if role.key == OWNER:
        raise Invalid("Ownership is not asked for: owners appoint owners by hand.", field="role")
    reason = _text(terms.reason or "", "reason")
    if not reason:
        raise Invalid("Say why: an owner decides by the reason.", field="reason")
    scope = scopes.read(
        connection, workspace_id=workspace_id, role=role, labels=terms.labels, resources=terms.resources
    )
    held = holders.of_members(connection, workspace_id=workspace_id, roles=roles, ids=[member.id])[member.id]
    if rules.missing(held, role, scope) is None:
        raise Conflict("They have that access already.", field="role")
    mine = _VIEW.where(
        AccessRequest.workspace_id == workspace_id, AccessRequest.member_id == member_id, AccessRequest.state == OPEN
    )
    waiting = [_view(row) for row in connection.execute(mine)]
    same = next((one for one in waiting if (one.role, one.scope) == (role.key, scope)), None)
    if same is not None:
        return same
    if len(waiting) >= MOST_OPEN:
        raise Conflict(f"At most {MOST_OPEN} requests of one member wait for an answer.", field="userId")
    return _insert(connection, member, role.key, scope, reason, by)


def _insert(
    connection: Connection, member: MemberView, role: str, scope: Scope, reason: str, by: Actor
) -> AccessRequestView:
    request_id = entropy.new_id()
    new = insert(AccessRequest).values(
        id=request_id,
        workspace_id=member.workspace_id,
        member_id=member.id,
        role=role,
        scope=scope.as_json(),
        reason=reason,
        state=OPEN,
    )
    fact = AccessRequestCreated(
        request_id=request_id, member_id=member.id, role=role, scope=scope.as_json(), why=reason
    )
    connection.execute(outbox.together(connection, new, fact, workspace_id=member.workspace_id, by=by))
    return _by_id(connection, member.workspace_id, request_id)


def _text(written: str, field: str) -> str:
    shown = written.strip()
    if len(shown) > _LONGEST or "\0" in shown:
        raise Invalid(f"A {field} has up to {_LONGEST} characters.", field=field)
    return shown


def _active(connection: Connection, workspace_id: UUID, member_id: UUID) -> MemberView:
    """The member, held; one at a time asks or is answered."""
    member = roster.lock(connection, workspace_id=workspace_id, member_id=member_id)
    if not member.active:
        raise Conflict("The member is suspended.", field="userId")
    return member


def some(
    connection: Connection,
    *,
    workspace_id: UUID,
    roles: Catalogue,
    window: Window,
    state: str | None = None,
    member_id: UUID | None = None,
) -> Page[AccessRequestView]:
    """Some of the workspace's requests, newest first, each judged at this moment, and how many there are.

    Args:
        connection: to read with.
        workspace_id: where.
        roles: all roles of the workspace.
        window: which part of the list.
        state: only those that are stored in this state.
        member_id: only those of this member.
    """
    wanted = _VIEW.where(AccessRequest.workspace_id == workspace_id)
    if state is not None:
        wanted = wanted.where(AccessRequest.state == state)
    if member_id is not None:
        wanted = wanted.where(AccessRequest.member_id == member_id)
    identifier = AccessRequest.id
    page = fetch(connection, wanted, identifier=identifier, window=window, sorting=_NEWEST_FIRST, read=_view)
    return replace(page, items=tuple(_judged(connection, workspace_id, roles, page.items)))


def by_id(connection: Connection, *, workspace_id: UUID, roles: Catalogue, request_id: UUID) -> AccessRequestView:
    """The workspace's request of this id, judged at this moment.

    Raises:
        NotFound: it has none.
    """
    return _judged(connection, workspace_id, roles, [_by_id(connection, workspace_id, request_id)])[0]


def _by_id(connection: Connection, workspace_id: UUID, request_id: UUID, view: Any = _VIEW) -> AccessRequestView:
    here = (AccessRequest.workspace_id == workspace_id, AccessRequest.id == request_id)
    row = connection.execute(view.where(*here)).one_or_none()
    if row is None:
        raise NotFound("There is no such access request in this workspace.")
    return _view(row)


def _judged(
    connection: Connection, workspace_id: UUID, roles: Catalogue, found: Sequence[AccessRequestView]
) -> list[AccessRequestView]:
    """Requests whose wish has come true meanwhile are granted, whether or not anybody has written that down."""
    asking = {one.member_id for one in found if one.state == OPEN}
    held = holders.of_members(connection, workspace_id=workspace_id, roles=roles, ids=asking)

    def is_granted(one: AccessRequestView) -> bool:
        role = roles.get(one.role)
        return one.state == OPEN and role is not None and rules.missing(held[one.member_id], role, one.scope) is None

    return [replace(one, state=GRANTED) if is_granted(one) else one for one in found]


def _lock(connection: Connection, workspace_id: UUID, request_id: UUID, roles: Catalogue) -> AccessRequestView:
    """An open request, held against every other answer."""
    held = _by_id(connection, workspace_id, request_id, _VIEW.with_for_update(of=AccessRequest))
    (found,) = _judged(connection, workspace_id, roles, [held])
    if found.state != OPEN:
        raise Conflict(f"This request waits for no answer any more: it is {found.state}.", field="state")
    return found


def _settling(workspace_id: UUID, request_id: UUID, state: str, **values: Any) -> Update:
    here = (AccessRequest.workspace_id == workspace_id, AccessRequest.id == request_id)
    return update(AccessRequest).where(*here).values(state=state, settled_at=func.clock_timestamp(), **values)


def _about(request: AccessRequestView) -> dict[str, Any]:
    return {
        "request_id": request.id,
        "member_id": request.member_id,
        "role": request.role,
        "scope": request.scope.as_json(),
    }


def approve(
    connection: Connection, *, workspace_id: UUID, request_id: UUID, ends_at: datetime | None, giver: Giver
) -> AccessRequestView:
    """Give what is asked for, as `policies.give` does.

    Args:
        connection: in a transaction.
        workspace_id: where.
        request_id: which request.
        ends_at: when the access ends by itself, if it does.
        giver: who approves.

    Raises:
        NotFound: the workspace has no such request.
        Conflict: it waits for no answer any more, or the member is suspended.
        Invalid: what is asked for can't be given any more.
        NotAllowed: the giver doesn't have what they would give.
    """
    found = _lock(connection, workspace_id, request_id, giver.roles)
    _active(connection, workspace_id, found.member_id)
    labels, resources = tuple(sorted(found.scope.labels)), tuple(sorted(map(str, found.scope.resources)))
    given = policies.give(
        connection,
        workspace_id=workspace_id,
        subject=Subject("member", found.member_id),
        terms=Terms(found.role, labels, resources, ends_at, found.reason),
        giver=giver,
    )
    change = _settling(workspace_id, request_id, APPROVED, policy_id=given.id)
    fact = AccessRequestApproved(**_about(found), policy_id=given.id, ends_at=ends_at)
    connection.execute(outbox.together(connection, change, fact, workspace_id=workspace_id, by=giver.by))
    return _by_id(connection, workspace_id, request_id)


def deny(
    connection: Connection, *, workspace_id: UUID, request_id: UUID, answer: str | None, giver: Giver
) -> AccessRequestView:
    """Say no, and why.

    Raises:
        NotFound: the workspace has no such request.
        Conflict: it waits for no answer any more.
        Invalid: the answer is too long.
    """
    said = _text(answer or "", "reason") or None
    found = _lock(connection, workspace_id, request_id, giver.roles)
    change = _settling(workspace_id, request_id, DENIED, answer=said)
    fact = AccessRequestDenied(**_about(found), why=said)
    connection.execute(outbox.together(connection, change, fact, workspace_id=workspace_id, by=giver.by))
    return _by_id(connection, workspace_id, request_id)


def waiting(connection: Connection) -> Sequence[UUID]:
    """The workspaces in which requests are open."""
    return (
        connection.execute(select(AccessRequest.workspace_id).where(AccessRequest.state == OPEN).distinct())
        .scalars()
        .all()
    )


def close_granted(connection: Connection, *, workspace_id: UUID, roles: Catalogue, by: Actor) -> int:
    """Write down which open requests of a workspace have come true another way. No reader waits for this.

    Returns:
        How many there were.
    """
    still = _VIEW.where(AccessRequest.workspace_id == workspace_id, AccessRequest.state == OPEN)
    rows = connection.execute(still.with_for_update(of=AccessRequest, skip_locked=True))
    found = _judged(connection, workspace_id, roles, [_view(row) for row in rows])
    granted = [one for one in found if one.state == GRANTED]
    for one in granted:
        change = _settling(workspace_id, one.id, GRANTED)
        fact = AccessRequestClosed(**_about(one))
        connection.execute(outbox.together(connection, change, fact, workspace_id=workspace_id, by=by))
    return len(granted)
