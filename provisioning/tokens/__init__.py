"""API tokens: secrets that act in one workspace, within their policies, until they expire.

Knows: who owns a token, from where it may be used, when it ends and why it ended.
Never knows: what a token may do (its policies are in `access`), its text, HTTP.
Offers: `api` with the verbs, `standing` that judges, `ending` and `warnings` for the workers; `answers`, kept for a day
for requests that are sent again.
"""
