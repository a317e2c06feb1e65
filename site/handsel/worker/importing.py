"""The worker brings in the files that were uploaded at the desk, in a thread of its own beside the mail."""

from __future__ import annotations

import time

from flask import Flask

from handsel import clock
from handsel.leads.importing import jobs
from handsel.worker.rounds import Rounds


class Importing(Rounds):
    """Does imports; the one in hand is let go at the end, and goes on with the next worker."""

    work = "importing"

    def round(self) -> float:
        number = jobs.take(self.app, clock.now())
        if number is None:
            return self.every
        work, began = jobs.work(self.app, number), time.monotonic()
        for _ in work:
            if self.ended.is_set():
                work.close()
                break
            # As long as it wrote, it lets others write: on SQLite a capture waits for it otherwise.
            self.ended.wait(min(0.05, time.monotonic() - began))
            began = time.monotonic()
        return 0


def import_now(app: Flask) -> int:
    """Do all imports that wait, to their end; how many. Needs an application context."""
    done = 0
    while (number := jobs.take(app, clock.now())) is not None:
        for _ in jobs.work(app, number):
            pass
        done += 1
    return done
