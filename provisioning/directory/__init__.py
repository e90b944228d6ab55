"""Workspaces, connections, people, team members and user groups: who there is.

Knows: SQL of its own tables, the SCIM documents of members and groups, and which changes end people's sessions.
Never knows: roles and policies, what a session is, HTTP, which identity provider speaks.
Offers: one module a noun with its verbs and look-ups - `workspaces`, `connections`, `extensions`, `users`, `members`,
`roster`, `groups`, `local_groups`, `lost_groups`, `invitations`; `deletion` of workspaces for workers.
"""
