"""The worker brings in the files that were uploaded at the desk, in a thread of its own beside the mail."""

from __future__ import annotations

import logging
import threading
import time

from flask import Flask
from sqlalchemy.exc import DBAPIError

from handsel import clock
from handsel.leads.importing import jobs

EVERY = 0.5  # seconds between two looks for work
log = logging.getLogger("handsel.leads")


class Importing(threading.Thread):
    """Does imports until ``ended`` is set; the one in hand is let go then, and goes on with the next worker."""

    def __init__(self, app: Flask) -> None:
        super().__init__(name="handsel-importing", daemon=True)
        self.app = app
        self.ended = threading.Event()

    def run(self) -> None:
        with self.app.app_context():
            while not self.ended.is_set():
                try:
                    number = jobs.take(self.app, clock.now())
                    if number is not None:
                        self._do(number)
                        continue
                except DBAPIError as error:
                    log.warning("an import waits for the database: %s", error.orig)
                except Exception:  # the thread outlives whatever one import meets; its row remembers how far it is
                    log.exception("an import could not be gone on with; it is tried again")
                self.ended.wait(EVERY)

    def _do(self, number: int) -> None:
        work, began = jobs.work(self.app, number), time.monotonic()
        for _ in work:
            if self.ended.is_set():
                work.close()
                return
            # As long as it wrote, it lets others write: on SQLite a capture waits for it otherwise.
            self.ended.wait(min(0.05, time.monotonic() - began))
            began = time.monotonic()

    def close(self) -> None:
        """Finish the rows in hand and end."""
        self.ended.set()
        self.join(5)


def import_now(app: Flask) -> int:
    """Do all imports that wait, to their end; how many. Needs an application context."""
    done = 0
    while (number := jobs.take(app, clock.now())) is not None:
        for _ in jobs.work(app, number):
            pass
        done += 1
    return done
