"""The letters about forwarding endpoints: one was registered, one fails, one was given up."""

from __future__ import annotations

from provisioning.post.letters import Letter

_REGISTERED = """\
What happens in the workspace "{workspace}" is sent to {origin} from now on.

Somebody who manages the workspace has registered that address. If nobody of
you did, look in the audit trail for who it was, and take it away:

    provisioning forward list --workspace {slug}
"""
_FAILING = """\
{origin} does not take what happens in the workspace "{workspace}": {error}.

Nothing is lost: it is tried again until it works, and everything is sent in
its order then. If it goes on for days, sending is switched off.

    provisioning forward list --workspace {slug}
"""
_DISABLED = """\
{origin} is not sent any more what happens in the workspace "{workspace}": {error}.

Nothing is lost: switch it on again, and it goes on where it was.

    provisioning forward enable ID --workspace {slug}
"""


def registered(*, email: str, workspace: str, slug: str, origin: str) -> Letter:
    """The letter that tells owners of a new endpoint.

    Args:
        email: of an owner.
        workspace: the workspace's name.
        slug: what commands call it.
        origin: scheme, host and port of the endpoint.
    """
    return _letter(_REGISTERED, "is told what happens in", email, workspace=workspace, slug=slug, origin=origin)


def failing(*, email: str, workspace: str, slug: str, origin: str, error: str) -> Letter:
    """The letter that tells owners that an endpoint fails; arguments as for `registered`, and why."""
    about = {"workspace": workspace, "slug": slug, "origin": origin, "error": error}
    return _letter(_FAILING, "does not take what happens in", email, **about)


def disabled(*, email: str, workspace: str, slug: str, origin: str, error: str) -> Letter:
    """The letter that tells owners that an endpoint was given up; arguments as for `failing`."""
    about = {"workspace": workspace, "slug": slug, "origin": origin, "error": error}
    return _letter(_DISABLED, "is not told any more what happens in", email, **about)


def _letter(body: str, what: str, email: str, **about: str) -> Letter:
    said = {name: " ".join(text.split()) for name, text in about.items()}
    return Letter(email, f"{said['origin']} {what} {said['workspace']}", body.format(**said))
