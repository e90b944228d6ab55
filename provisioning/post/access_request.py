"""The letter that tells owners that a member asks for access."""

from __future__ import annotations

from provisioning.post.letters import Letter

_BODY = """\
{member} asks for the role {role} in the workspace "{workspace}":

    {why}

Approve or deny it:

    provisioning access-request list --workspace {slug}
"""


def letter(*, email: str, member: str, role: str, why: str, workspace: str, slug: str) -> Letter:
    """The letter.

    Args:
        email: of an owner.
        member: who asks, as people call them.
        role: for what.
        why: in their own words.
        workspace: the workspace's name.
        slug: what commands call it.
    """
    parts = {"member": member, "role": role, "why": why, "workspace": workspace, "slug": slug}
    said = {name: " ".join(text.split()) for name, text in parts.items()}
    return Letter(email, f"{said['member']} asks for access to {said['workspace']}", _BODY.format(**said))
