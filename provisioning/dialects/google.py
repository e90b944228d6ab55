"""Google Workspace: a URN of SCIM 1.0 beside its own."""

from __future__ import annotations

from provisioning.dialects import resources
from provisioning.dialects.dialect import Dialect

DIALECT = Dialect(name="google", calls_itself=("google",), sends=(resources.old_urns,))
