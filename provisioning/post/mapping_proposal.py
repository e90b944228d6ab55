"""The letters about mappings that would give ownership: to those who may confirm, and of what became of it."""

from __future__ import annotations

from provisioning.post.letters import Letter

_ASKED = """\
{asker} wants a mapping to make people owners of the workspace "{workspace}". It means:

    {rule}

Nothing of it counts until another owner than the one who asks has confirmed it. Say
so within seven days, with a token of your own; the first of these shows what it would do, and saves nothing:

    POST /api/mapping-proposals/{proposal_id}/confirm?dryRun=true
    POST /api/mapping-proposals/{proposal_id}/confirm
    POST /api/mapping-proposals/{proposal_id}/decline

The operator may do so, too: provisioning mapping-proposal list --workspace {slug}

If you didn't expect this, decline it, and ask {asker}.
"""
_CONFIRMED = """\
A mapping that {asker} asked for makes people owners of the workspace "{workspace}" from now on. It means:

    {rule}

If you didn't expect this, switch it off:

    provisioning mapping list --workspace {slug}
"""
_DECLINED = """\
The mapping that you wanted to make people owners of the workspace "{workspace}" stays as it is. It would have meant:

    {rule}

The answer:

    {why}
"""


def asked(*, email: str, asker: str, rule: str, proposal_id: str, workspace: str, slug: str) -> Letter:
    """To an owner who may confirm.

    Args:
        email: of the owner.
        asker: who asks, as people call them.
        rule: whom the mapping would mean.
        proposal_id: what is to be confirmed.
        workspace: the workspace's name.
        slug: what commands call it.
    """
    parts = {"asker": asker, "rule": rule, "proposal_id": proposal_id, "workspace": workspace, "slug": slug}
    return _letter(email, "A mapping would make people owners of {workspace}", _ASKED, parts)


def confirmed(*, email: str, asker: str, rule: str, proposal_id: str, workspace: str, slug: str) -> Letter:
    """To an owner, once it counts; the arguments are those of `asked`."""
    parts = {"asker": asker, "rule": rule, "proposal_id": proposal_id, "workspace": workspace, "slug": slug}
    return _letter(email, "A mapping makes people owners of {workspace}", _CONFIRMED, parts)


def declined(*, email: str, workspace: str, rule: str, why: str) -> Letter:
    """To the owner who asked.

    Args:
        email: of the owner.
        workspace: the workspace's name.
        rule: whom the mapping would have meant.
        why: the answer.
    """
    parts = {"workspace": workspace, "rule": rule, "why": why}
    return _letter(email, "The mapping of {workspace} stays as it is", _DECLINED, parts)


def _letter(email: str, subject: str, body: str, parts: dict[str, str]) -> Letter:
    """Each part on one line: it is somebody else's text, and no line of it is to look like ours."""
    said = {name: " ".join(text.split()) for name, text in parts.items()}
    return Letter(email, subject.format(**said), body.format(**said))
