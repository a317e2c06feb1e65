"""What the worker does beside the mail, each in a thread of its own: round after round, whatever one of them meets."""

from __future__ import annotations

import logging
import threading

from flask import Flask
from sqlalchemy.exc import DBAPIError

log = logging.getLogger("handsel.worker")


class Rounds(threading.Thread):
    """Does ``round`` again and again until it is closed. A round that fails is tried again after ``every`` seconds."""

    work = ""
    """What is done, as it stands in the log and, with a dash, in the thread's name."""
    every = 0.5
    """Seconds between two rounds that find nothing to do."""
    first = 0.0
    """Seconds until the first round."""

    def __init__(self, app: Flask) -> None:
        super().__init__(name=f"handsel-{self.work.replace(' ', '-')}", daemon=True)
        self.app = app
        self.ended = threading.Event()

    def run(self) -> None:
        with self.app.app_context():
            pause = self.first
            while not self.ended.wait(pause):
                pause = self.every
                try:
                    pause = self.round()
                except DBAPIError as error:
                    log.warning("%s waits for the database: %s", self.work, error.orig)
                except Exception:  # the thread outlives whatever one round meets; what was not done is still due
                    log.exception("%s failed; the next round tries again", self.work)

    def round(self) -> float:
        """Do some of what is due, in the application's context; the seconds until the next round."""
        raise NotImplementedError

    def close(self) -> None:
        """Finish the round in hand and end."""
        self.ended.set()
        self.join(5)
