"""``handsel experiment start``, ``stop`` and ``ship``: the acts on a test of landing pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from handsel.cli import with_app

if TYPE_CHECKING:
    from handsel.accounts.audit import Actor
    from handsel.experiments.plan import Forecast
    from handsel.leads.outlook import Outlook
    from handsel.leads.testing import Done

GOALS = ("capture", "confirmed", "mql", "sql", "value")


class Shares(click.ParamType):  # type: ignore[type-arg]
    """Shares of visitors as ``a=50,b=50``."""

    name = "shares"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, int]:
        if isinstance(value, dict):
            return value
        try:
            pairs = [part.split("=") for part in str(value).replace(" ", "").split(",")]
            return {name: int(share.removesuffix("%")) for name, share in pairs}
        except ValueError:
            self.fail(f"'{value}' does not say which variant gets what. Write it as a=50,b=50.", param, ctx)


def forecast_lines(found: Forecast, baseline: float, mde: float, power: float, weekly: float | None) -> list[str]:
    """What the calculator says, for a terminal."""
    said = [f"To find {mde * 100:+.4g} % (from {baseline * 100:.4g} % to {baseline * (1 + mde) * 100:.4g} %) "
            f"in {power * 100:.4g} % of tests:", f"  {_shared(found.visitors)}, {found.total:,} in all"]
    if found.weeks is None or weekly is None:
        return said
    weeks = f"{found.weeks:,} full week{'s' if found.weeks > 1 else ''}"
    days = f"{found.days:,} day{'s' if found.days != 1 else ''}"
    return [*said, f"  {days} at {weekly:,.0f} visitors a week, so {weeks}", f"  {found.advice}"]


def _shared(visitors: Sequence[int]) -> str:
    if len(set(visitors)) == 1:
        return f"{visitors[0]:,} visitors a variant"
    return f"{' + '.join(f'{count:,}' for count in visitors)} visitors"


@click.command("start")
@click.argument("offer")
@click.option("--goal", type=click.Choice(GOALS), default="capture", show_default=True, help="What counts as success.")
@click.option("--mde", type=float, help="The smallest lift worth finding: .2 is +20 %. Without it there is no plan.")
@click.option("--baseline", type=float, help="The rate that the page has now: .03 is 3 %. Otherwise the offer's own "
                                             "rate of the last 28 days.")
@click.option("--split", type=Shares(), metavar="a=50,b=50", help="Shares of visitors; otherwise all share evenly.")
@click.option("--hypothesis", default="", metavar="TEXT", help="What you expect, and why.")
@click.option("--value-cap", type=float, help="For the goal value: the most that one visitor may count.")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="How often a false winner is acceptable.")
@click.option("--power", type=float, default=0.8, show_default=True, help="How often a real lift should be found.")
@click.option("--shifting", is_flag=True, help="Send more visitors to what does well, day by day.")
@with_app
def start_command(offer: str, **given: object) -> None:
    """Start a test of OFFER: its challengers landing.b.md to landing.f.md are shown from now on.

    Shows how long the test takes at your own traffic, and writes the experiment block into offer.md. What cannot run is
    refused, and nothing is changed then. To end it: handsel experiment stop.

    \b
    Examples:
      handsel experiment start home-energy-guide --mde .2
      handsel experiment start home-energy-guide --mde .2 --baseline .03 --split a=80,b=20 \\
        --hypothesis "A free first step wins trust."
    """
    from flask import current_app

    from handsel import clock
    from handsel.db import db
    from handsel.leads import testing
    from handsel.leads.outlook import Wanted, outlook
    from handsel.offers.acts import offer_of

    live, wanted = current_app.extensions["handsel.offers"], Wanted(**given)  # type: ignore[arg-type]
    project = live.refresh()
    with db.engine.connect() as connection:
        seen = outlook(connection, project, offer_of(project, offer), wanted, clock.now())
    for line in _outlook_lines(seen):
        click.echo(line)
    done = testing.start(live, offer, wanted, actor=_actor())
    shares = ", ".join(f"{name} {share} %" for name, share in (seen.wanted.split or {}).items())
    click.echo(f"The test has started: {shares}.")
    _tell(done)
    click.echo(f"Look at it at any hour: handsel experiment status {done.offer}")


def _outlook_lines(seen: Outlook) -> list[str]:
    from handsel.experiments.sentences import GOALS as COUNTED

    wanted = seen.wanted
    if seen.visitors:
        counted = "orders" if wanted.goal == "value" else COUNTED[wanted.goal]
        lines = [f"Last {seen.days} days: {seen.visitors:,} visitors, {seen.conversions:,} {counted} "
                 f"({(seen.rate or 0) * 100:.3g} %)."]
    else:
        lines = ["Nobody has seen this offer in the last 28 days."]
    if seen.forecast is not None and wanted.baseline is not None and wanted.mde is not None:
        lines += forecast_lines(seen.forecast, wanted.baseline, wanted.mde, wanted.power, seen.weekly_visitors)
    return [*lines, *seen.hints]


@click.command("stop")
@click.argument("offer")
@click.option("--learned", default="", metavar="TEXT", help="What you take away from it, for the log of all tests.")
@with_app
def stop_command(offer: str, learned: str) -> None:
    """End the test of OFFER without shipping: everybody sees the control again.

    The challengers stay as files and are not shown. What was counted stays, and so does the verdict.

    \b
    Example:
      handsel experiment stop home-energy-guide --learned "Giving a step away first changes nothing."
    """
    from flask import current_app

    from handsel.leads import testing

    done = testing.stop(current_app.extensions["handsel.offers"], offer, actor=_actor(), learned=learned)
    click.echo("The test has ended. Everybody sees the control.")
    _tell(done)


@click.command("ship")
@click.argument("offer")
@click.option("--variant", metavar="LETTER", help="The challenger to ship; otherwise the winner.")
@click.option("--learned", default="", metavar="TEXT", help="What you take away from it, for the log of all tests.")
@click.option("--force", is_flag=True, help="Ship --variant although it has not won.")
@with_app
def ship_command(offer: str, variant: str | None, learned: str, force: bool) -> None:
    """Put the winner of OFFER's test in the place of the control, and end the test.

    The challenger's file becomes landing.md. The old control and the other challengers are kept in the folder retired/,
    which is never served. Prints what changes on the page.

    \b
    Examples:
      handsel experiment ship home-energy-guide --learned "One free step first: people trust us sooner."
      handsel experiment ship home-energy-guide --variant b --force
    """
    from flask import current_app

    from handsel.leads import testing

    done = testing.ship(current_app.extensions["handsel.offers"], offer, actor=_actor(), variant=variant,
                        learned=learned, force=force)
    for line in done.diff:
        click.echo(line)
    click.echo(f"Variant {done.variant} is the landing page now, and the test has ended.")
    _tell(done)


def _actor() -> Actor:
    from handsel.accounts.audit import Actor

    return Actor("command line")


def _tell(done: Done) -> None:
    for verb, file in done.files:
        click.echo(f"  {verb:<8} {file}")
