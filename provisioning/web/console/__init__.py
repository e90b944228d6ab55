"""The door of people: HTML at `/console`.

Knows: pages, and how they look.
Never knows: SQL; any power that the other doors lack.
Offers: `pages.blueprint`, `refused.render`.
"""
