"""The worker looks at leads: whatever happened to them, and whatever time does to their points, is judged by the rules.

It has a thread of its own, so that a slow mail server keeps no hot lead from sales. It works in small transactions and
pauses between them, so that on SQLite no capture waits for long.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from handsel import clock
from handsel.db import writing
from handsel.leads.models import Lead
from handsel.leads.qualify import versions
from handsel.leads.qualify.looking import look
from handsel.offers.project import Project
from handsel.worker.rounds import Rounds

FIRST, FEWEST, MOST = 20, 5, 200  # leads in one transaction: at first, and what the time they take may make of it
AIM = 0.06  # seconds that one transaction is to last: on SQLite all captures wait for it
TROUBLE = timedelta(hours=1)  # after which a lead that could not be looked at is tried again
log = logging.getLogger("handsel.leads")


class Qualifying(Rounds):
    """Looks at leads."""

    work = "looking at leads"

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        self._judged: Project | None = None
        self._number = FIRST

    def round(self) -> float:
        began = time.monotonic()
        looked_at = round_(self.app, clock.now(), self._number) or self._ask_for_more()
        took = time.monotonic() - began
        if looked_at == self._number or took > AIM:
            self._number = max(FEWEST, min(MOST, round(self._number * AIM / max(took, AIM / 4))))
        # As long as it wrote, it lets others write.
        return min(self.every, took) if looked_at else self.every

    def _ask_for_more(self) -> int:
        """When nobody waits, those come whom the present rules have not judged yet."""
        project: Project = self.app.extensions["handsel.offers"].project
        if project is self._judged:
            return 0
        asked = ask_some(project)
        if not asked:
            self._judged = project
        return asked


def qualify_now(app: Flask) -> int:
    """Look at all leads that wait for it now; how many. Needs an application context."""
    at, total = clock.now(), 0
    while ask_some(app.extensions["handsel.offers"].project):
        pass
    while looked_at := round_(app, at):
        total += looked_at
    return total


def ask_some(project: Project) -> int:
    """Ask for a look at some leads that the rules of ``project`` have not judged yet. Needs an application context."""
    with writing() as session:
        return versions.ask_some(session, versions.version_of(project), clock.now())


def round_(app: Flask, at: datetime, number: int = 100) -> int:
    """Look at up to ``number`` of the leads whose time has come by ``at``; how many. Needs an application context."""
    project: Project = app.extensions["handsel.offers"].project
    with writing() as session:
        ids = _waiting(session, at, number)
        if not ids:
            return 0
        try:
            with session.begin_nested():
                look(session, project, ids, at)
        except DBAPIError:
            raise
        except Exception:
            log.exception("some of %d leads could not be looked at; each is tried alone", len(ids))
            _one_by_one(session, project, ids, at)
    return len(ids)


def _waiting(session: Session, at: datetime, number: int) -> list[int]:
    # Whoever did something just now comes before the thousands of an import.
    wait = select(Lead.id).where(Lead.look_at <= at).order_by(Lead.look_at.desc(), Lead.id).limit(number)
    return list(session.scalars(wait.with_for_update(skip_locked=True)))


def _one_by_one(session: Session, project: Project, ids: list[int], at: datetime) -> None:
    """What one lead does to the rules must not keep the others waiting."""
    for id_ in ids:
        try:
            with session.begin_nested():
                look(session, project, [id_], at)
        except DBAPIError:
            raise
        except Exception:
            log.exception("lead %d could not be looked at", id_)
            session.execute(update(Lead).where(Lead.id == id_).values(look_at=at + TROUBLE))
