"""Sessions: a signed-in browser or device of a user, and how long it may live.

Knows: the session policy, and the person's epochs and memberships that a session is judged by.
Never knows: roles and policies, a session's text, HTTP; it keeps how a person proved who they are, and never asks.
Offers: `rules.verdict` (pure), `lifecycle`, `own` for the person, `limits` for owners, `clearing` for workers, `links`,
`vouched` for sign-out at identity providers, `leaks` for texts that were found.
"""
