"""Accepting an invitation: the letter's secret proves whose address it is, so accepting signs the person in.

As with sign-in links, the secret stands behind the `#`; a page moves it into a form. Looking uses nothing up.
"""

from __future__ import annotations

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from provisioning.access import admission, custom_roles
from provisioning.context import context
from provisioning.credentials import Kind, Secret
from provisioning.database import Connection, in_transaction, reading
from provisioning.directory import invitations, workspaces
from provisioning.outbox import Actor
from provisioning.refusals import Unauthenticated
from provisioning.sessions import lifecycle
from provisioning.web import arrival
from provisioning.web.guard import public, request_id
from provisioning.web.requests import refuse_other_sites
from provisioning.web.sign_in.entering import signed_in
from provisioning.web.sign_in.inviter import refuse_fallen

blueprint = Blueprint("invitation", __name__, url_prefix="/sign-in/invitation", template_folder="templates")


@blueprint.get("")
@public
def page() -> str:
    """The page that the letter leads to: it asks what the secret is about."""
    return render_template("sign_in/invitation.html")


@blueprint.post("/look")
@public
def look() -> str:
    """Who invites whom into what, and until when it can be accepted."""
    refuse_other_sites()
    digest = _digest()
    with reading() as connection:
        found = invitations.by_secret(connection, digest)
        refuse_fallen(connection, found)
        workspace = workspaces.by_id(connection, found.workspace_id)
        inviter = invitations.inviter_name(connection, found)
    return render_template(
        "sign_in/invited.html",
        invitation=found,
        workspace=workspace,
        inviter=inviter,
        secret=request.form["secret"],
    )


@blueprint.post("")
@public
def accept() -> Response:
    """Become a member, and be signed in to this workspace."""
    refuse_other_sites()
    digest, session = _digest(), context().keyring.mint(Kind.SESSION)
    in_transaction(lambda connection: _enter(connection, digest, session))
    return signed_in(session)


def _digest() -> bytes:
    digest = context().keyring.recognise(request.form.get("secret", ""), Kind.INVITATION)
    if digest is None:
        raise Unauthenticated("This is no invitation: open the whole link of the letter.")
    return digest


def _enter(connection: Connection, digest: bytes, session: Secret) -> None:
    found = invitations.by_secret(connection, digest, hold=True)
    refuse_fallen(connection, found)
    workspace_id = found.workspace_id
    roles = custom_roles.of_workspace(connection, workspace_id=workspace_id, catalogue=context().catalogue)
    by = Actor("invitation", str(found.id), request_id())
    member = admission.accept(connection, invitation=found, roles=roles, by=by)
    # The letter is this workspace's word: it opens no other, which may ask for more than reading somebody's mail.
    lifecycle.begin(
        connection,
        user_id=member.user_id,
        digest=session.digest,
        policy=context().session_policy,
        by=Actor("person", str(member.user_id), request_id()),
        reach_id=workspace_id,
        how=arrival.told(),
        replaces=arrival.former(),
    )
