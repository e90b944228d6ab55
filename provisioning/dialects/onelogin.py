"""OneLogin: a template that an admin edits, with URNs of older drafts, the only e-mail bare, and booleans as text."""

from __future__ import annotations

from provisioning.dialects import resources, values
from provisioning.dialects.dialect import Dialect

DIALECT = Dialect(
    name="onelogin",
    calls_itself=("onelogin",),
    sends=(resources.old_urns, values.single_element, values.boolean_as_text, values.empty_external_id),
    documented=(
        "https://doc.keepnetlabs.com/next-generation-product/platform/company/company-settings/scim-settings/onelogin-scim-integration",
        "https://scim.dev/guide/applications/onelogin.html",
    ),
)
