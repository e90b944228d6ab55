"""The door of identity providers: SCIM 2.0 (RFC 7643, RFC 7644) at `/scim/v2`.

Knows: SCIM's verbs and media type, and how members and groups look as Users and Groups.
Never knows: SQL; which identity provider speaks, beyond what `dialects` has put right.
Offers: `door.blueprint`, `refused.render`.
"""
