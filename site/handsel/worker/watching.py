"""The worker keeps the clock to first contact, and reminds people of their tasks.

It has a thread of its own, so that a slow mail server keeps nobody from being told in time.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime

from flask import Flask
from sqlalchemy.exc import DBAPIError

from handsel import clock
from handsel.db import db, writing
from handsel.leads.handoff import watching
from handsel.offers.project import Project

EVERY = 1.0  # seconds between two looks at the clock
log = logging.getLogger("handsel.leads")


class Watching(threading.Thread):
    """Watches until ``ended`` is set."""

    def __init__(self, app: Flask) -> None:
        super().__init__(name="handsel-watching", daemon=True)
        self.app = app
        self.ended = threading.Event()

    def run(self) -> None:
        with self.app.app_context():
            while not self.ended.is_set():
                try:
                    more = round_(self.app, clock.now())
                except DBAPIError as error:
                    log.warning("hand-overs and tasks wait to be looked at: %s", error.orig)
                    more = False
                except Exception:  # the thread outlives whatever one round meets; what is due stays due
                    log.exception("hand-overs and tasks could not be looked at; the next round tries again")
                    more = False
                if not more:
                    self.ended.wait(EVERY)

    def close(self) -> None:
        """Finish the round in hand and end."""
        self.ended.set()
        self.join(5)


def round_(app: Flask, at: datetime) -> bool:
    """Look at some of what is due by ``at``; whether more may be left. Needs an application context."""
    session = db.session()
    due = watching.is_due(session, at)
    session.rollback()
    if not due:
        return False
    project: Project = app.extensions["handsel.offers"].project
    with writing() as write:
        return watching.round_(write, project.rules.handoff, at)


def watch_now(app: Flask) -> None:
    """Look at all that is due, to its end. Needs an application context."""
    at = clock.now()
    while round_(app, at):
        pass
