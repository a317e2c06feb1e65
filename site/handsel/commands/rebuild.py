"""``handsel rebuild``: throw the views away and make them anew from the facts."""

from __future__ import annotations

import click

from handsel.cli import with_app


@click.command("rebuild")
@with_app
def rebuild_command() -> None:
    """Make leads, tallies and the counts of experiments anew from the facts.

    What is believed about a lead (its profile, what it did, its points, its stage), the sums that reports show and the
    counts of experiments are views of facts, so this changes nothing unless a rule has changed. It may run while the
    site does. Days whose hits were purged keep the tallies they have, and a verdict once given stays.

    Example: handsel rebuild
    """
    from handsel.experiments import keeping as experiments
    from handsel.leads import rebuild as leads
    from handsel.traffic import rebuild as traffic

    total = leads.number()
    with click.progressbar(length=total, label="Leads  ", hidden=not total) as bar:
        for some in leads.rebuild():
            bar.update(some)
    days = traffic.days()
    with click.progressbar(traffic.rebuild(days), length=len(days), label="Tallies", hidden=not days) as each:
        for _day in each:
            pass
    tests = experiments.number()
    with click.progressbar(experiments.rebuild(), length=tests, label="Tests  ", hidden=not tests) as each:
        for _offer in each:
            pass
    click.echo(f"Rebuilt {total} leads, the tallies of {len(days)} days and the counts of {tests} experiments.")
