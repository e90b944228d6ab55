"""Who is in a local group: people are put in and taken out by their addresses, once it is shown what that gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from provisioning.database import Connection, reading, transaction
from provisioning.directory import local_groups
from provisioning.directory.groups import GroupView
from provisioning.refusals import Invalid, Stale
from provisioning.web.console import confirming, flash, forms, lists, pasted, seen
from provisioning.web.console.guard import by_member, here
from provisioning.web.console.pages.groups.page import blueprint
from provisioning.web.console.shown import counted
from provisioning.web.guard import actor

_IN, _OUT = "in", "out"
_VERBS: Mapping[str, Callable[..., GroupView]] = {_IN: local_groups.put_in, _OUT: local_groups.take_out}
_DONE = {_IN: "put in", _OUT: "taken out"}


@blueprint.get("/<uuid:local_group_id>/members")
@by_member("group.update")
def ask_for_people(local_group_id: UUID) -> str:
    """Ask who is to be in a local group, or in it no longer."""
    with reading() as database:
        group = local_groups.by_id(database, workspace_id=here().workspace_id, group_id=local_group_id)
    which = _OUT if request.args.get("which") == _OUT else _IN
    return _form(group, which, lists.asked_text("emails"))


def _form(group: GroupView, which: str, emails: str, error: str | None = None) -> str:
    shown = {"which": which, "emails": emails, "error": error, "seen": seen.of_group(group)}
    return render_template("console/groups/members.html", group=group, **shown)


@blueprint.post("/<uuid:local_group_id>/members")
@confirming.counts(blueprint, "/<uuid:local_group_id>/members")
@by_member("group.update")
def change_people(local_group_id: UUID) -> Response | str | tuple[str, int]:
    """Show what that gives and takes away, and do it once that was seen."""
    which, written = forms.chosen("which", _VERBS), forms.text("emails", longest=pasted.LONGEST)
    emails = list(dict.fromkeys(written.split()))

    def change(database: Connection) -> GroupView:
        return _change(database, local_group_id, which, emails)

    with reading() as database:
        group = local_groups.by_id(database, workspace_id=here().workspace_id, group_id=local_group_id)
    try:
        if confirming.is_counting() or not forms.is_ticked("sure"):
            shown = {"emails": emails, "which": which, "seen": seen.of_group(group)}
            told = confirming.foreseen(change, tried=True)
            return render_template("console/groups/confirm_members.html", group=group, told=told, **shown)
        with transaction() as database:
            change(database)
    except (Invalid, Stale) as refusal:
        if confirming.is_counting():
            raise
        return _form(group, which, written, refusal.sentence), refusal.status
    said = f"{counted(len(emails), 'address', 'addresses')} {_DONE[which]}."
    return flash.done(said, url_for(".one", group_id=local_group_id))


def _change(database: Connection, group_id: UUID, which: str, emails: list[str]) -> GroupView:
    if not emails:
        raise Invalid("Write one address a line.", field="emails")
    group = local_groups.lock(database, workspace_id=here().workspace_id, group_id=group_id)
    seen.require_group(group)
    people = local_groups.require_people(database, workspace_id=here().workspace_id, emails=emails)
    return _VERBS[which](database, group=group, people=people, by=actor())
