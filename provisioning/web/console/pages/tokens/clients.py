"""OAuth clients: programs that ask for access tokens by client credentials (RFC 6749, section 4.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Response, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from provisioning.access.policies import Subject
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import Connection, reading, transaction
from provisioning.refusals import Conflict, Invalid, NotAllowed, NotFound
from provisioning.tokens import clients, public_keys
from provisioning.tokens.clients import ClientView
from provisioning.tokens.public_keys import Holder
from provisioning.web.console import flash, forms, lists
from provisioning.web.console.guard import by_member, here
from provisioning.web.console.lists import Listing, Offer
from provisioning.web.console.pages.tokens.page import FIELDS, blueprint, givable, give, given, owners, terms
from provisioning.web.guard import actor

_STATES = ("stands", "ended")
_OFFER = Offer(("added", "name"), {"state": _STATES})
_COLUMNS = ("id", "name", "owner", "roles", "made", "stands")


def _some(database: Connection, asked: Listing) -> list[ClientView]:
    """A workspace has few of them: they are read whole."""
    state = asked.filters.get("state")
    found = [
        client
        for client in clients.every(database, workspace_id=here().workspace_id)
        if asked.words.lower() in client.name.lower() and state in {None, _STATES[0] if client.stands else _STATES[1]}
    ]
    if asked.sort == "name":
        found.sort(key=lambda client: client.name)
    return found[::-1] if asked.descending else found


def _told(database: Connection, found: Sequence[ClientView]) -> dict[str, Any]:
    return {
        "given": given(database, "client", [client.id for client in found]),
        "owners": owners(database, [client.member_id for client in found]),
    }


@blueprint.get("/clients")
@by_member("oauth-client.read")
def every_client() -> str:
    """The workspace's OAuth clients."""
    asked = lists.asked(_OFFER)
    with reading() as database:
        page = lists.cut(_some(database, asked), asked.window, lambda client: client.id)
        told = _told(database, page.items)
    shown = {"asked": asked, "clients": page.items, "paging": asked.paging(page)}
    return render_template("console/tokens/clients.html", **shown, **told)


@blueprint.get("/clients/export.csv")
@by_member("oauth-client.read")
def export_clients() -> Response:
    """The same list as a table."""
    asked = lists.asked(_OFFER)
    with reading() as database:
        found = _some(database, asked)
        told = _told(database, found)
    rows = [
        (
            *(client.id, client.name, told["owners"].get(client.member_id)),
            *(", ".join(name for name, _ in told["given"][client.id]), client.created_at.isoformat(), client.stands),
        )
        for client in found
    ]
    return lists.as_csv("oauth-clients", _COLUMNS, iter([rows]))


@blueprint.get("/clients/new")
@by_member("oauth-client.create")
def new_client() -> str:
    """Ask what a client is for, and what it may do."""
    return _form({}, {})


def _form(values: Mapping[str, str], errors: Mapping[str, str]) -> str:
    with reading() as database:
        roles = [(role.key, role.name) for role in givable(database)]
    return render_template("console/tokens/new_client.html", values=values, errors=errors, roles=roles)


@blueprint.post("/clients/new")
@by_member("oauth-client.create")
def create_client() -> str | tuple[str, int]:
    """Make a client that belongs to whoever makes it, and show its secret this once."""
    values = {name: forms.text(name) for name in ("name", "role", "labels")}
    secret = context().keyring.mint(Kind.CLIENT_SECRET)
    of, owner_id = here().workspace_id, here().member_id
    try:
        with transaction() as database:
            made = clients.create(
                database, workspace_id=of, name=values["name"], owner_id=owner_id, token_lifetime=None, by=actor()
            )
            give(database, Subject("client", made.id), terms())
            clients.add_secret(database, client=made, digest=secret.digest, by=actor())
    except (Invalid, NotAllowed) as refusal:
        return _form(values, {FIELDS.get(refusal.field or "", "role"): refusal.sentence}), refusal.status
    return _shown(made, secret.text)


