"""``handsel leads export``, ``layouts`` and ``vcard``: leads as files."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from handsel.cli import with_app
from handsel.errors import HandselError

CONSOLE = "command line"


@click.command("export")
@click.option("--format", "kind", type=click.Choice(["csv", "xlsx"]), default=None,
              help="csv or xlsx; otherwise as the name of the file ends, else csv.")
@click.option("--columns", default="", metavar="A,B,C",
              help="The columns, in their order; custom stands for all your own fields.")
@click.option("--layout", default="", metavar="NAME",
              help="Columns under a name: hubspot, salesforce, pipedrive, or one that somebody shared at the desk.")
@click.option("--since-last", is_flag=True,
              help="Only leads that are new or read otherwise than in the last export of this layout here.")
@click.option("--remember", is_flag=True, help="Write them all, and let --since-last begin from here.")
@click.option("--segment", default="", metavar="NAME", help="Only leads in this segment: see handsel leads segments.")
@click.option("--offer", default="", metavar="SLUG", help="Only leads who asked for this offer.")
@click.option("--tag", default="", help="Only leads with this tag.")
@click.option("--stage", default="", help="Only leads at this stage.")
@click.option("--owner", default="", metavar="E-MAIL", help="Only leads of this seller; none for those of nobody.")
@click.option("--since", default="", metavar="DATE", help="Only leads that came on this day or later: 2026-11-22.")
@click.option("--search", default="", metavar="WORDS", help="Only leads with these words in address, name or company.")
@click.option("--bom", is_flag=True, help="Begin CSV with the mark by which Excel knows UTF-8.")
@click.option("-o", "--output", default="-", metavar="FILE", help="Where to write; - is standard output.")
@with_app
def export_command(kind: str | None, output: str, *, bom: bool, columns: str, layout: str, since_last: bool,
                   remember: bool, **given: str) -> None:
    """Write leads to a file, the oldest first. No cell of it is ever computed by a spreadsheet.

    A segment, offer, tag, stage, column or layout that there is not is an error, and never means everybody. Leads that
    were merged into another one stand in its row.

    The first export with --since-last holds everybody. Later ones hold each lead that is new, or of which any cell of
    the layout reads otherwise now: none is ever missed, however it was changed. Other exports change nothing in that,
    unless you say --remember.

    \b
    Examples:
      handsel leads export --format csv -o leads.csv
      handsel leads export --offer home-energy-guide --since 2026-11-01 -o november.xlsx
      handsel leads export --columns email,name,score,fit,interest -o - | head
      handsel leads export --layout hubspot --since-last -o new-in-hubspot.csv
      handsel leads export --segment ready-to-talk -o call-these.xlsx
    """
    from handsel.accounts.audit import Actor
    from handsel.db import db
    from handsel.desk.shell import site_zone
    from handsel.leads import finding
    from handsel.leads.takeaway import Takeaway, layout_of
    from handsel.offers.live import current

    kind = kind or ("xlsx" if output.endswith(".xlsx") else "csv")
    session, project = db.session(), current()
    asked = finding.wanted(session, given, project.offers, site_zone(), segments=project.rules.segments)
    names = [name.strip() for name in columns.split(",") if name.strip()]
    if columns and not names:
        raise HandselError("--columns", "There is no column in it.", "Name at least one, such as email.")
    chosen = layout_of(session, project, asked, name=layout, columns=names)
    taking = Takeaway(asked, chosen, "csv-excel" if bom and kind == "csv" else kind, Actor(CONSOLE), since_last,
                      remember)
    taking.begin(session)
    try:
        with target(output) as file, progress_bar(taking.total) as progress:
            for part in taking.parts(db.engine, progress):
                file.write(part)
        taking.finish()
    finally:
        taking.close()
    if output != "-":
        click.echo(f"{taking.rows:,} {'lead is' if taking.rows == 1 else 'leads are'} in {output}", err=True)


@click.command("layouts")
@with_app
def layouts_command() -> None:
    """List the layouts of exports, and all columns that one can have.

    Example: handsel leads layouts
    """
    from handsel.db import db
    from handsel.leads.finding import Wanted
    from handsel.leads.layouts import saved
    from handsel.leads.layouts.columns import COLUMNS
    from handsel.leads.layouts.crm import SHIPPED
    from handsel.leads.takeaway import fields
    from handsel.offers.live import current

    for layout in SHIPPED.values():
        click.echo(f"{layout.name}: {', '.join(heading or name for name, heading in layout.names)}")
    for row in saved.visible(db.session(), None):
        click.echo(f"{row.name}: {', '.join(heading or name for name, heading in row.columns)}")
    click.echo(f"\nColumns: {', '.join(COLUMNS)}")
    own = sorted(fields(db.session(), current(), Wanted(), whole=True))
    click.echo(f"Your own fields: {', '.join(own) if own else 'none'}")


@click.command("vcard")
@click.argument("who")
@click.option("-o", "--output", default="-", metavar="FILE", help="Where to write; - is standard output.")
@with_app
def vcard_command(who: str, output: str) -> None:
    """Write one lead as a vCard (version 4.0), for an address book. WHO is an e-mail address.

    Example: handsel leads vcard ann@example.org -o ann.vcf
    """
    from handsel.accounts import audit
    from handsel.commands.person import find
    from handsel.db import writing
    from handsel.leads import vcard
    from handsel.offers.live import current

    with writing() as session:
        lead = find(session, who)
        audit.record(session, "exported a lead", CONSOLE, audit.of_lead(lead.key), {"format": "vcard"})
        card = vcard.of(lead, str(current().site.url))
    with target(output) as file:
        file.write(card)


@contextmanager
def target(output: str) -> Iterator[IO[bytes]]:
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
def progress_bar(total: int, what: str = "leads") -> Iterator[Callable[[int], object]]:
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
