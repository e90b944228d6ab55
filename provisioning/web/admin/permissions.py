"""Policies in the vendor's shape: a permission is a role and resources, `WORKSPACE` standing for all that there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from provisioning.access.policies import PolicyView, Terms
from provisioning.access.roles import OWNER, Catalogue
from provisioning.refusals import Invalid, NotFound
from provisioning.web.admin import versions

WORKSPACE = "WORKSPACE"
# What the vendor's SDKs know; one of them gives up on an answer that names another.
_KNOWN = frozenset({"source", "space", "function", "warehouse"})


def read(sent: Iterable[dict[str, Any]], workspace_id: UUID) -> list[Terms]:
    """The policies that permissions ask for: one for all listed resources, and one for each set of labels.

    Raises:
        Invalid: labels on anything but the workspace, or nothing that it is about: all is never meant by leaving out.
        NotFound: another workspace is named.
    """
    return [terms for permission in sent for terms in _of_permission(permission, workspace_id)]


def _of_permission(sent: dict[str, Any], workspace_id: UUID) -> list[Terms]:
    if not sent["resources"] and not sent["labels"]:
        raise Invalid("Name what the role is on; the WORKSPACE for everything.", field="permissions.resources")
    listed = [entry for entry in sent["resources"] if entry["type"] != WORKSPACE]
    whole = [entry for entry in sent["resources"] if entry["type"] == WORKSPACE]
    for entry in whole:
        if entry["id"] not in {"", str(workspace_id)}:
            raise NotFound("There is no such workspace.")
    if any(entry["labels"] for entry in listed) or (listed and sent["labels"]):
        raise Invalid("Labels go with the workspace, not with listed resources.", field="resources.labels")
    common = {"role": sent["role"], "ends_at": sent["ends_at"], "reason": sent["reason"]}
    terms = [Terms(labels=_written([*entry["labels"], *sent["labels"]]), **common) for entry in whole]
    if listed:
        terms.append(Terms(resources=tuple(f"{_kind(entry['type'])}:{entry['id']}" for entry in listed), **common))
    return terms or [Terms(labels=_written(sent["labels"]), **common)]


def _kind(vendors: str) -> str:
    return vendors.lower().replace("_", "-")


def _written(labels: Iterable[dict[str, str]]) -> tuple[str, ...]:
    return tuple(f"{label['key']}:{label['value']}" for label in labels)


def ownership(workspace_id: UUID, roles: Catalogue) -> dict[str, Any]:
    """An owner's permission, which is no policy."""
    whole = {"id": str(workspace_id), "type": WORKSPACE, "labels": []}
    return {"roleId": OWNER, "roleName": roles[OWNER].name, "resources": [whole], "labels": []}


def shown(given: Sequence[PolicyView], workspace_id: UUID, roles: Catalogue) -> list[dict[str, Any]]:
    """Policies as permissions, with what the vendor's API lacks beside it."""
    return [_shown(policy, workspace_id, roles) for policy in given]


def tag(permissions: Iterable[dict[str, Any]]) -> str:
    """The entity tag of permissions, in whatever order they are shown."""
    return versions.tag(sorted(permissions, key=lambda shown: shown.get("policyId", "")))


def _shown(policy: PolicyView, workspace_id: UUID, roles: Catalogue) -> dict[str, Any]:
    role = roles.get(policy.role)
    labels = [{"key": label.split(":")[0], "value": label.split(":")[1]} for label in sorted(policy.scope.labels)]
    permission: dict[str, Any] = {
        "roleId": policy.role,
        "roleName": policy.role if role is None else role.name,
        "resources": [{"id": str(workspace_id), "type": WORKSPACE, "labels": labels}],
        "labels": labels,
        "policyId": str(policy.id),
        "subjectId": str(policy.subject.id),
        "subjectType": {"member": "user"}.get(policy.subject.kind, policy.subject.kind),
    }
    if policy.scope.kind == "resources":
        found = [(r.type in _KNOWN, r.type.upper().replace("-", "_"), r.id) for r in sorted(policy.scope.resources)]
        permission["resources"] = [{"id": i, "type": t, "labels": []} for known, t, i in found if known]
        if more := [{"id": i, "type": t, "labels": []} for known, t, i in found if not known]:
            permission["moreResources"] = more
    optional = {"endsAt": policy.ends_at, "reason": policy.reason}
    return permission | {name: value for name, value in optional.items() if value is not None}
