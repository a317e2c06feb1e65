"""``handsel leads simulate``: try scoring rules on the past before they hold."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handsel.cli import with_app

if TYPE_CHECKING:
    from handsel.leads.scoring.simulate import Simulation
    from handsel.rules.scoring import Scoring


@click.command("simulate")
@click.option("--threshold", type=click.IntRange(min=1), required=True, metavar="N",
              help="The points that a lead has to reach.")
@click.option("--rules", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None,
              help="A file like content/_scoring.yml with the rules to try; otherwise the present ones.")
@click.option("--since", default="", metavar="DATE", help="The first day; otherwise the last calendar quarter.")
@click.option("--until", default="", metavar="DATE", help="The last day.")
@with_app
def simulate_command(threshold: int, file: Path | None, since: str, until: str) -> None:
    """Say who would have passed a score in the past, and what sales said of them. Nothing is changed.

    Each lead is judged by what was known at each moment, never by what came later. With --rules the present rules are
    counted too, for comparison.

    \b
    Examples:
      handsel leads simulate --threshold 60
      handsel leads simulate --rules new-scoring.yml --threshold 60 --since 2026-06-01 --until 2026-08-31
    """
    from handsel import clock
    from handsel.desk.shell import site_zone
    from handsel.leads.scoring import simulate as simulating
    from handsel.offers.live import current

    zone = site_zone()
    begin, end, name = simulating.period(since, until, clock.now(), zone)
    present = current().rules.scoring
    tried = _read(file) if file else present
    made = _run(tried, threshold, begin, end)
    click.echo(simulating.sentence(made.of(threshold), name))
    for line in simulating.others(made.of(threshold)):
        click.echo(f"  {line}")
    if file:
        click.echo("")
        click.echo("With the rules as they are:")
        click.echo(f"  {simulating.sentence(_run(present, threshold, begin, end).of(threshold), name)}")
    click.echo("")
    click.echo(f"{simulating.period_name(begin, end, zone)}, {made.leads:,} leads looked at.")
    click.echo(f"{'Points':>8}{'Passed':>9}{'Accepted':>10}{'Rejected':>10}{'Accepted of decided':>21}")
    for one in made.outcomes:
        share = f"{one.accepted / one.judged:.0%}" if one.judged else "–"
        click.echo(f"{one.threshold:>8}{one.passed:>9}{one.accepted:>10}{one.rejected:>10}{share:>21}")


def _read(file: Path) -> Scoring:
    from handsel.errors import HandselError
    from handsel.offers.live import current
    from handsel.rules.scoring import scoring_of

    scoring, faults = scoring_of(file.name, file.read_bytes(), current().rules.words)
    for fault in faults:
        click.echo(str(fault), err=True)
    if scoring is None:
        raise HandselError(file.name, f"The rules have {len(faults)} {'fault' if len(faults) == 1 else 'faults'}.",
                           "Mend what is named above.")
    return scoring


def _run(scoring: Scoring, threshold: int, since: datetime, until: datetime) -> Simulation:
    """The simulation, with its progress on standard error where somebody watches."""
    import sys

    from handsel.db import db
    from handsel.leads.scoring.simulate import simulate

    made = None
    with click.progressbar(length=1, label="Leads", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for made in simulate(db.session(), scoring, threshold, since=since, until=until):
            bar.length = max(made.total, 1)
            bar.update(made.leads - bar.pos)
    assert made is not None
    return made
