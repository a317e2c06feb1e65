"""``handsel leads``: leads on the command line."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from handsel.cli import with_app
from handsel.commands.importing import import_command
from handsel.commands.person import forget_command, show_command
from handsel.commands.sale import sale_command, stage_command


@click.group("leads")
def leads_command() -> None:
    """Bring leads in, take them home, look at one, say what became of it, or forget it.

    \b
    Example:
      handsel leads export --offer home-energy-guide -o leads.csv
    """


leads_command.add_command(import_command)
leads_command.add_command(show_command)
leads_command.add_command(forget_command)
leads_command.add_command(sale_command)
leads_command.add_command(stage_command)


@leads_command.command("export")
@click.option("--format", "kind", type=click.Choice(["csv", "xlsx"]), default=None,
              help="csv or xlsx; otherwise as the name of the file ends, else csv.")
@click.option("--segment", default="", metavar="NAME", help="Only leads in this segment: see handsel leads segments.")
@click.option("--offer", default="", metavar="SLUG", help="Only leads who asked for this offer.")
@click.option("--tag", default="", help="Only leads with this tag.")
@click.option("--stage", default="", help="Only leads at this stage.")
@click.option("--since", default="", metavar="DATE", help="Only leads that came on this day or later: 2026-11-22.")
@click.option("--search", default="", metavar="WORDS", help="Only leads with these words in address, name or company.")
@click.option("--bom", is_flag=True, help="Begin CSV with the mark by which Excel knows UTF-8.")
@click.option("-o", "--output", default="-", metavar="FILE", help="Where to write; - is standard output.")
@with_app
def export(kind: str | None, output: str, bom: bool, **given: str) -> None:
    """Write leads to a file, the oldest first. No cell of it is ever computed by a spreadsheet.

    A segment, offer, tag or stage that there is not is an error, and never means everybody.

    \b
    Examples:
      handsel leads export --format csv -o leads.csv
      handsel leads export --offer home-energy-guide --since 2026-11-01 -o november.xlsx
      handsel leads export --tag webinar -o - | wc -l
      handsel leads export --segment ready-to-talk -o call-these.xlsx
    """
    from handsel.accounts import audit
    from handsel.db import db, writing
    from handsel.desk.shell import site_zone
    from handsel.leads import export as exporting
    from handsel.leads import finding
    from handsel.offers.live import current

    kind = kind or ("xlsx" if output.endswith(".xlsx") else "csv")
    session = db.session()
    project = current()
    asked = finding.wanted(session, given, project.offers, site_zone(), segments=project.rules.segments)
    first = finding.first_number(session, asked)
    total = finding.count(session, asked, first)
    with writing() as write:
        audit.record(write, "exported leads", "command line", "leads", {"rows": total, "format": kind, **asked.shown})
    with _target(output) as file, _progress(total) as progress, db.engine.connect() as connection:
        if kind == "csv":
            for part in exporting.csv_parts(connection, asked, first=first, bom=bom, progress=progress):
                file.write(part)
        else:
            # The writer of spreadsheets goes back and forth in its file, which a pipe does not allow.
            with tempfile.TemporaryFile() as whole:
                exporting.xlsx(connection, asked, whole, first=first, progress=progress)
                whole.seek(0)
                shutil.copyfileobj(whole, file)
    if output != "-":
        click.echo(f"{total:,} {'lead is' if total == 1 else 'leads are'} in {output}", err=True)


@contextmanager
def _target(output: str) -> Iterator[IO[bytes]]:
    """The file to write: whole or not at all, and readable by its owner alone, since it holds people's data."""
    if output == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(output)
    part_path = path.with_name(path.name + ".part")
    descriptor = os.open(part_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        part_path.replace(path)
    except BaseException:
        part_path.unlink(missing_ok=True)
        raise


@contextmanager
def _progress(total: int, what: str = "leads") -> Iterator[Callable[[int], object]]:
    """Shows how far the work is, on standard error: a bar on a terminal, else a line every few seconds of long work."""
    if sys.stderr.isatty():
        with click.progressbar(length=total, label=what.capitalize(), file=sys.stderr) as bar:
            yield lambda rows: bar.update(rows - bar.pos)
        return
    said = time.monotonic()

    def line(rows: int) -> None:
        nonlocal said
        if time.monotonic() - said >= 2:
            said = time.monotonic()
            click.echo(f"{rows:,} of {total:,} {what}", err=True)

    yield line
