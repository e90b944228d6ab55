"""The protocol's own documents: lists, errors (RFC 7644, 3.4.2 and 3.12) and discovery (RFC 7643, 5 to 7)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provisioning.scim.errors import ScimError
from provisioning.scim.extensions import Kinds
from provisioning.scim.schema import ResourceType, Schema

_MESSAGES = "urn:ietf:params:scim:api:messages:2.0"
_CORE = "urn:ietf:params:scim:schemas:core:2.0"
BULK_REQUEST_URN = f"{_MESSAGES}:BulkRequest"


def error_body(error: ScimError) -> dict[str, Any]:
    """The document of a refusal; the status is a string, as RFC 7644, section 3.12 wants it."""
    body = {"schemas": [f"{_MESSAGES}:Error"], "status": str(error.status), "detail": error.detail}
    return body if error.scim_type is None else {**body, "scimType": error.scim_type}


def list_response(
    resources: Sequence[Any], *, total: int, start_index: int | None = None, next_cursor: str | None = None
) -> dict[str, Any]:
    """A page of a list: how many there are in all, how many the page has, and where it stands.

    Args:
        resources: those of the page, as orjson writes them.
        total: how many there are in all.
        start_index: the place of the first one, where the page was asked for by it (RFC 7644, section 3.4.2.4).
        next_cursor: what to ask for the next page with (RFC 9865, section 2); None on the last one.
    """
    place = {"startIndex": start_index, "nextCursor": next_cursor}
    return {
        "schemas": [f"{_MESSAGES}:ListResponse"],
        "totalResults": total,
        **{name: value for name, value in place.items() if value is not None},
        "itemsPerPage": len(resources),
        "Resources": list(resources),
    }


def bulk_response(operations: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What became of each operation of a Bulk request (RFC 7644, section 3.7.3)."""
    return {"schemas": [f"{_MESSAGES}:BulkResponse"], "Operations": list(operations)}


def resource(
    resource_type: ResourceType,
    *,
    identifier: str,
    document: dict[str, Any],
    created: datetime,
    last_modified: datetime,
    version: str,
    base_url: str,
    extra: dict[str, Any],
) -> dict[str, Any]:
    """A stored document as a whole resource, with what only the service writes.

    Args:
        resource_type: what it is.
        identifier: its id.
        document: as stored.
        created: when it came to be.
        last_modified: when it last changed.
        version: the opaque part of its entity tag.
        base_url: what clients call the service.
        extra: read-only attributes that are kept elsewhere, such as a User's groups.
    """
    used = [extension.id for extension in resource_type.extensions if extension.id in document]
    return {
        "schemas": [resource_type.schema.id, *used],
        "id": identifier,
        **document,
        **extra,
        "meta": {
            "resourceType": resource_type.name,
            "created": _moment(created),
            "lastModified": _moment(last_modified),
            "location": f"{base_url}{resource_type.endpoint}/{identifier}",
            "version": f'W/"{version}"',
        },
    }


@functools.lru_cache(maxsize=256)
def writer(resource_type: ResourceType, base_url: str) -> Callable[[str, str, str, str, str, str], str]:
    """What does the same as `resource` with documents as they are stored: it writes texts that are ready to be sent.

    Args:
        resource_type: what is written.
        base_url: what clients call the service.

    Returns:
        A function of a resource's id, its document as stored, with something in it, when it came to be and when it last
        changed, in UTC and by milliseconds, the opaque part of its entity tag, and attributes that are kept elsewhere,
        each with a comma before it.
    """
    begin = f'{{"schemas":["{resource_type.schema.id}"'
    # A quotation mark within a text has a backslash before it: what looks like a name there is none.
    marks = [(f'"{extension.id}":', f',"{extension.id}"') for extension in resource_type.extensions]
    meta = f',"meta":{{"resourceType":"{resource_type.name}","created":"'
    location = f'Z","location":"{base_url}{resource_type.endpoint}/'

    def write(identifier: str, document: str, created: str, last_modified: str, version: str, extra: str) -> str:
        used = "".join([urn for mark, urn in marks if mark in document])
        return (
            f'{begin}{used}],"id":"{identifier}",{document[1:-1]}{extra}{meta}{created}Z",'
            f'"lastModified":"{last_modified}{location}{identifier}","version":"W/\\"{version}\\""}}}}'
        )

    return write


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The limits of what the service can do beyond the protocol's core; nothing is claimed that isn't so."""

    default_page_size: int
    max_page_size: int
    cursor_timeout_seconds: int
    bulk_operations: int
    bulk_bytes: int


def service_provider_config(base_url: str, capabilities: Capabilities) -> dict[str, Any]:
    """RFC 7643, section 5, and RFC 9865, section 4. Every block is whole: some clients give up on a missing key."""
    return {
        "schemas": [f"{_CORE}:ServiceProviderConfig"],
        "documentationUri": f"{base_url.removesuffix('/scim/v2')}/docs",
        "patch": {"supported": True},
        "bulk": {
            "supported": True,
            "maxOperations": capabilities.bulk_operations,
            "maxPayloadSize": capabilities.bulk_bytes,
        },
        "filter": {"supported": True, "maxResults": capabilities.max_page_size},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "pagination": {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": capabilities.default_page_size,
            "maxPageSize": capabilities.max_page_size,
            "cursorTimeout": capabilities.cursor_timeout_seconds,
        },
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "The token of the connection, in the Authorization header.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base_url}/ServiceProviderConfig"},
    }


def resource_types(kinds: Kinds, base_url: str) -> list[dict[str, Any]]:
    """RFC 7643, section 6."""
    return [_resource_type(resource_type, base_url) for resource_type in kinds]


def _resource_type(resource_type: ResourceType, base_url: str) -> dict[str, Any]:
    return {
        "schemas": [f"{_CORE}:ResourceType"],
        "id": resource_type.name,
        "name": resource_type.name,
        "endpoint": resource_type.endpoint,
        "description": resource_type.description,
        "schema": resource_type.schema.id,
        "schemaExtensions": [{"schema": extension.id, "required": False} for extension in resource_type.extensions],
        "meta": {"resourceType": "ResourceType", "location": f"{base_url}/ResourceTypes/{resource_type.name}"},
    }


def schemas(kinds: Kinds, base_url: str) -> list[dict[str, Any]]:
    """RFC 7643, section 7: from the same data that requests are checked by."""
    every = [schema for kind in kinds for schema in (kind.schema, *kind.extensions)]
    return [
        {**schema_body(schema), "meta": {"resourceType": "Schema", "location": f"{base_url}/Schemas/{schema.id}"}}
        for schema in every
    ]


def schema_body(schema: Schema) -> dict[str, Any]:
    """One schema as `/Schemas` shows it, and as it is registered."""
    return {
        "schemas": [f"{_CORE}:Schema"],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": [attribute.as_json() for attribute in schema.attributes],
    }
