"""How people get in and out: `/sign-in`.

Knows: the one-time link, the invitation, and the session's cookie.
Never knows: SQL, and how long a session may live.
Offers: `link.blueprint`, `invitation.blueprint`.
"""
