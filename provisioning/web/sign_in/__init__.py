"""How people get in and out: `/sign-in`.

Knows: the one-time link, and the session's cookie.
Never knows: SQL, and how long a session may live.
Offers: `link.blueprint`.
"""
