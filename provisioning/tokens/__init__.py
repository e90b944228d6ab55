"""API tokens and OAuth clients: programs that act in one workspace, within their policies.

Knows: who owns a token or client, when it ends and why it ended, by what a client proves who it is.
Never knows: what a program may do (its policies are in `access`), the text of a token or secret, HTTP.
Offers: `api` for API tokens; `clients`, `public_keys` and `assertions` for OAuth clients and their access tokens.
"""
