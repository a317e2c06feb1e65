"""The worker keeps the record of the experiments: what the files ask of them, and what the facts say.

It has a thread of its own, so that a slow mail server keeps no conversion from the results.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Flask

from handsel import clock
from handsel.experiments.keeping import EVERY, Keeper, Wishes
from handsel.offers.project import Project
from handsel.worker.rounds import Rounds
from handsel.worker.wishes import wish


class Keeping(Rounds):
    """Keeps the experiments."""

    work = "counting experiments"
    every = EVERY
    _kept: Keeper | None = None

    def round(self) -> float:
        self._kept = self._kept or keeper(self.app)
        return 0 if self._kept.round(clock.now()) else self.every


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
