"""The audit trail: what happened in a workspace, told from the facts that were written when it happened.

Knows: the table of facts, and how one is told to people.
Never knows: what a fact means to a room, or what work it calls for.
Offers: `trail.some`.
"""
