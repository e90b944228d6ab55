"""Puts the SCIM door together."""

from __future__ import annotations

from flask import Blueprint

from provisioning.web.scim import bulk, discovery, everything, groups, journal, media, users

blueprint = Blueprint("scim", __name__, url_prefix="/scim/v2")
blueprint.before_request(journal.begin)
blueprint.before_request(media.require_acceptable)
blueprint.after_request(journal.end)
for part in (
    users.ENDPOINT.blueprint(),
    groups.ENDPOINT.blueprint(),
    everything.blueprint,
    bulk.blueprint,
    discovery.blueprint,
):
    blueprint.register_blueprint(part)
