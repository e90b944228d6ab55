"""The doors: HTTP for identity providers, admins, applications, operators and people.

Knows: requests and responses, who is asking, and in which shape each door says no.
Never knows: SQL, and what the rules are.
Offers: one folder an audience; `guard` for all; `errors`, which renders refusals by path.
"""
