"""What would give ownership by a mapping: it waits for another owner's word."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from flask import render_template, url_for
from werkzeug.wrappers import Response

from provisioning.access import mappings, proposals
from provisioning.database import Connection, reading, transaction
from provisioning.refusals import Conflict
from provisioning.web.console import confirming, flash, forms
from provisioning.web.console.guard import by_member, giver, here
from provisioning.web.console.pages.mappings.page import blueprint
from provisioning.web.guard import actor


@blueprint.get("/proposals/<uuid:proposal_id>")
@confirming.counts(blueprint, "/proposals/<uuid:proposal_id>")
@by_member("mapping.confirm")
def proposal(proposal_id: UUID) -> str:
    """What is asked for, by whom, and who would gain and lose what by it."""
    with reading() as database:
        found = proposals.by_id(database, workspace_id=here().workspace_id, proposal_id=proposal_id)
    is_open = found.state == proposals.OPEN
    if confirming.is_counting() and not is_open:
        raise Conflict(f"This waits for nobody any more: it is {found.state}.")

    def confirmed(database: Connection) -> None:
        mapping = mappings.by_id(database, workspace_id=here().workspace_id, mapping_id=found.mapping_id)
        waiting = replace(mapping, waiting=found.id)
        proposals.foresee(database, workspace_id=here().workspace_id, mapping=waiting, giver=giver(database))

    told = confirming.foreseen(confirmed) if is_open else None
    own = found.asker_id == here().member_id
    return render_template("console/mappings/proposal.html", proposal=found, told=told, own=own)


@blueprint.post("/proposals/<uuid:proposal_id>/confirm")
@by_member("mapping.confirm")
def confirm(proposal_id: UUID) -> Response:
    """Say as another owner than the one who asked that the mapping may be so."""
    with transaction() as database:
        settled = proposals.confirm(
            database, workspace_id=here().workspace_id, proposal_id=proposal_id, giver=giver(database)
        )
    return flash.done(f"{settled.mapping} gives ownership now.", url_for(".one", mapping_id=settled.mapping_id))


@blueprint.post("/proposals/<uuid:proposal_id>/decline")
@by_member("mapping.confirm")
def decline(proposal_id: UUID) -> Response:
    """Say no, and why, or take back what one has asked for."""
    with transaction() as database:
        settled = proposals.decline(
            database,
            workspace_id=here().workspace_id,
            proposal_id=proposal_id,
            answer=forms.text("reason"),
            by=actor(),
        )
    return flash.done(f"{settled.mapping} stays as it is.", url_for(".one", mapping_id=settled.mapping_id))
