"""``handsel experiment replay``: a test lived through once more from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import BinaryIO

import click

from handsel.cli import with_app


@click.command("replay")
@click.argument("file", type=click.File("rb"))
@click.option("--offer", help="The name that the test gets; otherwise the file's.")
@click.option("--every", type=click.FloatRange(min=0), default=60.0, show_default=True, metavar="MINUTES",
              help="How often it is looked at besides the daily looks; 0 looks after every line.")
@click.option("--json", "as_json", is_flag=True, help="The results as JSON, in the shape of the API.")
@with_app
def replay_command(*, file: BinaryIO, offer: str | None, every: float, as_json: bool) -> None:
    """Let the visitors and conversions of FILE go through the real tables, at the times that stand in it.

    FILE holds lines of JSON in the order of time: a start, then visitors, conversions and changes of the split. The
    test ends with the file and stays in the record of this project; in production it is refused.

    \b
    Example:
      {"at": "2026-01-01T00:00:00Z", "start": {"split": {"a": 50, "b": 50}, "goal": "capture",
                                               "plan": {"baseline": 0.03, "mde": 0.2}}}
      {"at": "2026-01-01T08:12:00Z", "visitor": "v1", "variant": "b"}
      {"at": "2026-01-01T08:14:00Z", "visitor": "v1", "goal": "capture"}
      {"at": "2026-01-05T00:00:00Z", "split": {"a": 90, "b": 10}}
    \b
      handsel experiment replay last-summer.jsonl
    """
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from flask import current_app

    from handsel import clock, offers
    from handsel.db import db, is_alone, writing
    from handsel.errors import HandselError
    from handsel.experiments.keeping import LOCK
    from handsel.experiments.replay import Replay, events
    from handsel.experiments.results import results
    from handsel.experiments.sentences import tell

    if current_app.config["ENV"] == "production":
        raise HandselError("HANDSEL_ENV", "Replayed visitors have no place among real ones.",
                           "Replay the file in a project of its own: handsel init my-replay")
    name = offer or Path(file.name).stem
    if not name or len(name) > 80:
        raise HandselError(file.name, "Its name cannot name a test.", "Give a shorter one: --offer NAME")
    zone = ZoneInfo(offers.current().site.timezone)
    with writing() as session:
        is_alone(session.connection(), LOCK, wait=True)
        replay = Replay(session, name, zone, timedelta(minutes=every))
        number = replay.run(events(file.name, file))
    if number is None:
        raise HandselError(file.name, "It holds no line.", "Write a start and visitors into it; see --help.")
    with db.engine.connect() as connection:
        found = results(connection, number)
    assert found is not None  # it was just written
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=2))
        return
    click.echo(f"{replay.facts:,} visits and conversions replayed as the test of {name}.")
    for line in tell(found, clock.now(), zone).lines():
        click.echo(line)
