"""Anybody else: scripts that leave out what goes without saying, and forms that other services have taught clients."""

from __future__ import annotations

from provisioning.dialects import patches, resources
from provisioning.dialects.dialect import Dialect

DIALECT = Dialect(
    name="other",
    sends=(
        patches.operations_key,
        patches.missing_schemas,
        resources.missing_schemas,
        patches.wrapped_members,
    ),
    documented=("https://github.com/RIPAGlobal/scimitar/issues/43",),
)
