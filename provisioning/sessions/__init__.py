"""Sessions: a signed-in browser or device of a user, and how long it may live.

Knows: the session policy, and the person's epochs and memberships that a session is judged by.
Never knows: roles and policies, a session's text, HTTP, how a person proved who they are.
Offers: `rules.verdict` (pure), `lifecycle` (begin, judge, list, revoke), `clearing` for the workers, `links`.
"""
