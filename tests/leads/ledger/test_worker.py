"""The worker seals by itself, whoever else writes meanwhile."""

from __future__ import annotations

from threading import Event

from flask import Flask
from sqlalchemy import event, select

from handsel.db import db, snapshot
from handsel.leads.ledger import checking
from handsel.leads.models import Consent
from handsel.worker.sealing import Sealing
from support.funnel import ADVICE, take


def test_two_workers_seal_what_comes_in_while_they_run(app: Flask) -> None:
    sealed = Event()

    def seen(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith("UPDATE consent SET salt"):
            sealed.set()

    workers = [Sealing(app), Sealing(app)]
    event.listen(db.engine, "after_cursor_execute", seen)
    for worker in workers:
        worker.start()
    try:
        for number in range(3):
            sealed.clear()
            take(app, f"p{number}@example.org", (ADVICE,))
            assert sealed.wait(30)
    finally:
        for worker in workers:
            worker.close()
    with snapshot() as connection:
        found = checking.check(connection)
    assert (found.entries, found.waiting, found.faults) == (3, 0, [])
    assert all(salt for salt in db.session.scalars(select(Consent.salt)))
