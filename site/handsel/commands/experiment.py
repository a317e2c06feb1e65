"""``handsel experiment``: how the tests of landing pages stand."""

from __future__ import annotations

import json

import click

from handsel.cli import with_app


@click.group("experiment")
def experiment_command() -> None:
    """Tests of landing page variants against each other.

    \b
    Example:
      handsel experiment status home-energy-guide
    """


@experiment_command.command("status")
@click.argument("offer", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@with_app
def status(offer: str | None, as_json: bool) -> None:
    """Visitors, conversions and rate of each variant, and what was left out and why.

    Without OFFER: every offer that has an experiment.

    \b
    Examples:
      handsel experiment status
      handsel experiment status home-energy-guide --json
    """
    from handsel import offers
    from handsel.db import db
    from handsel.errors import HandselError, nearest
    from handsel.experiments.report import report

    project = offers.current()
    if offer is not None and project.offer(offer) is None:
        raise HandselError(f"offers/{offer}", "There is no such offer.", nearest(offer, project.offers))
    chosen = [project.offer(offer)] if offer else [
        found for found in project.offers.values() if found.meta.experiment is not None]
    with db.engine.connect() as connection:
        reports = [report(connection, found.slug, found.split) for found in chosen if found is not None]
    if as_json:
        click.echo(json.dumps([told.as_dict() for told in reports], indent=2))
        return
    if not reports:
        click.echo("No offer has an experiment. Put `experiment: {goal: capture}` into an offer.md and write a "
                   "landing.b.md.")
    for told in reports:
        click.echo("\n".join(told.lines()))
