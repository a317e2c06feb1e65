"""``handsel leads import``: a file of leads, brought in or taken back."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handsel.cli import with_app
from handsel.errors import HandselError, nearest

if TYPE_CHECKING:
    from handsel.leads.importing.chunk import Options, Wrong
    from handsel.leads.importing.table import Table

CONSOLE = "command line"
SHOWN = 10  # reasons on the terminal; the rest stands in the file of --errors


@click.command("import")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--map", "maps", multiple=True, metavar="COLUMN=FIELD",
              help="What a column holds; nothing behind the = leaves it out. May be given again.")
@click.option("--consent", "purposes", multiple=True, metavar="PURPOSE",
              help="What they agreed to, such as newsletter; needs --wording.")
@click.option("--wording", "wordings", multiple=True, metavar="FILE|TEXT",
              help="The very words that they agreed to: a file, or the sentence itself. One for each --consent.")
@click.option("--confirmed", is_flag=True,
              help="They proved their mailboxes where they come from: letters may go without another mail.")
@click.option("--tag", "tags", multiple=True, help="A tag for all of them. May be given again.")
@click.option("--offer", default="", metavar="SLUG", help="An offer that all of them asked for.")
@click.option("--errors", metavar="FILE", default="", help="Where to write the rows that could not be taken, as CSV.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.option("--undo", type=int, metavar="BATCH", help="Take an earlier import back.")
@with_app
def import_command(file: Path | None, undo: int | None, errors: str, dry_run: bool, **given: Any) -> None:
    """Bring leads in from a CSV or XLSX file. Its first row names the columns.

    The columns of our own export and of Mautic, listmonk, HubSpot and Kit are known; say the others with --map: a
    field such as email, name, company, a field of your forms, or tags, consent, status, unsubscribed.

    Without --consent the leads come in without consent and get no mail. An import never brings back who left, never
    covers what a lead confirmed, and the same file again changes nothing.

    \b
    Examples:
      handsel leads import fair.xlsx --tag spring-fair --dry-run --errors wrong.csv
      handsel leads import old.csv --map "Firm=company" --consent newsletter --wording "Yes, send me the letter."
      handsel leads import --undo 3
    """
    if undo is not None:
        if file is not None:
            raise HandselError("--undo", "It takes back an import and reads no file.", "Leave the file out.")
        _undo(undo, dry_run)
        return
    if file is None:
        raise HandselError("handsel leads import", "Which file?", "Name one: handsel leads import leads.csv")
    _bring(file, errors, dry_run, given)


def _bring(file: Path, errors: str, dry_run: bool, given: dict[str, Any]) -> None:
    from handsel import clock
    from handsel.accounts.audit import Actor
    from handsel.leads.importing import batch
    from handsel.leads.importing.table import opened

    table = opened(file)
    options = _options(table, given)
    total = sum(1 for _ in table.rows())
    _tell_reading(table, options)
    actor, at = Actor(CONSOLE), clock.now()
    number = None if dry_run else batch.begin(table, options, actor, at)
    counts: Counter[str] = Counter()
    with _refusals(table, errors) as refuse, _progress(total, "rows") as progress:
        before = Counter[str]() if number is None else _before(number, refuse)
        for step in batch.run(table, options, number, at):
            counts.update(step.counts)
            refuse(step.wrong)
            progress(sum((counts + before)[name] for name in ("new", "known", "same", "wrong")))
    if number is not None:
        counts = batch.finish(number, counts, actor, clock.now())
    _tell(counts, options, number, errors)


def _before(number: int, refuse: Callable[[list[Wrong]], None]) -> Counter[str]:
    """What an import that broke off has counted so far; the rows that it could not take are told again."""
    from handsel.db import db
    from handsel.leads.importing import batch
    from handsel.leads.models import LeadImport

    done = db.session().get_one(LeadImport, number)
    if done.finished_at is not None or not done.row:
        return Counter()
    click.echo(f"This file broke off behind row {done.row:,}; it goes on from there.", err=True)
    refuse(list(batch.refused(number)))
    return Counter(done.counts)


def _options(table: Table, given: dict[str, Any]) -> Options:
    from handsel.leads import questions
    from handsel.leads.importing import choices
    from handsel.leads.importing.mapping import mapped
    from handsel.offers.live import current

    project = current()
    columns = mapped(table.head, _pairs(given["maps"]), questions.custom(project), table.path.name)
    words = _words(given["purposes"], given["wordings"], project.site.topics)
    return choices.options(project, columns, offer=given["offer"], tags=given["tags"], words=words,
                           proven=given["confirmed"])


def _pairs(maps: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in maps:
        column, sign, field = text.rpartition("=")
        if not sign:
            raise HandselError("--map", f"'{text}' has no =.", 'Write "Column=field", such as "Firm=company".')
        pairs[column] = field
    return pairs


def _words(purposes: tuple[str, ...], wordings: tuple[str, ...], topics: Any) -> dict[str, str]:
    """The words agreed to, by purpose."""
    for purpose in purposes:
        if purpose not in topics:
            raise HandselError("--consent", f"There is no topic '{purpose}'.", nearest(purpose, topics))
    if len(purposes) != len(wordings):
        raise HandselError("--consent", "A consent needs the words that were agreed to, or nobody can prove it.",
                           'Give one --wording for each --consent: a file, or the sentence itself.')
    return {purpose: _text(words) for purpose, words in zip(purposes, wordings, strict=True)}


def _text(words: str) -> str:
    path = Path(words)
    try:
        text = path.read_text("utf-8") if len(words) < 1000 and path.is_file() else words
    except (OSError, UnicodeDecodeError) as error:
        raise HandselError(words, "The words cannot be read.", "Save them as UTF-8.") from error
    if " " not in text.strip():
        raise HandselError("--wording", f"'{text.strip()[:80]}' is no sentence, and no file of that name is there.",
                           "Write the words that people agreed to, or the name of a file with them.")
    return text.strip()


def _tell_reading(table: Table, options: Options) -> None:
    columns = options.rules.columns
    pairs = [name if name.casefold() == field else f"{name} as {field}"
             for name, field in zip(table.head, columns.fields, strict=True) if field]
    click.echo(f"Columns: {', '.join(pairs)}.", err=True)
    if columns.aside:
        click.echo(f"Left aside: {', '.join(columns.aside)}. Use --map \"Column=field\" to bring one in.", err=True)
    if table.note:
        click.echo(f"Note: {table.note}", err=True)
    if not options.wordings:
        click.echo("Note: without --consent and --wording the leads come in without consent and get no letters.",
                   err=True)
    elif not options.proven:
        click.echo("Note: their consent is recorded; letters wait until each of them proves the mailbox, unless you "
                   "say --confirmed.", err=True)


@contextmanager
def _refusals(table: Table, errors: str) -> Iterator[Callable[[list[Wrong]], None]]:
    """Takes the rows that were not taken: into the file if one is named, else the first of them on the terminal."""
    from handsel.commands.exporting import target
    from handsel.leads.cells import guarded

    if not errors:
        shown = 0

        def show(wrong: list[Wrong]) -> None:
            nonlocal shown
            for row in wrong[: max(0, SHOWN - shown)]:
                click.echo(f"Row {row.number}: {row.reason}", err=True)
            shown += len(wrong)

        yield show
        return

    def line(cells: list[str]) -> bytes:
        text = io.StringIO()
        csv.writer(text).writerow([guarded(cell) for cell in cells])
        return text.getvalue().encode("utf-8", "replace")

    with target(errors) as file:
        file.write(line(["row", "reason", *table.head]))
        yield lambda wrong: file.writelines(line([str(row.number), row.reason, *row.cells]) for row in wrong)


@contextmanager
def _progress(total: int, what: str) -> Iterator[Callable[[int], object]]:
    from handsel.commands.exporting import progress_bar as shown

    with shown(total, what) as progress:
        yield progress


def _tell(counts: Counter[str], options: Options, number: int | None, errors: str) -> None:
    would = "would be " if number is None else ""
    click.echo(f"{counts['new']:,} new leads, {counts['known']:,} rows {would}added to leads that were known, "
               f"{counts['same']:,} rows were there already, {counts['wrong']:,} rows could not be taken.")
    if options.wordings:
        click.echo(f"Consent {would}recorded for {counts['agreed']:,}; not for {counts['left']:,} who left or had "
                   "agreed already.")
    if counts["blocked"]:
        click.echo(f"{counts['blocked']:,} get no mail where they come from, and {would or 'are '}kept from it here.")
    if counts["wrong"]:
        click.echo(f"Why stands in {errors}; mend the rows there and import that file." if errors
                   else "Use --errors FILE to get those rows with the reason of each.")
    if number is None:
        click.echo("Nothing was changed. Leave out --dry-run to do it.")
    elif counts["new"] or counts["known"]:
        click.echo(f"This is import {number}. To take it back: handsel leads import --undo {number}")


def _undo(number: int, dry_run: bool) -> None:
    from handsel import clock
    from handsel.accounts.audit import Actor
    from handsel.leads.importing import undo

    batch = undo.batch(number)
    total = undo.size(number)
    if dry_run:
        click.echo(f"Import {number} of {batch.file}: {total:,} rows would be taken back. Nothing was changed.")
        return
    counts: Counter[str] = Counter()
    with _progress(total, "rows") as progress:
        for step in undo.undo(number, Actor(CONSOLE), clock.now()):
            counts.update(step)
            progress(counts.total())
    click.echo(f"Import {number} is undone: {counts['gone']:,} leads are gone, {counts['mended']:,} that were known "
               f"are as they were, {counts['kept']:,} stay because somebody has worked with them since.")
    click.echo("Who was kept from mail by it stays so.")
