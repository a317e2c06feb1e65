"""``handsel rebuild``: throw the views away and make them anew from the facts."""

from __future__ import annotations

import click

from handsel.cli import with_app


@click.command("rebuild")
@with_app
def rebuild_command() -> None:
    """Make profiles and tallies anew from the facts.

    What is believed about a lead and the sums that reports show are views of captures, consents and hits, so this
    changes nothing unless a rule has changed. It may run while the site does. Days whose hits were purged keep the
    tallies they have.

    Example: handsel rebuild
    """
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
    click.echo(f"Rebuilt {total} leads and the tallies of {len(days)} days.")
