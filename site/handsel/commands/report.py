"""``handsel leads report``: which offer's leads were worth it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from handsel.cli import with_app

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo


@click.command("report")
@click.option("--offer", default="", help="Of one offer alone.")
@click.option("--segment", default="", metavar="NAME", help="Only people who are in this segment now.")
@click.option("--since", default="", metavar="DAY", help="Who asked since that day, such as 2026-09-01; else a year.")
@click.option("--until", default="", metavar="DAY", help="Who asked before that day; else until now.")
@click.option("--json", "as_json", is_flag=True, help="The same for programs, with the reasons of rejections by key.")
@with_app
def report_command(offer: str, segment: str, since: str, until: str, as_json: bool) -> None:
    """Say of each offer how many asked for it, and what became of them.

    Counted are the people who asked in that time: who proved the mailbox, who was qualified (MQL, PQL, service or
    further) after it, whom sales accepted or rejected and why, who bought, and for how much. Somebody who asked for two
    offers counts with both, and once in the first line.

    \b
    Examples:
      handsel leads report
      handsel leads report --since 2026-09-01 --json
      handsel leads report --segment decision-makers
    """
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from handsel import clock
    from handsel.db import db
    from handsel.leads import finding
    from handsel.leads.stages import worth
    from handsel.offers.live import current

    project, now = current(), clock.now()
    zone = ZoneInfo(project.site.timezone)
    begins = _day("--since", since, zone) if since else now - timedelta(days=365)
    ends = _day("--until", until, zone) if until else now + timedelta(seconds=1)
    among = finding.segment(project.rules.segments, segment)
    found = worth.worth(db.session(), begins, ends, _slug(offer), among=among, at=now)
    if as_json:
        click.echo(json.dumps(worth.as_rows(found), indent=2))
        return
    if not any(one.captured for one in found):
        click.echo("Nobody asked for anything in that time.")
        return
    click.echo(f"{'offer':34} {'asked':>7} {'proven':>7} {'qualified':>9} {'accepted':>8} {'rejected':>8} {'won':>5}"
               "  money")
    for one in found:
        name = one.offer or "all offers"
        click.echo(f"{name[:34]:34} {one.captured:>7,} {one.proven:>7,} {one.qualified:>9,} {one.accepted:>8,} "
                   f"{one.rejected:>8,} {one.won:>5,}  {worth.amount(one.cents)}".rstrip())
        for words, number in worth.reasons(one, project.rules.handoff.reason) if one.offer else ():
            click.echo(f"{'':34} {number:>6,} rejected: {words}")


def _day(option: str, typed: str, zone: ZoneInfo) -> datetime:
    from handsel.content.values import instant
    from handsel.errors import HandselError

    try:
        return instant(typed, zone).astimezone(zone)
    except (ValueError, OverflowError):
        raise HandselError(option, f"'{typed[:40]}' is no date.", "Write it as 2026-11-22.") from None


def _slug(offer: str) -> str | None:
    from handsel.errors import HandselError, nearest
    from handsel.offers.live import current

    if not offer:
        return None
    found = current().offer(offer)
    if found is None:
        raise HandselError("--offer", f"There is no offer '{offer}'.", nearest(offer, current().offers))
    return found.slug
