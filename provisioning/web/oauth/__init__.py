"""The OAuth 2.0 door: access tokens for identity providers that ask for them by client credentials.

Knows: Authlib, the forms of RFC 6749 and RFC 8414.
Never knows: SQL; what the token opens.
"""