def _shown(client: ClientView, secret: str) -> str:
    told = [
        ("Token URL", f"{context().public_url}/oauth/token", False),
        ("Client id", str(client.id), False),
        ("Client secret", secret, True),
    ]
    back = url_for(".one_client", client_id=client.id)
    return render_template(
        "console/shown_once.html", title=f"The client {client.name}", told=told, back=back, page="Tokens"
    )


@blueprint.get("/clients/<uuid:client_id>")
@by_member("oauth-client.read")
def one_client(client_id: UUID) -> str:
    """One client: what it may do, and by what it proves itself."""
    with reading() as database:
        client = clients.by_id(database, workspace_id=here().workspace_id, client_id=client_id)
        told = _told(database, [client])
        told["secrets"] = clients.secrets(database, client=client)
        told["keys"] = public_keys.every(database, holder=_holder(client))
    return render_template("console/tokens/client.html", client=client, most=clients.MOST_SECRETS, **told)


def _holder(client: ClientView) -> Holder:
    return Holder("client", client.id, client.workspace_id)


def _held(database: Connection, client_id: UUID) -> ClientView:
    return clients.lock(database, workspace_id=here().workspace_id, client_id=client_id)


@blueprint.post("/clients/<uuid:client_id>/secrets")
@by_member("oauth-client.update")
def add_secret(client_id: UUID) -> str | AnyResponse:
    """Give a client another secret, shown this once; those that it has stay valid until they are removed."""
    secret = context().keyring.mint(Kind.CLIENT_SECRET)
    try:
        with transaction() as database:
            client = _held(database, client_id)
            clients.add_secret(database, client=client, digest=secret.digest, by=actor())
    except Conflict as refusal:
        return flash.done(refusal.sentence, url_for(".one_client", client_id=client_id))
    return _shown(client, secret.text)


@blueprint.get("/clients/<uuid:client_id>/secrets/<uuid:secret_id>/remove")
@by_member("oauth-client.update")
def confirm_remove_secret(client_id: UUID, secret_id: UUID) -> str:
    """Say what ends with a secret, and ask once."""
    with reading() as database:
        client = clients.by_id(database, workspace_id=here().workspace_id, client_id=client_id)
        found = clients.secrets(database, client=client)
        keys = public_keys.every(database, holder=_holder(client))
    secret = next((one for one in found if one.id == secret_id), None)
    if secret is None:
        raise NotFound("There is no such secret.")
    left = {"others": len(found) - 1, "keys": len(keys)}
    return render_template("console/tokens/remove_secret.html", client=client, secret=secret, **left)


@blueprint.post("/clients/<uuid:client_id>/secrets/<uuid:secret_id>/remove")
@by_member("oauth-client.update")
def remove_secret(client_id: UUID, secret_id: UUID) -> AnyResponse:
    """Take a secret from a client; its access tokens end, and it asks for others."""
    with transaction() as database:
        clients.remove_secret(database, client=_held(database, client_id), secret_id=secret_id, by=actor())
    return flash.done("The secret is gone.", url_for(".one_client", client_id=client_id))


@blueprint.get("/clients/<uuid:client_id>/delete")
@by_member("oauth-client.delete")
def confirm_delete_client(client_id: UUID) -> str:
    """Say what ends with a client, and ask once."""
    with reading() as database:
        client = clients.by_id(database, workspace_id=here().workspace_id, client_id=client_id)
    return render_template("console/tokens/delete_client.html", client=client)


@blueprint.post("/clients/<uuid:client_id>/delete")
@by_member("oauth-client.delete")
def delete_client(client_id: UUID) -> AnyResponse:
    """Take a client away; its access tokens are refused from that moment on."""
    with transaction() as database:
        client = _held(database, client_id)
        clients.remove(database, client=client, by=actor())
    return flash.done(f"The client {client.name} is gone.", url_for(".every_client"))
