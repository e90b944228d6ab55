"""The built-in roles, as data: stable keys, the names that people see, what each may do, on what, and how narrowly.

`scopes` says how a policy may narrow the role: `all` (every resource of its types, later ones included), `resources`
(a list of them) or `labels` (those that carry all of the labels). A role with `all` alone is workspace-wide only.
`*` as an action means every action there is. A `modifier` adds its actions only where another role already reaches.
"""

from __future__ import annotations

from typing import Any

_ANY_SCOPE = ["all", "resources", "labels"]


def _crud(noun: str) -> list[str]:
    return [f"{noun}.{verb}" for verb in ("read", "create", "update", "delete")]


CATALOGUE: tuple[dict[str, Any], ...] = (
    {
        "key": "workspace-owner",
        "name": "Workspace Owner",
        "description": "Everything in the workspace, access management included.",
        "actions": ["*"],
        "resource_types": ["workspace"],
        "scopes": ["all"],
    },
    {
        "key": "workspace-member",
        "name": "Workspace Member",
        "description": "Nothing by itself: a container for individual roles.",
        "actions": ["workspace.read"],
        "resource_types": ["workspace"],
        "scopes": ["all"],
    },
    {
        "key": "minimal-workspace-access",
        "name": "Minimal Workspace Access",
        "description": "Sees that the workspace exists, and nothing in it. What a newly provisioned member has.",
        "actions": ["workspace.read"],
        "resource_types": ["workspace"],
        "scopes": ["all"],
    },
    {
        "key": "source-admin",
        "name": "Source Admin",
        "description": "Edits sources, their settings, schemas and destinations; creates sources when given all.",
        "actions": [*_crud("source"), *_crud("destination"), "source.label"],
        "resource_types": ["source", "destination"],
        "scopes": _ANY_SCOPE,
    },
    {
        "key": "source-read-only",
        "name": "Source Read-only",
        "description": "Reads sources and their connected destinations.",
        "actions": ["source.read", "destination.read"],
        "resource_types": ["source", "destination"],
        "scopes": _ANY_SCOPE,
    },
    {
        "key": "function-admin",
        "name": "Function Admin",
        "description": "Creates, edits and deletes functions.",
        "actions": _crud("function"),
        "resource_types": ["function"],
        "scopes": ["all", "resources"],
    },
    {
        "key": "function-read-only",
        "name": "Function Read-only",
        "description": "Reads functions.",
        "actions": ["function.read"],
        "resource_types": ["function"],
        "scopes": ["all", "resources"],
    },
    {
        "key": "unify-and-engage-admin",
        "name": "Unify and Engage Admin",
        "description": "Edits the settings, audiences, traits, journeys and content of spaces.",
        "actions": [*_crud("space"), "space.settings", "space.label", *_crud("engage")],
        "resource_types": ["space"],
        "scopes": _ANY_SCOPE,
    },
    {
        "key": "unify-and-engage-read-only",
        "name": "Unify and Engage Read-only",
        "description": "Reads spaces; no settings and no download of personal data.",
        "actions": ["space.read", "engage.read"],
        "resource_types": ["space"],
        "scopes": _ANY_SCOPE,
    },
    {
        "key": "unify-read-only-engage-user",
        "name": "Unify Read-only, Engage User",
        "description": "Reads spaces and edits their Engage objects; no settings and no download of personal data.",
        "actions": ["space.read", *_crud("engage")],
        "resource_types": ["space"],
        "scopes": _ANY_SCOPE,
    },
    {
        "key": "identity-admin",
        "name": "Identity Admin",
        "description": "Edits the identity resolution settings.",
        "actions": ["identity.read", "identity.update"],
        "resource_types": ["workspace"],
        "scopes": ["all"],
    },
    {
        "key": "tracking-plan-admin",
        "name": "Tracking Plan Admin",
        "description": "Edits all tracking plans.",
        "actions": _crud("tracking-plan"),
        "resource_types": ["tracking-plan"],
        "scopes": ["all"],
    },
    {
        "key": "tracking-plan-read-only",
        "name": "Tracking Plan Read-only",
        "description": "Reads all tracking plans.",
        "actions": ["tracking-plan.read"],
        "resource_types": ["tracking-plan"],
        "scopes": ["all"],
    },
    {
        "key": "warehouse-destination-admin",
        "name": "Warehouse Destination Admin",
        "description": "Edits all warehouses and their settings.",
        "actions": _crud("warehouse"),
        "resource_types": ["warehouse"],
        "scopes": ["all"],
    },
    {
        "key": "warehouse-destination-read-only",
        "name": "Warehouse Destination Read-only",
        "description": "Reads all warehouses.",
        "actions": ["warehouse.read"],
        "resource_types": ["warehouse"],
        "scopes": ["all"],
    },
    {
        "key": "entities-admin",
        "name": "Entities Admin",
        "description": "Views and edits entity models and their connections.",
        "actions": _crud("entity"),
        "resource_types": ["workspace"],
        "scopes": ["all"],
    },
    {
        "key": "entities-read-only",
        "name": "Entities Read-only",
        "description": "Views entity models.",
        "actions": ["entity.read"],
        "resource_types": ["workspace"],
        "scopes": ["all"],
    },
    {
        "key": "end-user-privacy-admin",
        "name": "End User Privacy Admin",
        "description": "Edits the end-user privacy settings: suppression and deletion.",
        "actions": ["privacy.read", "privacy.update"],
        "resource_types": ["workspace"],
        "scopes": ["all"],
    },
    {
        "key": "pii-access",
        "name": "PII Access",
        "description": "Unmasks personal data inside resources that other roles already reach; widens nothing.",
        "actions": ["pii.read"],
        "resource_types": ["source", "space", "warehouse"],
        "scopes": ["all"],
        "modifier": True,
    },
)

# What a workspace's own roles may hold besides the actions above: looking, and keeping the list of resources up to
# date. Whatever manages access, people or connections is the owners' alone.
DELEGABLE: tuple[str, ...] = (
    "access.read",
    "audit.read",
    "group.read",
    "invitation.read",
    "label.read",
    "mapping.read",
    "member.read",
    "policy.read",
    "resource.read",
    "resource.register",
    "resource.remove",
    "role.read",
    "session.check",
    "token.introspect",
)
