"""Users: a person's account, one for each distinct address, and the epoch that ends their sessions."""

from __future__ import annotations

import unicodedata
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Text, Uuid, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from provisioning import entropy, outbox
from provisioning.directory.events import SessionsOutdated
from provisioning.directory.models import SESSION_EPOCHS, User, Workspace
from provisioning.outbox import Actor
from provisioning.prepared import Prepared
from provisioning.refusals import NotFound


def address_key(email: str) -> str:
    """The form in which addresses are compared: without case, and never otherwise normalised.

    `name+x@corp.example` is another person than `name@corp.example`.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email.strip()).casefold())


def key_of(email: str | None) -> str | None:
    """The `address_key` of whoever has an address."""
    return None if email is None else address_key(email)


# The workspace is locked FOR KEY SHARE and its change of eligibility takes FOR UPDATE: a membership is either there
# when the flag flips, and its sessions end by the workspace's epoch, or it is judged by the flag that was set before.
_JOIN = Prepared(
    text(
        """
    WITH joined AS (
        SELECT hipaa_eligible FROM workspace WHERE id = :workspace_id AND deleted_at IS NULL FOR KEY SHARE
    )
    INSERT INTO user_account AS u (id, email, email_key, session_epoch, epoch_reason, epoch_workspace_id)
    SELECT :id, :email, :email_key, 0, NULL, NULL FROM joined
    ON CONFLICT (email_key) DO UPDATE SET
        session_epoch = CASE WHEN :ends THEN nextval('session_epoch') ELSE u.session_epoch END,
        epoch_reason = CASE WHEN :ends THEN 'revoked_hipaa_change' ELSE u.epoch_reason END,
        epoch_workspace_id = CASE WHEN :ends THEN :workspace_id ELSE u.epoch_workspace_id END
    RETURNING u.id, (SELECT hipaa_eligible FROM joined), u.xmax = 0
    """.replace(":ends", "(:active AND (SELECT hipaa_eligible FROM joined))")
    )
)


def join(connection: Connection, *, workspace_id: UUID, email: str | None, active: bool, by: Actor) -> UUID:
    """Find or make the account of somebody who becomes a member of a workspace.

    Where the workspace is HIPAA-eligible and the membership active, the sessions that the person began before end.

    Args:
        connection: in a transaction, which holds the person's row from here on.
        workspace_id: the workspace joined.
        email: their address; without one they get an account of their own that nobody can sign in to.
        active: whether the membership begins active.
        by: who did it.

    Returns:
        The account's id.

    Raises:
        NotFound: the workspace is gone.
    """
    row = _JOIN.one_or_none(
        connection,
        {
            "id": entropy.new_id(),
            "workspace_id": workspace_id,
            "email": email,
            "email_key": key_of(email),
            "active": active,
        },
    )
    if row is None:
        raise NotFound("There is no such workspace.")
    user_id, hipaa_eligible, is_new = row
    if active and hipaa_eligible and not is_new:
        fact = SessionsOutdated(user_id=user_id, reason="revoked_hipaa_change")
        outbox.append(connection, fact, workspace_id=workspace_id, by=by)
    return user_id  # type: ignore[no-any-return]


def found_or_made(here: CTE, *, ends_sessions: ColumnElement[bool]) -> CTE:
    """The account of somebody who becomes a member, as `join` has it, as a part of another statement.

    Args:
        here: the workspace joined, held as `join` holds it.
        ends_sessions: whether sessions that the person began before end by it.

    Returns:
        The account's `id`, held, of the parameters `user_id`, `email` and `email_key`; no row where sessions of
        somebody who has an account are to end, which takes `join`.
    """
    new = (bindparam("user_id", type_=Uuid), bindparam("email", type_=Text), bindparam("email_key", type_=Text))
    added = insert(User).from_select(["id", "email", "email_key"], select(*new).select_from(here))
    # To set what is there holds the row.
    held = added.on_conflict_do_update(
        index_elements=[User.email_key], set_={"session_epoch": User.session_epoch}, where=~ends_sessions
    )
    return held.returning(User.id).cte("account")


_HIPAA_ELIGIBLE = (
    select(Workspace.hipaa_eligible)
    .where(Workspace.id == bindparam("workspace"))
    .with_for_update(key_share=True, read=True)
)


def rejoin(connection: Connection, *, user_id: UUID, workspace_id: UUID, by: Actor) -> None:
    """Tell that a person's membership becomes active again: in a HIPAA-eligible workspace their sessions end."""
    if connection.execute(_HIPAA_ELIGIBLE, {"workspace": workspace_id}).scalar_one():
        reason = "revoked_hipaa_change"
        end_sessions(connection, user_id=user_id, workspace_id=workspace_id, reason=reason, by=by)


def end_sessions(connection: Connection, *, user_id: UUID, workspace_id: UUID | None, reason: str, by: Actor) -> None:
    """End, from the commit on, every session that the person has begun until now.

    Args:
        connection: in a transaction.
        user_id: the person.
        workspace_id: the workspace whose change ends them, if one does.
        reason: what every later check answers: `revoked_hipaa_change`, `suspended`, `removed`, `signed_out`.
        by: who did it.
    """
    # The row is locked before the number is drawn: whoever is signing in meanwhile has the smaller one.
    held = _held(user_id)
    raised = (
        update(User)
        .where(User.id == held.c.id)
        .values(session_epoch=SESSION_EPOCHS.next_value(), epoch_reason=reason, epoch_workspace_id=workspace_id)
    )
    fact = SessionsOutdated(user_id=user_id, reason=reason)
    connection.execute(outbox.together(connection, raised, fact, workspace_id=workspace_id, by=by))


def renew_texts(connection: Connection, *, user_id: UUID) -> None:
    """Have the texts of the person's sessions replaced at their next request, for their privileges change."""
    held = _held(user_id)
    renewed = update(User).where(User.id == held.c.id).values(privilege_epoch=SESSION_EPOCHS.next_value())
    connection.execute(renewed)


def _held(user_id: UUID) -> CTE:
    return select(User.id).where(User.id == user_id).with_for_update(key_share=True).cte("held")


def by_email(connection: Connection, email: str) -> tuple[UUID, str] | None:
    """The account of an address.

    Returns:
        Its id and the address as it was first written, or None.
    """
    statement: Any = select(User.id, User.email).where(User.email_key == address_key(email))
    row = connection.execute(statement).one_or_none()
    return None if row is None else (row.id, row.email)
