"""authentik: the whole of a group, without members, as a value without a path.

Where it replaces a group it leaves an empty list of members out, too; but then it reads the group and takes out who is
too many, so that nothing has to be guessed.
"""

from __future__ import annotations

from provisioning.dialects import patches
from provisioning.dialects.dialect import Dialect

DIALECT = Dialect(
    name="authentik",
    calls_itself=("authentik",),
    sends=(patches.read_only_in_value,),
    documented=("https://github.com/goauthentik/authentik/tree/main/authentik/providers/scim/clients",),
)
