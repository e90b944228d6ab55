"""JumpCloud: nothing is known to deviate in what it sends as SCIM 2.0."""

from __future__ import annotations

from provisioning.dialects.dialect import Dialect

DIALECT = Dialect(
    name="jumpcloud",
    calls_itself=("jumpcloud",),
    documented=(
        "https://jumpcloud.com/support/provision-and-manage-users-and-groups-in-apps-using-custom-scim-identity-management-integration",
    ),
)
