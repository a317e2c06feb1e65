"""Imports that were begun at the desk, done by a worker: tried, brought in or taken back, one at a time.

The row of an import says how far it is; it is written with the work itself. A worker holds it for some seconds and
says again that it lives; when it was killed, another one goes on behind the last row once that time is over.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Generator, Iterator
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import delete, insert, or_, select
from sqlalchemy.orm import Session

from handsel import clock
from handsel.accounts.audit import Actor
from handsel.db import db, writing
from handsel.errors import HandselError
from handsel.leads.importing import batch, choices, undo, uploads
from handsel.leads.importing.chunk import Step
from handsel.leads.importing.models import ImportRefusal
from handsel.leads.importing.table import Table, opened
from handsel.leads.models import LeadImport
from handsel.offers.project import Project

LEASE = timedelta(seconds=20)  # for which a worker holds an import without a sign of life
SIGN = timedelta(seconds=5)
LINES = 40  # of the log
AT_WORK = ("trying", "running", "undoing")
log = logging.getLogger("handsel.leads")


def take(app: Flask, at: datetime) -> int | None:
    """The number of an import that waits for a worker, held from now on; None without one."""
    with writing() as session:
        waiting = select(LeadImport).where(
            LeadImport.at_desk, LeadImport.state.in_(AT_WORK),
            or_(LeadImport.lease_until.is_(None), LeadImport.lease_until < at)).order_by(LeadImport.id)
        for row in session.scalars(waiting.with_for_update(skip_locked=True)):
            if row.state != "undoing" and not (row.upload and uploads.path_of(app, row.upload).exists()):
                continue  # it lies on another machine, whose worker sees to it
            row.lease_until = at + LEASE
            return row.id
    return None


def work(app: Flask, number: int) -> Generator[None]:
    """Do what the import waits for, part by part: whoever stops asking has let it go, and it goes on later."""
    row = db.session().get_one(LeadImport, number, populate_existing=True)
    state, actor = row.state, _actor(row)
    db.session().rollback()
    try:
        yield from _undo(number, actor) if state == "undoing" else _bring(app, number, state, actor)
    except HandselError as error:
        _fail(number, state, f"{error.what} {error.do}")
    except GeneratorExit:
        let_go(number)
        raise
    except Exception:
        _fail(number, state, "It broke off by a fault of ours, which is in the server's log. You may begin it again: "
                             "it goes on where it was.")
        log.exception("import %d broke off", number)


def let_go(number: int) -> None:
    """Leave an import to whoever comes next."""
    with writing() as session:
        session.get_one(LeadImport, number).lease_until = None


def say(row: LeadImport, words: str, at: datetime) -> None:
    """Add a line to the log of an import."""
    row.log = [*row.log, [at.isoformat(timespec="seconds"), words]][-LINES:]


def _actor(row: LeadImport) -> Actor:
    """Who asked for it: of an undo whoever asked for that."""
    name, account_id = row.options.get("asked_by", [row.actor, row.account_id])
    return Actor(name, account_id)


def _bring(app: Flask, number: int, state: str, actor: Actor) -> Iterator[None]:
    """Try an import, or bring it in."""
    project: Project = app.extensions["handsel.offers"].project
    with writing() as session:
        row = session.get_one(LeadImport, number)
        upload, kept = row.upload, dict(row.options)
        if state == "trying":  # nothing is written by it, so it begins anew
            _clear(session, row)
    table = opened(uploads.path_of(app, upload))
    options = choices.again(project, kept, table.head)
    _begin(number, table)
    dry, signed = state == "trying", clock.now() - SIGN
    counts: Counter[str] = Counter()
    for step in batch.run(table, options, None if dry else number, clock.now()):
        counts.update(step.counts)
        now = clock.now()
        if dry or step.wrong or now - signed >= SIGN:
            signed = now
            _note(number, step, counts if dry else None, now)
        yield
    if dry:
        _finish_try(number)
        return
    told = batch.finish(number, counts, actor, clock.now())
    uploads.drop(app, upload)
    with writing() as session:
        row = session.get_one(LeadImport, number)
        row.upload, row.lease_until = "", None
        say(row, f"Done: {told['new']:,} new leads, {told['known']:,} known ones, {told['wrong']:,} rows refused.",
            clock.now())


def _begin(number: int, table: Table) -> None:
    total = sum(1 for _ in table.rows())
    with writing() as session:
        row = session.get_one(LeadImport, number)
        going_on = row.row > 0 and row.state == "running"
        row.total, row.lease_until = total, clock.now() + LEASE
        row.options = {**row.options, "began": [clock.now().isoformat(), done(row)]}
        say(row, f"Going on behind row {row.row:,}." if going_on else f"Reading {total:,} rows.", clock.now())


def done(row: LeadImport) -> int:
    """How many rows are done, whatever was done with them."""
    names = ("gone so far", "mended so far") if row.state == "undoing" else ("new", "known", "same", "wrong")
    return sum(row.counts.get(name, 0) for name in names)


def _note(number: int, step: Step, counts: Counter[str] | None, at: datetime) -> None:
    """Tell how far it is; of a try the counts and refused rows too, which its transactions do not write."""
    with writing() as session:
        row = session.get_one(LeadImport, number)
        row.lease_until = at + LEASE
        if counts is not None:
            row.counts = {name: counts[name] for name in batch.COUNTS}
            if step.wrong:
                session.execute(insert(ImportRefusal), [batch.refusal(number, each) for each in step.wrong])
        if not step.wrong and counts is None:
            say(row, f"{done(row):,} rows are done.", at)
        if step.wrong:
            first = step.wrong[0]
            say(row, f"Row {first.number:,} cannot be taken: {first.reason}"
                + (f" And {len(step.wrong) - 1:,} more." if len(step.wrong) > 1 else ""), at)


def _finish_try(number: int) -> None:
    with writing() as session:
        row = session.get_one(LeadImport, number)
        row.state, row.lease_until = "tried", None
        say(row, "Tried: nothing was changed.", clock.now())


def _undo(number: int, actor: Actor) -> Iterator[None]:
    for _step in undo.undo(number, actor, clock.now()):
        with writing() as session:
            session.get_one(LeadImport, number).lease_until = clock.now() + LEASE
        yield
    with writing() as session:
        row = session.get_one(LeadImport, number)
        row.lease_until = None
        say(row, "Undone.", clock.now())


def _clear(session: Session, row: LeadImport) -> None:
    """Forget what an earlier try said."""
    row.counts, row.log, row.row, row.problem = {}, [], 0, ""
    session.execute(delete(ImportRefusal).where(ImportRefusal.import_id == row.id))


def _fail(number: int, state: str, why: str) -> None:
    with writing() as session:
        row = session.get_one(LeadImport, number)
        if row.state != state:
            return  # somebody wants something else of it by now
        row.problem, row.lease_until = why[:400], None
        row.state = "failed"
        say(row, why, clock.now())


def ask(session: Session, row: LeadImport, state: str, actor: Actor) -> None:
    """Have a worker do it: ``trying``, ``running`` or ``undoing``. Needs a write transaction."""
    row.state, row.lease_until, row.problem = state, None, ""
    row.options = {**row.options, "asked_by": [actor.name, actor.account_id]}
    if state != "undoing" and not (state == "running" and row.fingerprint and row.row):
        _clear(session, row)
