"""The worker keeps the clock to first contact, and reminds people of their tasks.

It has a thread of its own, so that a slow mail server keeps nobody from being told in time.
"""

from __future__ import annotations

from datetime import datetime

from flask import Flask

from handsel import clock
from handsel.db import db, writing
from handsel.leads.handoff import watching
from handsel.offers.project import Project
from handsel.worker.rounds import Rounds


class Watching(Rounds):
    """Watches the clock to first contact, and tasks."""

    work = "watching hand-overs and tasks"
    every = 1.0

    def round(self) -> float:
        return 0 if round_(self.app, clock.now()) else self.every


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
