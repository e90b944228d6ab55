"""What is plain at the SCIM door, so that it can be answered before Flask begins with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from provisioning.context import Context
from provisioning.directory.looks import Look
from provisioning.web.scim.asking import Asking
from provisioning.web.scim.told import Told

if TYPE_CHECKING:  # these exist for type checkers alone
    from _typeshed.wsgi import WSGIEnvironment

DOOR = "/scim/v2/"
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class Errand(NamedTuple):
    """What a plain request wants.

    Args:
        look: what is read along with the credential, if anything is.
        run: does it for who asks; None where a view has to, for it is not plain after all, and nothing was done.
        filter: as it was sent.
    """

    look: Look | None
    run: Callable[[Asking], Told | None]
    filter: str | None = None


# Makes out the errand of a request, if it is plain.
Reader = Callable[["WSGIEnvironment", Context], Errand | None]
