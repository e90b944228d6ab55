"""The audit trail: what happened in a workspace, told from the facts that were written when it happened.

Knows: the table of facts, how one is told to people, and how the trail is sealed, checked and dropped.
Never knows: what a fact means to a room, or what work it calls for.
Offers: `trail.some`, `work.some`, `export.pieces`; `reads.record`; `seals.seal`, `verification.verify`,
`retention.drop`.
"""
