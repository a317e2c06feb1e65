"""The worker learns once a day which leads sales accepts, in a thread of its own: it takes a while."""

from __future__ import annotations

import logging
import threading

from flask import Flask
from sqlalchemy.exc import DBAPIError

from handsel import clock
from handsel.db import db
from handsel.leads.quality.predicting import digest
from handsel.leads.quality.training import ask_all, due, train
from handsel.offers.project import Project

FIRST = 20.0  # seconds after the start: what somebody just changed in the rules is seen by then, and the start is quick
EVERY = 60.0  # seconds between two looks whether it is time
log = logging.getLogger("handsel.leads")


class Learning(threading.Thread):
    """Learns until ``ended`` is set."""

    def __init__(self, app: Flask) -> None:
        super().__init__(name="handsel-learning", daemon=True)
        self.app = app
        self.ended = threading.Event()

    def run(self) -> None:
        with self.app.app_context():
            pause = FIRST
            while not self.ended.wait(pause):
                pause = EVERY
                try:
                    learn_now(self.app)
                except DBAPIError as error:
                    log.warning("outcomes wait to be learned from: %s", error.orig)
                except Exception:  # the thread outlives whatever one round meets; what was learned before holds
                    log.exception("the outcomes could not be learned from; the next round tries again")
                finally:
                    db.session.remove()

    def close(self) -> None:
        """End; what is half learned is learned by the next one."""
        self.ended.set()
        self.join(5)


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
