"""Puts the SCIM door together."""

from __future__ import annotations

from flask import Blueprint

from provisioning.web.scim import discovery, groups, users

blueprint = Blueprint("scim", __name__, url_prefix="/scim/v2")
for part in (users, groups, discovery):
    blueprint.register_blueprint(part.blueprint)
