"""`/api/invites`, as the vendor has it, and `/api/invitations`: what that lacks, such as who invited and until when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from marshmallow import fields

from provisioning.access import admission, custom_roles, policies
from provisioning.context import context
from provisioning.database import Connection, reading, transaction
from provisioning.directory import invitations, users
from provisioning.directory.invitations import InvitationView
from provisioning.web.admin import people_schemas, permissions, schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.giving import giver
from provisioning.web.admin.paging import PageQuery, Pagination, resume
from provisioning.web.guard import actor, by_token, token

blueprint = Blueprint("invitations", __name__, url_prefix="/api", description="People who are invited.")
_ONE = schemas.data("Invitation", invitation=fields.Nested(people_schemas.Invitation))


@blueprint.get("/invites")
@by_token("invitation.read")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(
    200, schemas.data("Invites", invites=fields.List(fields.String()), pagination=fields.Nested(Pagination))
)
def addresses(query: dict[str, Any]) -> Any:
    """The addresses of those who are invited and can still accept."""
    walk = resume(query)
    with reading() as connection:
        found = invitations.pending_addresses(connection, workspace_id=token().workspace_id, window=walk.window())
    return walk.paged("invites", found)


@blueprint.post("/invites")
@by_token("invitation.create")
@blueprint.arguments(people_schemas.InvitesInput)
@blueprint.response(201, schemas.data("Invited", emails=fields.List(fields.String())))
def create(sent: dict[str, Any]) -> Any:
    """Invite people by letters, all of them or none; what they are given is held until they accept."""
    workspace_id = token().workspace_id
    wanted = [(one, permissions.read(one["permissions"] or [], workspace_id)) for one in sent["invites"]]
    with transaction() as connection:
        by = giver(connection)
        # In one order, so that of two who invite the same people at once neither waits for the other for ever.
        for one, terms in sorted(wanted, key=lambda pair: users.address_key(pair[0]["email"])):
            admission.invite(
                connection,
                workspace_id=workspace_id,
                email=one["email"],
                terms=terms,
                group_ids=one["groups"],
                lifetime=context().invitation_lifetime,
                giver=by,
            )
    return {"data": {"emails": [one["email"].strip() for one, _ in wanted]}}


@blueprint.delete("/invites")
@by_token("invitation.delete")
@blueprint.arguments(people_schemas.EmailsQuery, location="query")
@blueprint.response(200, schemas.DONE)
def delete(query: dict[str, Any]) -> Any:
    """Take invitations back, all of them or none, with what was held for them."""
    meant = {users.address_key(email): email for email in query["emails"]}
    with transaction() as connection:
        for _, email in sorted(meant.items()):
            held = invitations.lock_by_email(connection, workspace_id=token().workspace_id, email=email)
            invitations.revoke(connection, invitation=held, by=actor())
    return schemas.SUCCESS


def _shown(connection: Connection, found: Sequence[InvitationView]) -> list[dict[str, Any]]:
    """Invitations with what is held for them."""
    workspace_id = token().workspace_id
    roles = custom_roles.of_workspace(connection, workspace_id=workspace_id, catalogue=context().catalogue)
    ids = [one.id for one in found]
    held = policies.of_many(connection, workspace_id=workspace_id, kind="invitation", ids=ids)
    return [
        {
            "invitation": one,
            "permissions": [
                *([permissions.ownership(workspace_id, roles)] if one.owner else []),
                *permissions.shown(held[one.id], workspace_id, roles),
            ],
        }
        for one in found
    ]


@blueprint.get("/invitations")
@by_token("invitation.read")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(
    200,
    schemas.data(
        "Invitations",
        invitations=fields.List(fields.Nested(people_schemas.Invitation)),
        pagination=fields.Nested(Pagination),
    ),
)
def page(query: dict[str, Any]) -> Any:
    """The workspace's invitations that nobody has accepted, those that have expired too."""
    walk = resume(query)
    with reading() as connection:
        found = invitations.every(connection, workspace_id=token().workspace_id, window=walk.window())
        return walk.paged("invitations", found, _shown(connection, found.items))


@blueprint.get("/invitations/<uuid:invitation_id>")
@by_token("invitation.read")
@blueprint.response(200, _ONE)
def read(invitation_id: UUID) -> Any:
    """One invitation."""
    with reading() as connection:
        found = invitations.by_id(connection, workspace_id=token().workspace_id, invitation_id=invitation_id)
        return {"data": {"invitation": _shown(connection, [found])[0]}}


@blueprint.delete("/invitations/<uuid:invitation_id>")
@by_token("invitation.delete")
@blueprint.response(200, schemas.DONE)
def revoke(invitation_id: UUID) -> Any:
    """Take one invitation back, with what was held for it."""
    with transaction() as connection:
        held = invitations.lock(connection, workspace_id=token().workspace_id, invitation_id=invitation_id)
        invitations.revoke(connection, invitation=held, by=actor())
    return schemas.SUCCESS


@blueprint.post("/invitations/<uuid:invitation_id>/resend")
@by_token("invitation.create")
@blueprint.response(200, _ONE)
def resend(invitation_id: UUID) -> Any:
    """Send another letter, and let its time begin anew; the link of the former works no more."""
    with transaction() as connection:
        held = invitations.lock(connection, workspace_id=token().workspace_id, invitation_id=invitation_id)
        lifetime = context().invitation_lifetime
        renewed = invitations.resend(connection, invitation=held, lifetime=lifetime, by=actor())
        return {"data": {"invitation": _shown(connection, [renewed])[0]}}
