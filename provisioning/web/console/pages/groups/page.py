"""The page that all parts about groups belong to."""

from __future__ import annotations

from flask import Blueprint

from provisioning.web.console.page import Page

blueprint = Blueprint("groups", __name__)
PAGE = Page("Groups", "group.read", blueprint, "/groups")
