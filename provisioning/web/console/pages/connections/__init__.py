"""Connections: setting one up and seeing it come alive, keeping it in hand, and what it did.

Knows: what admins of a workspace see and set of identity providers' links, a module for each part.
Never knows: the domains that a connection speaks for; those are the operator's.
Offers: `PAGE`.
"""

from __future__ import annotations

from provisioning.web.console.pages.connections import credentials, held, index, log, one, sign_in, wizard
from provisioning.web.console.pages.connections.page import PAGE

# Each of them adds its views to the page's blueprint.
PARTS = (index, wizard, one, credentials, held, log, sign_in)

__all__ = ["PAGE", "PARTS"]
