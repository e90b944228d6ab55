"""The letter that invites somebody into a workspace."""

from __future__ import annotations

from datetime import datetime

from provisioning.post.letters import Letter

_BODY = """\
{inviter} invites you to the workspace "{workspace}".

To accept, and to be signed in, open this link before {until} UTC:

{link}

It works once, and it is for {email} alone: don't pass it on. A newer invitation
to the same workspace replaces it.

If you did not expect this letter, leave it: nothing happens unless the link is
opened and confirmed.
"""


def letter(*, email: str, workspace: str, inviter: str, link: str, expires_at: datetime) -> Letter:
    """The letter.

    Args:
        email: whom it invites.
        workspace: the workspace's name.
        inviter: who invites, as people call them.
        link: the address with the secret behind its `#`.
        expires_at: until when the link works, in UTC.
    """
    name = " ".join(workspace.split())
    body = _BODY.format(inviter=inviter, workspace=name, until=f"{expires_at:%Y-%m-%d %H:%M}", link=link, email=email)
    return Letter(email, f"Invitation to {name}", body)
