"""The OAuth 2.0 door: access tokens by client credentials, introspection, revocation, metadata and keys.

Knows: Authlib, the forms of RFC 6749, 7009, 7523, 7662 and 8414.
Never knows: SQL; what a token opens.
Offers: `door.blueprint`, `door.init_app`, `refused.render`.
"""
