"""Keycloak's extensions of the family that goes back to `keycloak-scim`: booleans as text, empty lists left out."""

from __future__ import annotations

from typing import Any

from provisioning.dialects import values
from provisioning.dialects.dialect import Dialect
from provisioning.scim.schema import ResourceType


def members_left_out(body: dict[str, Any], resource_type: ResourceType) -> dict[str, Any]:
    """A Group replaced without `members`: its extensions leave an empty list out, so the group is empty.

    From others it says nothing of the members, and they stay. `GroupAdapter.toSCIM` sets members only if there are any,
    and no request ever replaces a group without telling all of it.
    """
    if resource_type.name != "Group" or any(name.lower() == "members" for name in body):
        return body
    return {**body, "members": []}


DIALECT = Dialect(
    name="keycloak",
    calls_itself=("keycloak",),
    sends=(values.boolean_as_text,),
    means=(members_left_out,),
    documented=(
        "https://github.com/mitodl/keycloak-scim",
        "https://github.com/pelotech/keycloak-scim/blob/main/docs/configuration.md",
    ),
)
