"""Groups: linked and local ones, who is in them, and what being in them gives.

Knows: what is done to a group, and what that does to people's access, before it is done.
Never knows: how a linked group is changed; its identity provider does that.
Offers: `PAGE`.
"""

from __future__ import annotations

from provisioning.web.console.pages.groups import changing, listed, people
from provisioning.web.console.pages.groups.page import PAGE

# Each of them adds its views to the page's blueprint.
PARTS = (listed, changing, people)

__all__ = ["PAGE", "PARTS"]
