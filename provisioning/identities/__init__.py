"""Who a connection's identity provider says that somebody is (OpenID Connect), and which member that is.

Knows: the providers' settings, the domains whose people they speak for, and the links from their subjects to members.
Never knows: what a session is, HTTP, how a token is verified.
Offers: `providers` (settings), `setting_up` (what doors make of an admin's words), `domains` (which provider an
address leads to), `linking` (whose subject it is).
"""
