"""What the protocol refuses (RFC 7644, section 3.12): one class a kind, with status, scimType and detail."""

from __future__ import annotations

from typing import ClassVar


class ScimError(Exception):
    """A refusal of the protocol. `detail` tells an identity provider's admin what to change, and where."""

    default_status: ClassVar[int] = 400
    default_type: ClassVar[str | None] = None

    def __init__(self, detail: str, *, status: int | None = None, scim_type: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = self.default_status if status is None else status
        self.scim_type = self.default_type if scim_type is None else scim_type


class InvalidFilter(ScimError):
    """The filter can't be read, or names what can't be filtered by."""

    default_type = "invalidFilter"


class TooMany(ScimError):
    """The filter asks for more work than the server does."""

    default_type = "tooMany"


class InvalidSyntax(ScimError):
    """The body has not the structure that it must have."""

    default_type = "invalidSyntax"


class InvalidPath(ScimError):
    """The path of an operation can't be read, or names nothing."""

    default_type = "invalidPath"


class NoTarget(ScimError):
    """The path of an operation selects nothing that it could work on."""

    default_type = "noTarget"


class InvalidValue(ScimError):
    """A required value is missing, or one is not of its attribute's type."""

    default_type = "invalidValue"


class Mutability(ScimError):
    """The attribute can't be changed so."""

    default_type = "mutability"


class InvalidCursor(ScimError):
    """The cursor was not given out here, or not for this question (RFC 9865, section 2.3)."""

    default_type = "invalidCursor"


class ExpiredCursor(ScimError):
    """The cursor is older than cursors may be (RFC 9865, section 2.3)."""

    default_type = "expiredCursor"


class InvalidCount(ScimError):
    """The count is not the one that the walk began with (RFC 9865, section 2.3)."""

    default_type = "invalidCount"


class Conflict(ScimError):
    """It depends on something that isn't there."""

    default_status = 409


class PreconditionFailed(ScimError):
    """The client's condition on the version does not hold."""

    default_status = 412


class NotImplementedHere(ScimError):
    """The protocol has it, this service doesn't."""

    default_status = 501


class Forbidden(ScimError):
    """Understood, and not done for anybody."""

    default_status = 403


class NotFound(ScimError):
    """There is no such resource."""

    default_status = 404
