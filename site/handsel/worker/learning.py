"""The worker learns once a day which leads sales accepts, in a thread of its own: it takes a while."""

from __future__ import annotations

import logging

from flask import Flask

from handsel import clock
from handsel.db import db
from handsel.leads.quality.predicting import digest
from handsel.leads.quality.training import ask_all, due, train
from handsel.offers.project import Project
from handsel.worker.rounds import Rounds

log = logging.getLogger("handsel.leads")


class Learning(Rounds):
    """Learns from the outcomes when it is time."""

    work = "learning from outcomes"
    every = 60.0
    first = 20.0  # what somebody just changed in the rules is seen by then, and the start is quick

    def round(self) -> float:
        try:
            learn_now(self.app)
        finally:
            db.session.remove()
        return self.every


def learn_now(app: Flask) -> bool:
    """Learn from the outcomes if it is time; whether it was. Needs an application context."""
    project: Project = app.extensions["handsel.offers"].project
    at = clock.now()
    if not due(db.session(), digest(project.rules.scoring), at):
        return False
    db.session.rollback()
    model = train(project.rules.scoring, at)
    if model is None:
        return False
    log.info("learned from %d outcomes which leads sales accepts%s", model.accepted + model.rejected,
             "" if model.shown else "; there is nothing to show yet")
    ask_all(clock.now())
    return True
