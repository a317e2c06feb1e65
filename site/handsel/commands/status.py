"""``handsel experiment status``: how the tests of landing pages stand."""

from __future__ import annotations

import json

import click

from handsel.cli import with_app

WAITING = "{}: offer.md asks for a test, and no worker has seen it yet. It begins when `handsel run` or `work` runs."


@click.command("status")
@click.argument("offer", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table; the shape of the API. "
                                                  "Without OFFER a list of them.")
@with_app
def status_command(offer: str | None, as_json: bool) -> None:
    """Rates with intervals that hold at any time, the verdict in words, and who was left out and why.

    Without OFFER: the newest test of every offer that had one.

    \b
    Examples:
      handsel experiment status
      handsel experiment status home-energy-guide --json
    """
    from zoneinfo import ZoneInfo

    from handsel import clock, offers
    from handsel.db import db
    from handsel.errors import HandselError, nearest
    from handsel.experiments.results import all_of
    from handsel.experiments.table import lines

    project = offers.current()
    found = project.offer(offer) if offer else None
    slug = found.slug if found else offer
    with db.engine.connect() as connection:
        newest = {each.offer: each for each in reversed(all_of(connection))}
    if slug is not None and found is None and slug not in newest:
        raise HandselError(f"offers/{slug}", "There is no such offer.", nearest(slug, {*project.offers, *newest}))
    chosen = [each for name, each in sorted(newest.items()) if slug in (None, name)]
    if as_json:
        all_of_them = [each.as_dict() for each in chosen]
        click.echo(json.dumps(all_of_them if slug is None else all_of_them[0] if chosen else None, indent=2))
        return
    waiting = [name for name, each in project.offers.items() if each.runs and slug in (None, name) and not (
        name in newest and newest[name].is_running)]
    for name in waiting:
        click.echo(WAITING.format(name))
    if not chosen and not waiting:
        who = f"{slug} has had no test" if slug else "No offer has had a test"
        click.echo(f"{who}. Begin one: handsel experiment start {slug or 'OFFER'} --mde .2")
    zone = ZoneInfo(project.site.timezone)
    for place, each in enumerate(chosen):
        click.echo("\n" * bool(place) + "\n".join(lines(each, clock.now(), zone)))
