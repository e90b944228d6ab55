"""Okta: a random password with each new person, the group's id along with its new name."""

from __future__ import annotations

from provisioning.dialects import patches, resources
from provisioning.dialects.dialect import Dialect

DIALECT = Dialect(
    name="okta",
    calls_itself=("okta",),
    sends=(resources.password, patches.password, patches.read_only_in_value),
    documented=(
        "https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20",
        "https://github.com/okta/okta-developer-docs",
    ),
)
