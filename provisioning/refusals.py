"""What the house refuses, as values: a stable code, a sentence for people, and the facts. Each door renders them."""

from __future__ import annotations

from typing import Any, ClassVar


class Refusal(Exception):
    """The request is understood and refused; nothing was changed."""

    code: ClassVar[str]
    status: ClassVar[int]

    def __init__(self, sentence: str, *, field: str | None = None, **facts: Any) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        self.facts = facts


class NotFound(Refusal):
    """There is no such thing in the workspace of the one who asks."""

    code, status = "not_found", 404


class Conflict(Refusal):
    """The name, address or id is taken."""

    code, status = "conflict", 409


class Stale(Refusal):
    """What is to be changed is not what the one who asks has seen of it."""

    code, status = "precondition_failed", 412


class ProtectedMember(Refusal):
    """An owner has put this member out of the identity provider's reach."""

    code, status = "protected_member", 400


class Invalid(Refusal):
    """A value is not what it must be; `field` names it."""

    code, status = "invalid", 400


class NotAllowed(Refusal):
    """The one who asks lacks the action that this takes."""

    code, status = "not_allowed", 403


class Unauthenticated(Refusal):
    """Nobody can be made out who asks."""

    code, status = "unauthenticated", 401


class HeldBack(Refusal):
    """It takes something from too many people at once: it is kept until somebody has looked at it."""

    code, status = "held", 403


class PutOff(Refusal):
    """Not now: an admin has paused it; `retry_after` says in how many seconds."""

    code, status = "put_off", 503


class Overloaded(Refusal):
    """More is asked of the service than it can do; `retry_after` says in how many seconds to come again."""

    code, status = "overloaded", 503


class TooManyRequests(Refusal):
    """More was asked in a minute than is answered, or a letter too soon; `retry_after` says in how many seconds."""

    code, status = "too_many_requests", 429


class NoActiveMembership(Refusal):
    """The person is an active member of no workspace, so there is nothing to sign in to."""

    code, status = "no_active_membership", 403


class SignInRefusal(Refusal):
    """The identity provider vouches for somebody who may not come in; `reason` says why."""

    code, status = "sign_in_refused", 403


class ProviderUnavailable(Refusal):
    """An identity provider doesn't answer, or not as the standard has it."""

    code, status = "provider_unavailable", 502
