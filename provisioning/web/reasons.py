"""Why sessions end, in words for people."""

from __future__ import annotations

from collections.abc import Mapping

# Of one that has ended.
ENDED: Mapping[str, str] = {
    "revoked_hipaa_change": "Your access to a HIPAA-eligible workspace changed, which ends all sessions begun before.",
    "idle_hipaa": "As a member of a HIPAA-eligible workspace you are signed out after a time without activity.",
    "idle": "There was no activity for too long.",
    "absolute": "The session had lasted as long as a session may.",
    "suspended": "Your membership of a workspace was suspended.",
    "removed": "You are no longer a member of a workspace.",
    "revoked": "Somebody ended the session.",
    "signed_out": "You signed out.",
    "connection_closed": "Your workspace's identity provider no longer signs people in here.",
    "signed_in_again": "You signed in again in the same browser.",
    "too_many": "You signed in more often than sessions may live at once: the oldest gave way.",
    "no_active_membership": "You are an active member of no workspace.",
}

# Of one that lives.
ENDINGS: Mapping[str, str] = {
    "absolute": "as long as a session may last",
    "idle": "without activity until then",
    "idle_hipaa": "without activity until then, for a member of a HIPAA-eligible workspace",
}
