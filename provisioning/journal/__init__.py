"""What each connection asked, and what became of it: kept for a while, so that admins see why somebody did not arrive.

Knows: its table. A diagnosis, not the audit trail: what was written last may be lost when a process is killed.
Never knows: HTTP, SCIM's grammar. No password and no token is ever in it.
Offers: `entries` - write, search, check a connection, and forget what is old.
"""
