"""``handsel leads sale`` and ``handsel leads stage``: what became of one lead, from the command line."""

from __future__ import annotations

import click

from handsel.cli import with_app
from handsel.commands.person import find

CONSOLE = "command line"


@click.command("sale")
@click.argument("who")
@click.option("--amount", required=True, help="How much, such as 249.90, in the currency of _site.yml.")
@with_app
def sale_command(who: str, amount: str) -> None:
    """Put down what a lead brought; it is a customer from then on. WHO is an e-mail address.

    The first sale of a lead counts in tests whose goal is value.

    \b
    Example:
      handsel leads sale ann@example.org --amount 249.90
    """
    from handsel import clock
    from handsel.accounts.audit import Actor
    from handsel.db import writing
    from handsel.leads import goals
    from handsel.offers.live import current

    paid, currency = goals.money(amount), current().site.currency
    with writing() as session:
        lead = find(session, who)
        goals.sell(session, lead.id, paid, currency, actor=Actor(CONSOLE), at=clock.now())
    click.echo(f"{who} brought {paid} {currency}.")


@click.command("stage")
@click.argument("who")
@click.argument("stage")
@click.option("--reason", default="", help="Why, in a few words. Needed to go back.")
@with_app
def stage_command(who: str, stage: str, reason: str) -> None:
    """Set how far a lead is: iql, mql, sql, pql, service or customer. WHO is an e-mail address.

    Going back needs a reason; rules then leave the lead where it is until something new happens.

    \b
    Example:
      handsel leads stage ann@example.org sql --reason "Asked for a visit"
    """
    from handsel import clock
    from handsel.accounts.audit import Actor
    from handsel.db import writing
    from handsel.leads import goals

    with writing() as session:
        lead = find(session, who)
        goals.decide(session, lead.id, stage, reason, actor=Actor(CONSOLE), at=clock.now())
    click.echo(f"{who} is at the stage {stage}.")
