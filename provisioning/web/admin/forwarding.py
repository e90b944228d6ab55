"""`/api/forwarding-endpoints`: addresses that are told what happens in the workspace."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from provisioning.context import context
from provisioning.database import Connection, reading, transaction
from provisioning.forwarding import endpoints, selection, sending
from provisioning.forwarding.endpoints import EndpointView
from provisioning.tokens import bounds
from provisioning.tokens.standing import TokenView
from provisioning.web.admin import schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.schemas import Strict
from provisioning.web.guard import actor, by_token, token

blueprint = Blueprint(
    "forwarding", __name__, url_prefix="/api/forwarding-endpoints", description="Addresses told what happens."
)
_EVENTS = {
    "description": "Names of events, `noun.*` for all of a noun, `*` for all.",
    "example": ["member.*", "policy.created"],
}


class _Endpoint(Schema):
    """An endpoint: everything but its secrets."""

    id = fields.UUID()
    url = fields.String()
    events = fields.List(fields.String(), metadata=_EVENTS)
    enabled = fields.Boolean()
    state = fields.String(metadata={"enum": ["enabled", "failing", "disabled"]})
    attempts = fields.Integer(metadata={"description": "How often what comes next was tried in vain."})
    error = fields.String(allow_none=True)
    dueAt = fields.AwareDateTime(attribute="due_at")  # noqa: N815 - the API's case
    failingSince = fields.AwareDateTime(attribute="failing_since", allow_none=True)  # noqa: N815 - the API's case
    deliveredAt = fields.AwareDateTime(attribute="delivered_at", allow_none=True)  # noqa: N815 - the API's case
    disabledAt = fields.AwareDateTime(attribute="disabled_at", allow_none=True)  # noqa: N815 - the API's case
    disabledBecause = fields.String(attribute="disabled_because", allow_none=True)  # noqa: N815 - the API's case
    createdAt = fields.AwareDateTime(attribute="created_at")  # noqa: N815 - the API's case


class _EndpointInput(Strict):
    """An endpoint to register; its address never changes."""

    url = fields.String(required=True, metadata={"example": "https://siem.corp.example/audit"})
    events = fields.List(fields.String(), load_default=lambda: [selection.ALL], metadata=_EVENTS)


class _EndpointChange(Strict):
    """What is to be changed of an endpoint; what is left out stays as it is."""

    events = fields.List(fields.String(), load_default=None, metadata=_EVENTS)
    enabled = fields.Boolean(load_default=None)


class _Rotation(Strict):
    """How many seconds the secrets in use go on signing beside the new one; a day where nothing is said."""

    overlap = fields.Integer(load_default=None, strict=True, validate=validate.Range(0, 2**31 - 1))


class _Replay(Strict):
    since = fields.AwareDateTime(required=True)


class _Trial(Schema):
    delivered = fields.Boolean(attribute="taken")
    status = fields.Integer(allow_none=True)
    error = fields.String(allow_none=True)


_ONE = schemas.data("ForwardingEndpoint", endpoint=fields.Nested(_Endpoint))
_NEW = schemas.data("NewForwardingEndpoint", endpoint=fields.Nested(_Endpoint), secret=fields.String())
_ALL = schemas.data("ForwardingEndpoints", endpoints=fields.List(fields.Nested(_Endpoint)))
_TRIAL = schemas.data("ForwardingTrial", test=fields.Nested(_Trial))


def _held(connection: Connection, endpoint_id: UUID) -> EndpointView:
    return endpoints.lock(connection, workspace_id=token().workspace_id, endpoint_id=endpoint_id)


def _refuse_bound() -> None:
    """What is told to an endpoint is read from anywhere."""
    if isinstance(asking := token(), TokenView):
        bounds.refuse_bound(asking)


@blueprint.get("")
@by_token("forwarding-endpoint.read")
@blueprint.response(200, _ALL)
def every() -> Any:
    """The workspace's endpoints, and how each of them is."""
    with reading() as connection:
        return {"data": {"endpoints": endpoints.every(connection, workspace_id=token().workspace_id)}}


