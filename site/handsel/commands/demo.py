"""``handsel demo``: sample visitors, leads and experiments with weeks of history."""

from __future__ import annotations

import click

from handsel.cli import opened


@click.command("demo")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed tells another history.")
@click.option("--days", type=click.IntRange(7, 400), default=56, show_default=True, help="How far back it goes.")
@click.option("--if-empty", is_flag=True, help="Where it would refuse, do nothing and say nothing.")
def demo_command(*, seed: int, days: int, if_empty: bool) -> None:
    """Fill an empty site with sample visitors, leads, mails, experiments and two sellers at work, so that its desk has
    something to show.

    The offers, forms and variants are your own; the people are invented, and their mailboxes are in domains that are
    set aside for examples. Up to three offers with an `experiment:` get a history with a winner, one without a
    difference, and one with a wrong split. The same seed gives the same people on the same days.

    It refuses where leads or visits are kept already, in production, and where mail would leave the house.

    \b
    Examples:
      handsel demo
      handsel demo --seed 7 --days 180
    """
    from handsel import clock, offers, schema
    from handsel.demo.history import History, require_a_playground
    from handsel.errors import HandselError
    from handsel.worker.wishes import wish

    with opened() as app:
        try:
            require_a_playground(app)
        except HandselError:
            if if_empty:
                return
            raise
        schema.upgrade()
        project = offers.current()
        wishes = {slug: wish(offer) for slug, offer in project.offers.items()}
        history = History(app, project, wishes, clock.now(), seed, days)
        with click.progressbar(history.live(), length=days, label="A sample history") as bar:
            for _day in bar:
                pass
    click.echo(f"{history.visits:,} visits and {history.leads:,} leads in {days} days.")
