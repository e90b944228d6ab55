"""Microsoft Entra ID: capital operations, booleans as text, and a manager in every form.

It gives no name; the capital operations tell it. With the flag `aadOptscim062020` on the tenant URL it keeps closer to
the standard, and both forms may meet on one connection: what is provisioned on demand ignores the flag.
"""

from __future__ import annotations

from provisioning.dialects import filters, patches, resources, values
from provisioning.dialects.dialect import Dialect

DIALECT = Dialect(
    name="entra",
    sends=(
        patches.op_in_capitals,
        patches.unqualified_extension,
        patches.empty_removal_value,
        resources.old_urns,
        values.boolean_as_text,
        values.bare_value,
        values.manager_forms,
        values.json_in_role,
        filters.unqualified_extension_in_filter,
        filters.text_without_quotation_marks,
    ),
    documented=(
        "https://learn.microsoft.com/en-us/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups",
        "https://learn.microsoft.com/en-us/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility",
    ),
)
