"""The worker keeps the record of the experiments: what the files ask of them, and what the facts say.

It has a thread of its own, so that a slow mail server keeps no conversion from the results.
"""

from __future__ import annotations

import logging
import threading
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy.exc import DBAPIError

from handsel import clock
from handsel.experiments.keeping import EVERY, Keeper, Wishes
from handsel.offers.project import Project
from handsel.worker.wishes import wish

log = logging.getLogger("handsel.experiments")


class Keeping(threading.Thread):
    """Keeps the experiments until ``ended`` is set."""

    def __init__(self, app: Flask) -> None:
        super().__init__(name="handsel-experiments", daemon=True)
        self.app = app
        self.ended = threading.Event()

    def run(self) -> None:
        with self.app.app_context():
            kept = keeper(self.app)
            while not self.ended.is_set():
                try:
                    more = kept.round(clock.now())
                except DBAPIError as error:
                    log.warning("the experiments wait to be counted: %s", error.orig)
                    more = False
                except Exception:  # the thread outlives whatever one round meets; the facts stay uncounted till then
                    log.exception("the experiments could not be counted; the next round tries again")
                    more = False
                if not more:
                    self.ended.wait(EVERY)

    def close(self) -> None:
        """Finish the round in hand and end."""
        self.ended.set()
        self.join(5)


def keep_now(app: Flask) -> None:
    """One round, to its end: what a worker does that comes and goes. Needs an application context."""
    kept = keeper(app)
    while kept.round(clock.now()):
        pass


def keeper(app: Flask) -> Keeper:
    """The keeper of one worker. It is handed the same wishes as long as the project is the same."""
    known: list[tuple[Project, Wishes]] = []

    def wishes() -> tuple[Wishes, ZoneInfo]:
        project: Project = app.extensions["handsel.offers"].project
        if not known or known[0][0] is not project:
            known[:] = [(project, {slug: wish(offer) for slug, offer in project.offers.items()})]
        return known[0][1], ZoneInfo(project.site.timezone)

    return Keeper(wishes)
