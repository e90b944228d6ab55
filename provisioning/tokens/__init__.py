"""API tokens and OAuth clients: programs that act in one workspace, within their policies.

Knows: who owns a program, from where a token may be used, when it ends and why, by what a client proves who it is.
Never knows: what a program may do (its policies are in `access`), the text of a token or secret, HTTP.
Offers: `api` with the verbs of API tokens, `standing` that judges them, `ending` and `warnings` for the workers;
`clients`, `public_keys` and `assertions` for OAuth clients; `answers`, kept for a day for requests that are sent again.
"""
