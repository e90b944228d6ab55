"""What one request does to one resource, checked and ready to be carried out in a transaction: alone, or in a Bulk."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from werkzeug.datastructures import ETags

from provisioning.database import (
    Connection,
    DatabaseFailure,
    Trouble,
    in_transaction,
    reading,
    rehearse,
    transaction,
    trouble_of,
)
from provisioning.dialects import Normalised, normalise_patch, normalise_replacement, normalise_resource
from provisioning.directory import mass_changes
from provisioning.directory.mass_changes import Held
from provisioning.refusals import HeldBack
from provisioning.scim.document import Resource, read_resource
from provisioning.scim.patch import Changes, parse_patch
from provisioning.scim.projection import Projection
from provisioning.scim.schema import ResourceType
from provisioning.web.scim.asking import Asking

T = TypeVar("T")
Keys = Collection[tuple[str | None, str]]


@dataclass(frozen=True, slots=True)
class Written:
    """What an operation left: the resource's id, version and location; the whole of it only if it is to be shown."""

    identifier: str
    version: str
    location: str
    resource: dict[str, Any] | None = None
    # The attributes that the client gave a value to.
    attributes: Keys = ()


# `None` is left by a deletion.
Operation = Callable[[Connection], Written | None]


@dataclass(frozen=True, slots=True)
class Light:
    """An operation that may be done by one statement: without a transaction, and without holding anything before.

    Where PostgreSQL does not answer in time, it may be done all the same: as with any commit that nobody has heard of.

    Args:
        whole: the operation, for where it takes more.
        alone: the same by one statement; None where it takes more.
    """

    whole: Operation
    alone: Callable[[Connection], Written | None]

    def __call__(self, database: Connection) -> Written | None:
        """Do it in a transaction."""
        return self.whole(database)


# What an operation is answered with that succeeded, by its method (RFC 7644, section 3).
STATUSES = {"POST": 201, "PUT": 200, "PATCH": 200, "DELETE": 204}
Write = Callable[[Asking, str, Any, ETags, Projection | None], Operation]


@dataclass(frozen=True, slots=True)
class Verbs:
    """How the resources of one type are written. Each checks what it is given, and returns what is to be carried out.

    Where `shown` is None, nobody is going to look at the resource.
    """

    create: Callable[[Asking, Any, Projection | None], Operation]
    replace: Write
    change: Write
    delete: Callable[[Asking, str, ETags], Operation]

    def prepare(
        self, method: str, asking: Asking, identifier: str, body: Any, condition: ETags, shown: Projection | None
    ) -> Operation:
        """What a method asks for, of one by its id, or of a new one without."""
        if method == "POST":
            return self.create(asking, body, shown)
        if method == "DELETE":
            return self.delete(asking, identifier, condition)
        write = self.replace if method == "PUT" else self.change
        return write(asking, identifier, body, condition, shown)


def carry_out(asking: Asking, work: Callable[[Connection], T]) -> T:
    """Do what an operation does; for a connection that rehearses, all of it is taken back."""
    if asking.connection.dry_run:
        asking.noted.note("dry run: nothing was written")
        return rehearse(work)
    if isinstance(work, Light):
        written = _alone(work)
        if written is not None:
            return written  # type: ignore[return-value]
    try:
        return in_transaction(work)
    except Held as held:
        with transaction() as database:
            mass_changes.keep(database, held, of=asking.connection)
        raise HeldBack(
            "Too many people lose something at once: an admin has to confirm it, and nothing has been changed."
        ) from None


def _alone(work: Light) -> Written | None:
    """What one statement does of an operation; None where it takes more, or others were at the same rows at once."""
    try:
        with reading() as database:
            return work.alone(database)
    except DatabaseFailure as error:
        if trouble_of(error) is not Trouble.CONTENDED:
            raise
        return None


def read_sent(asking: Asking, body: Any, kind: ResourceType) -> Resource:
    """A new resource as it was sent, with deviations put right and noted."""
    return _whole(asking, normalise_resource(body, kind), kind)


def read_replacement(asking: Asking, body: Any, kind: ResourceType) -> Resource:
    """What is to replace a resource; what is ambiguous in it is read as the connection's dialect means it."""
    return _whole(asking, normalise_replacement(body, kind, asking.connection.dialect), kind)


def _whole(asking: Asking, normalised: Normalised, kind: ResourceType) -> Resource:
    asking.noted.note(*normalised.quirks, *(f"ambiguous {name}" for name in normalised.ambiguous))
    sent = read_resource(normalised.body, kind)
    asking.noted.ignored(sent.ignored)
    return sent


def read_changes(asking: Asking, body: Any, kind: ResourceType) -> Changes:
    """A PATCH as it was sent, with deviations put right and noted."""
    normalised = normalise_patch(body, kind)
    asking.noted.note(*normalised.quirks)
    changes = parse_patch(normalised.body, kind)
    asking.noted.ignored(changes.ignored)
    return changes


def given(sent: Resource, kind: ResourceType) -> Keys:
    """The attributes that a whole resource gives a value to."""
    inside = {extension.id for extension in kind.extensions} & sent.document.keys()
    own = {(None, name) for name in sent.document}
    return own | {(extension, name) for extension in inside for name in sent.document[extension]}
