"""Records what was read of people's access, of sessions and of the trail itself, where the operator wants that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy.engine import Connection

from provisioning import outbox
from provisioning.directory import workspaces
from provisioning.outbox import Actor, Fact

_LONGEST = 500


class Recorded(StrEnum):
    """Of which workspaces it is recorded what was read."""

    NONE = "none"
    HIPAA = "hipaa"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class AnswerGiven(Fact):
    """Somebody was told who has access to what, who is signed in, or what the trail holds.

    Args:
        about: what the answer was about: `access`, `sessions` or `trail`.
        member_id: of whom, where it was about one member.
        asked: what was asked for, by name.
    """

    name: ClassVar[str] = "answer.given"
    about: str
    member_id: UUID | None
    asked: Mapping[str, str]

    @property
    def subject(self) -> str:
        """The member whom it is about, or all that is of this kind in the workspace."""
        return f"{self.about}:{self.member_id or 'all'}"


def record(
    connection: Connection,
    *,
    workspace_id: UUID,
    about: str,
    asked: Mapping[str, str],
    member_id: UUID | None = None,
    recorded: Recorded,
    by: Actor,
) -> None:
    """Record an answer that is about to be given, if the answers of this workspace are.

    Args:
        connection: in a transaction; its commit comes before the answer.
        workspace_id: the workspace which it tells something of.
        about: see `AnswerGiven`.
        asked: see `AnswerGiven`; long texts are cut.
        member_id: see `AnswerGiven`.
        recorded: of which workspaces answers are recorded.
        by: who asked.
    """
    if recorded is Recorded.NONE:
        return
    if recorded is Recorded.HIPAA and not workspaces.by_id(connection, workspace_id).hipaa_eligible:
        return
    short = {name: value[:_LONGEST] for name, value in asked.items()}
    fact = AnswerGiven(about=about, member_id=member_id, asked=short)
    outbox.append(connection, fact, workspace_id=workspace_id, by=by)
