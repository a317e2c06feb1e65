"""A file of leads brought in, some hundred rows in one transaction; what broke off goes on where it was."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.db import db, writing
from handsel.errors import HandselError
from handsel.leads.importing.chunk import Chunk, Options, Step, Wrong
from handsel.leads.importing.models import ImportRefusal
from handsel.leads.importing.row import Refused, Rules, Said
from handsel.leads.importing.table import Broken, Table, printable
from handsel.leads.models import LeadImport

AT_ONCE = 250  # rows in one transaction, so that a capture never waits for long
TRIES = 3  # PostgreSQL may ask one of two transactions that wait for each other to begin again
COUNTS = ("new", "known", "same", "wrong", "agreed", "left", "blocked")
CELL = 1000  # characters of a refused row's cell that are kept


@dataclass
class Part:
    """Some rows of a file, each mailbox once at most, those that cannot be taken, and the number of the last one."""

    rows: list[Said]
    wrong: list[Wrong]
    last: int


def fingerprint(table: Table, options: Options) -> str:
    """What makes an import the same one."""
    return sha256(f"{table.digest}\n{json.dumps(options.written(), sort_keys=True)}".encode()).hexdigest()


def begin(table: Table, options: Options, actor: Actor, at: datetime) -> int:
    """The number of the batch: of the one that was begun with this file and these options, or of a new one."""
    mark = fingerprint(table, options)
    with writing() as session:
        found = session.scalars(select(LeadImport).where(
            LeadImport.fingerprint == mark, LeadImport.undone_at.is_(None)).order_by(LeadImport.id)).first()
        if found is None:
            found = LeadImport(at=at, fingerprint=mark, file=printable(table.path.name)[:200], actor=actor.name,
                               account_id=actor.account_id, options=options.written())
            session.add(found)
            session.flush()
        return found.id


def run(table: Table, options: Options, batch_id: int | None, at: datetime) -> Iterator[Step]:
    """Bring the rows in, some hundred at a time; without a batch only say what would become of them.

    A batch that broke off goes on behind the last row that was written; one that was finished is read once more.
    """
    after = 0
    if batch_id is not None:
        done = db.session().get_one(LeadImport, batch_id, populate_existing=True)
        after = 0 if done.finished_at else done.row
        db.session().rollback()
    seen: set[str] = set()
    for part in parts(table, options.rules, after):
        step = _tried(part, options, batch_id, at)
        if batch_id is None:  # a mailbox that stands twice in the file would be known the second time
            again = step.new & seen
            step.counts.update(new=-len(again), known=len(again))
            seen |= step.new
        yield step


def finish(batch_id: int, counts: Counter[str], actor: Actor, at: datetime) -> Counter[str]:
    """Note that the file has been read to its end, and write it into the log; the counts of all runs.

    ``counts`` are those of this run, which is all that there is to tell of a file that had been read before.
    """
    with writing() as session:
        batch = session.get_one(LeadImport, batch_id)
        if batch.finished_at is not None and not (counts["new"] or counts["known"]):
            return counts
        told = Counter(batch.counts) if batch.finished_at is None else counts
        batch.finished_at = batch.finished_at or at
        batch.state = "done" if batch.state != "undoing" else batch.state
        batch.counts = {name: batch.counts.get(name, 0) for name in COUNTS}
        audit.record(session, "imported leads", actor, f"import:{batch_id}", {"file": batch.file, **told})
        return told


def refused(batch_id: int) -> Iterator[Wrong]:
    """The rows of a batch that could not be taken, as far as they are kept."""
    last = 0
    while True:
        with db.engine.connect() as connection:
            rows = connection.execute(select(ImportRefusal).where(
                ImportRefusal.import_id == batch_id, ImportRefusal.id > last)
                .order_by(ImportRefusal.id).limit(AT_ONCE)).all()
        if not rows:
            return
        yield from (Wrong(row.number, list(row.cells), row.reason) for row in rows)
        last = rows[-1].id


def refusal(batch_id: int, row: Wrong) -> dict[str, Any]:
    """A row that could not be taken, as it is kept."""
    return {"import_id": batch_id, "number": row.number, "reason": row.reason[:400],
            "cells": [cell[:CELL] for cell in row.cells]}


def parts(table: Table, rules: Rules, after: int = 0) -> Iterator[Part]:
    """The rows behind number ``after``, some hundred at a time."""
    part, rows = Part([], [], after), dict[str, Said]()
    for number, cells in table.rows():
        if number <= after:
            continue
        if len(rows) >= AT_ONCE or len(part.wrong) >= AT_ONCE:
            yield _with(part, rows)
            part, rows = Part([], [], part.last), {}
        said = _said(rules, number, cells)
        if isinstance(said, Wrong):
            part.wrong.append(said)
        else:
            if said.email in rows:  # what it says comes after the other row, as in the file
                yield _with(part, rows)
                part, rows = Part([], [], part.last), {}
            rows[said.email] = said
        part.last = number
    yield _with(part, rows)


def _with(part: Part, rows: dict[str, Said]) -> Part:
    part.rows = list(rows.values())
    return part


def _said(rules: Rules, number: int, cells: list[str] | Broken) -> Said | Wrong:
    if isinstance(cells, Broken):
        return Wrong(number, [], cells.reason)
    try:
        return rules.said(number, cells)
    except Refused as error:
        return Wrong(number, cells, str(error))


def _tried(part: Part, options: Options, batch_id: int | None, at: datetime) -> Step:
    if batch_id is None:
        return _looked(part, options, at)
    for left in reversed(range(TRIES)):
        try:
            with writing() as session:
                batch = session.get_one(LeadImport, batch_id, with_for_update=True)
                if batch.undone_at is not None or batch.state == "undoing":
                    raise HandselError(f"import {batch_id}", "It was undone meanwhile.", "Begin it again.")
                return _written(session, batch, part, options)
        except (IntegrityError, OperationalError):
            if not left:
                raise
    raise AssertionError("unreachable")


def _written(session: Session, batch: LeadImport, part: Part, options: Options) -> Step:
    """Write the rows that nobody wrote yet, and how far the batch is, in one transaction."""
    again = batch.finished_at is not None
    behind = 0 if again else batch.row
    wrong = [each for each in part.wrong if each.number > behind]
    step = Chunk(session, options, batch, batch.at).take([row for row in part.rows if row.number > behind])
    step.wrong[:0] = wrong
    step.counts["wrong"] = len(step.wrong)
    told = Counter(step.counts)
    if again:  # what was the same or wrong then is so still, and has been counted
        told.update({"same": -told["same"], "wrong": -told["wrong"]})
    else:
        batch.row = max(batch.row, part.last)
        if step.wrong:
            session.execute(insert(ImportRefusal), [refusal(batch.id, each) for each in step.wrong])
    batch.counts = {**batch.counts, **{name: batch.counts.get(name, 0) + told[name] for name in COUNTS}}
    return step


def _looked(part: Part, options: Options, at: datetime) -> Step:
    session: Session = db.session()
    try:
        step = Chunk(session, options, None, at).take(part.rows)
    finally:
        session.rollback()
    step.wrong[:0] = part.wrong
    step.counts["wrong"] = len(step.wrong)
    return step
