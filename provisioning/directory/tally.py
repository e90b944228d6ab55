"""How many members a workspace has, without counting them.

A trigger notes each change of their number as a piece of its own, so that nobody who joins waits for another, and the
pieces add up to what a statement sees. The trigger puts them together at every 64th, and workers do so now and then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ScalarSelect, SQLColumnExpression, cast, func, select, text
from sqlalchemy.engine import Connection

from provisioning.directory.models import Member, MemberTally, Workspace
from provisioning.invariants import Finding, look


def total(workspace_id: SQLColumnExpression[Any]) -> ScalarSelect[int]:
    """How many members a workspace has, suspended ones too: to be asked along with something else."""
    added = func.coalesce(func.sum(MemberTally.change), 0)
    return select(cast(added, BigInteger)).where(MemberTally.workspace_id == workspace_id).scalar_subquery()


# Two who gather at once do no harm: what one has taken the other finds gone.
_GATHER = text(
    """
    WITH scattered AS (
        SELECT workspace_id FROM member_tally GROUP BY workspace_id HAVING count(*) > 1
    ), gone AS (
        DELETE FROM member_tally USING scattered WHERE member_tally.workspace_id = scattered.workspace_id
        RETURNING member_tally.workspace_id, change
    )
    INSERT INTO member_tally (workspace_id, change) SELECT workspace_id, sum(change) FROM gone GROUP BY workspace_id
    """
)


def gather(connection: Connection) -> int:
    """Put the pieces of each workspace together; of how many workspaces there were several."""
    return connection.execute(_GATHER).rowcount


def findings(connection: Connection) -> Sequence[Finding]:
    """The workspaces whose members are not as many as their pieces say."""
    counted = select(func.count()).where(Member.workspace_id == Workspace.id).correlate(Workspace).scalar_subquery()
    return [look(connection, "member_tally_wrong", select(Workspace.id).where(counted != total(Workspace.id)))]
