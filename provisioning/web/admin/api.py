"""Puts the admin API together: its nouns, its OpenAPI 3.1 document, and the page that shows it."""

from __future__ import annotations

from flask import Flask
from flask_smorest import Api

from provisioning.web.admin import (
    access,
    access_requests,
    audit,
    connections,
    documentation,
    drift,
    dry_run,
    extensions,
    forwarding,
    groups,
    invitations,
    leaks,
    mapping_proposals,
    mappings,
    oauth_clients,
    repeats,
    resources,
    sessions,
    sign_in,
    tokens,
    users,
    versions,
    work,
    workspace,
)

_TITLE, _VERSION = "Provisioning admin API", "1"


def init_app(app: Flask) -> None:
    """Register the admin API on an application."""
    app.config.update(
        API_TITLE=_TITLE,
        API_VERSION=_VERSION,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=None,  # served by a route of ours, which declares its guard
    )
    api = Api(app)
    api.spec.components.security_scheme(
        "token",
        {"type": "http", "scheme": "bearer", "description": "An API token, or an access token of an OAuth client."},
    )
    api.spec.options["security"] = [{"token": []}]
    people = (workspace, users, groups, invitations, sessions, connections, drift, sign_in, extensions)
    programs = (tokens, leaks, oauth_clients)
    told = (audit, forwarding, work)
    for noun in (*people, *programs, access, access_requests, mappings, mapping_proposals, resources, *told):
        api.register_blueprint(noun.blueprint)
    app.extensions[documentation.SPEC] = api.spec
    app.register_blueprint(documentation.blueprint)
    dry_run.init_app(app)
    versions.init_app(app)
    repeats.init_app(app)
