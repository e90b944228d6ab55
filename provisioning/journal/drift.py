"""What connections asked for and were refused, for a protected member's sake: as far back as the log reaches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, Uuid, and_, case, cast, exists, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from provisioning.differences import Of, line
from provisioning.directory.models import Group, Member, Membership
from provisioning.journal.models import JournalEntry

_RESOURCE = cast(JournalEntry.resource_id, Uuid)
_MEMBER = and_(Member.workspace_id == JournalEntry.workspace_id, Member.id == _RESOURCE)
_GROUP = and_(Group.workspace_id == JournalEntry.workspace_id, Group.id == _RESOURCE)


def lines(of: Of) -> Mapping[str, Select[*tuple[Any, ...]]]:
    """The newest refusal of each thing that is protected still; what was asked for before it is over by then."""
    inside = exists().where(
        Membership.workspace_id == Group.workspace_id,
        Membership.group_id == Group.id,
        Member.workspace_id == Membership.workspace_id,
        Member.id == Membership.member_id,
        Member.protected,
    )
    columns = line(
        "refused_change",
        id=func.concat(JournalEntry.connection_id, ":", JournalEntry.resource_id),
        connection_id=JournalEntry.connection_id,
        subject=case((Member.id.is_not(None), "user"), else_="group"),
        subject_id=func.coalesce(Member.id, Group.id),
        name=func.coalesce(Member.display_name, Member.user_name, Group.display_name),
        says=case((JournalEntry.method == "DELETE", "removed"), else_="changed"),
        holds="as before: protected",
        since=JournalEntry.at,
    )
    refused = (
        select(*columns)
        .select_from(JournalEntry)
        .outerjoin(Member, _MEMBER)
        .outerjoin(Group, _GROUP)
        .where(
            *of.which(JournalEntry.workspace_id, JournalEntry.connection_id),
            JournalEntry.scim_type == literal_column("'mutability'"),
            or_(Member.protected, and_(Group.id.is_not(None), inside.correlate(Group))),
        )
        .ext(distinct_on(JournalEntry.connection_id, JournalEntry.resource_id))
        .order_by(JournalEntry.connection_id, JournalEntry.resource_id, JournalEntry.at.desc())
    )
    found = refused.subquery("refused")
    return {"refused_change": select(*found.c)}
