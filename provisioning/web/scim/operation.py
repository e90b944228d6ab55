"""What one request does to one resource, checked and ready to be carried out in a transaction: alone, or in a Bulk."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import ETags

from provisioning.database import Connection
from provisioning.scim.document import Resource
from provisioning.scim.projection import Projection
from provisioning.scim.schema import ResourceType

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
class Verbs:
    """How the resources of one type are written. Each checks what it is given, and returns what is to be carried out.

    Where `shown` is None, nobody is going to look at the resource.
    """

    create: Callable[[Any, Projection | None], Operation]
    replace: Callable[[str, Any, ETags, Projection | None], Operation]
    change: Callable[[str, Any, ETags, Projection | None], Operation]
    delete: Callable[[str, ETags], Operation]


def given(sent: Resource, kind: ResourceType) -> Keys:
    """The attributes that a whole resource gives a value to."""
    inside = {extension.id for extension in kind.extensions} & sent.document.keys()
    own = {(None, name) for name in sent.document}
    return own | {(extension, name) for extension in inside for name in sent.document[extension]}
