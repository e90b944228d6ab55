"""Who asks, made out by a credential; and what they ask for most of all, read in the very same statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, or_, select, text, true, update
from sqlalchemy.engine import Connection as Database
from sqlalchemy.orm import aliased
from sqlalchemy.sql import func

from provisioning.directory import groups, roster
from provisioning.directory.connections import VIEW, ConnectionView
from provisioning.directory.extensions import OF_WORKSPACE
from provisioning.directory.models import Connection, ConnectionToken, Group, Member
from provisioning.prepared import Prepared, Row
from provisioning.scim.compare import fold

# The use of a credential is written at most this often: what is shown lags so much behind, and is never ahead.
_NOTED_EVERY: Any = text("INTERVAL '1 minute'")
_UNNOTED = or_(
    ConnectionToken.last_used_at.is_(None),
    ConnectionToken.last_used_at < func.clock_timestamp() - _NOTED_EVERY,
)
_BY_DIGEST = (
    VIEW.add_columns(OF_WORKSPACE.label("definitions"), _UNNOTED.label("use_is_news"))
    .join(
        ConnectionToken,
        (ConnectionToken.workspace_id == Connection.workspace_id) & (ConnectionToken.connection_id == Connection.id),
    )
    .where(
        ConnectionToken.digest == bindparam("digest"),
        or_(ConnectionToken.expires_at.is_(None), ConnectionToken.expires_at > func.clock_timestamp()),
    )
)
_ASKING = _BY_DIGEST.subquery("asking")
_BY_CREDENTIAL = Prepared(_BY_DIGEST)


class Look(NamedTuple):
    """One row to be read in the very statement that makes out a credential: a round trip less for what is often asked.

    Args:
        statement: of `along`, for a connection; `web.bearers` makes those for who asks with an API token.
        values: of its parameters.
    """

    statement: Prepared
    values: Mapping[str, Any]


def along(wanted: Callable[[Any], Select[*tuple[Any, ...]]], *, large: bool = False) -> Prepared:
    """The statement of a `Look`.

    Args:
        wanted: given the columns of the connection that asks, selects a row at the most. Its first column is never
            null, and what differs from one look to the next are `bindparam`s.
        large: whether it may be megabytes.
    """
    found = wanted(_ASKING.c).lateral("found")
    return Prepared(select(_ASKING, found).select_from(_ASKING.outerjoin(found, true())), large=large)


def by_credential(
    database: Database, digest: bytes, look: Look | None = None
) -> tuple[ConnectionView | None, Row | None]:
    """The connection whose live credential has this digest, if there is one, and what it looks for: indexed rows."""
    if look is None:
        row = _BY_CREDENTIAL.one_or_none(database, {"digest": digest})
        return (None if row is None else ConnectionView._make(row)), None
    row = look.statement.one_or_none(database, {**look.values, "digest": digest})
    if row is None:
        return None, None
    own = len(ConnectionView._fields)
    return ConnectionView._make(row[:own]), (None if row[own] is None else row[own:])


_free = aliased(ConnectionToken)
_NOTE = (
    update(ConnectionToken)
    .where(
        ConnectionToken.digest
        == select(_free.digest)
        .where(_free.digest == bindparam("used"))
        .with_for_update(skip_locked=True, key_share=True)
        .scalar_subquery()
    )
    .values(last_used_at=func.clock_timestamp(), last_used_from=bindparam("address"))
)


def note_use(database: Database, *, of: ConnectionView, digest: bytes, address: str | None) -> None:
    """Write down that a credential was used; where another writes the same thing just now, that is enough.

    Args:
        database: on which the statement stands alone. It waits for nobody.
        of: the connection, as `by_credential` told it.
        digest: of the credential.
        address: from where it was used.
    """
    if of.use_is_news:
        database.execute(_NOTE, {"used": digest, "address": address})


_MEMBER = along(
    lambda asking: roster.VIEW.where(Member.workspace_id == asking.workspace_id, Member.id == bindparam("member"))
)


def member(member_id: UUID) -> Look:
    """The member of this id, in the workspace of the connection that asks: a row for `roster.view`."""
    return Look(_MEMBER, {"member": member_id})


def _group(wanted: Select[*tuple[Any, ...]], *, large: bool = False) -> Prepared:
    """The group of an id, if the connection pushes it that asks."""
    return along(
        lambda asking: wanted.where(
            Group.workspace_id == asking.workspace_id,
            Group.id == bindparam("group"),
            Group.is_pushed_by(asking.id),
        ),
        large=large,
    )


_GROUP, _GROUP_AND_MEMBERS = _group(groups.VIEW), _group(groups.WITH_MEMBERS, large=True)
_GROUP_BY_NAME = along(
    lambda asking: groups.VIEW.where(
        Group.workspace_id == asking.workspace_id,
        Group.connection_id == asking.id,
        Group.display_name_key == bindparam("name"),
    )
)


def group(group_id: UUID, *, with_members: bool = False) -> Look:
    """The group of this id among those that the connection pushes that asks: a row for `groups.view`."""
    return Look(_GROUP_AND_MEMBERS if with_members else _GROUP, {"group": group_id})


def group_by_name(name: str) -> Look:
    """The group of this displayName among those that the connection pushes that asks: a row for `groups.view`."""
    return Look(_GROUP_BY_NAME, {"name": fold(name)})
