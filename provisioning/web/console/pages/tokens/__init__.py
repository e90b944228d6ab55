"""Tokens: what programs of the workspace prove themselves by, API tokens and OAuth clients.

Knows: making, renewing and ending them, within what the person has who does it.
Never knows: a secret, once it was shown.
Offers: `PAGE`.
"""

from __future__ import annotations

from provisioning.web.console.pages.tokens import api_tokens, clients
from provisioning.web.console.pages.tokens.page import PAGE

# Each of them adds its views to the page's blueprint.
PARTS = (api_tokens, clients)

__all__ = ["PAGE", "PARTS"]