@blueprint.post("")
@by_token("forwarding-endpoint.create")
@blueprint.arguments(_EndpointInput)
@blueprint.response(201, _NEW)
def register(sent: dict[str, Any]) -> Any:
    """Have an address told what happens from now on; its secret is shown this once, and owners get a letter."""
    _refuse_bound()
    with transaction() as connection:
        made = endpoints.register(
            connection,
            workspace_id=token().workspace_id,
            **sent,
            sealer=context().forwarding.sealer,
            outbound=context().forwarding.outbound,
            by=actor(),
        )
    return {"data": {"endpoint": made.endpoint, "secret": made.secret}}


@blueprint.get("/<uuid:endpoint_id>")
@by_token("forwarding-endpoint.read")
@blueprint.response(200, _ONE)
def read(endpoint_id: UUID) -> Any:
    """One endpoint, and how it is."""
    with reading() as connection:
        found = endpoints.by_id(connection, workspace_id=token().workspace_id, endpoint_id=endpoint_id)
    return {"data": {"endpoint": found}}


@blueprint.patch("/<uuid:endpoint_id>")
@by_token("forwarding-endpoint.update")
@blueprint.arguments(_EndpointChange)
@blueprint.response(200, _ONE)
def change(sent: dict[str, Any], endpoint_id: UUID) -> Any:
    """Have an endpoint told of other events, or switch it off or on; on again, it goes on where it was."""
    with transaction() as connection:
        changed = endpoints.change(connection, endpoint=_held(connection, endpoint_id), **sent, by=actor())
    return {"data": {"endpoint": changed}}


@blueprint.delete("/<uuid:endpoint_id>")
@by_token("forwarding-endpoint.delete")
@blueprint.response(200, schemas.DONE)
def remove(endpoint_id: UUID) -> Any:
    """Take an endpoint away."""
    with transaction() as connection:
        endpoints.remove(connection, endpoint=_held(connection, endpoint_id), by=actor())
    return schemas.SUCCESS


@blueprint.post("/<uuid:endpoint_id>/rotate")
@by_token("forwarding-endpoint.update")
@blueprint.arguments(_Rotation)
@blueprint.response(200, _NEW)
def rotate(sent: dict[str, Any], endpoint_id: UUID) -> Any:
    """Give an endpoint a new secret, shown this once; those in use sign beside it until the overlap ends."""
    _refuse_bound()
    overlap = endpoints.OVERLAP if sent["overlap"] is None else timedelta(seconds=sent["overlap"])
    with transaction() as connection:
        held, sealer = _held(connection, endpoint_id), context().forwarding.sealer
        made = endpoints.rotate(connection, endpoint=held, overlap=overlap, sealer=sealer, by=actor())
    return {"data": {"endpoint": made.endpoint, "secret": made.secret}}


@blueprint.post("/<uuid:endpoint_id>/replay")
@by_token("forwarding-endpoint.update")
@blueprint.arguments(_Replay)
@blueprint.response(200, _ONE)
def replay(sent: dict[str, Any], endpoint_id: UUID) -> Any:
    """Have an endpoint told of everything since a moment: again, or only of that where it is still to come."""
    with transaction() as connection:
        held = _held(connection, endpoint_id)
        return {"data": {"endpoint": endpoints.replay(connection, endpoint=held, since=sent["since"], by=actor())}}


@blueprint.post("/<uuid:endpoint_id>/test")
@by_token("forwarding-endpoint.update")
@blueprint.response(200, _TRIAL)
def test(endpoint_id: UUID) -> Any:
    """Send an endpoint a signed message without events, now, and tell what became of it."""
    with reading() as connection:
        found = endpoints.by_id(connection, workspace_id=token().workspace_id, endpoint_id=endpoint_id)
    outcome = sending.test(found, sealer=context().forwarding.sealer, outbound=context().outbound)
    return {"data": {"test": outcome}}
