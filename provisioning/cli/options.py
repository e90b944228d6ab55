"""Options that several commands have, each with one wording."""

from __future__ import annotations

import click

workspace_option = click.option("--workspace", required=True, help="The slug of the workspace.")
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Save nothing; show who would gain and who would lose what."
)
label_option = click.option(
    "--label", "labels", multiple=True, help="key:value; with several, resources must carry all of them."
)
resource_option = click.option(
    "--resource", "resources", multiple=True, help="type:id; neither label nor resource: all, later ones too."
)
start_index_option = click.option(
    "--start-index", type=click.IntRange(min=1), default=1, help="The place of the first one, from 1."
)
count_option = click.option("--count", type=click.IntRange(1, 10_000), default=100, help="How many at the most.")
