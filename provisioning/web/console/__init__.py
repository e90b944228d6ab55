"""The door of people: HTML at `/console`.

Knows: pages, how they look, and what each of them takes.
Never knows: SQL; any power that the other doors lack.
Offers: `door.init_app`, `refused.render`.
"""
