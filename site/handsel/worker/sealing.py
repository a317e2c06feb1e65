"""The worker seals consents in the ledger, in a thread of its own: nothing else keeps a consent from its seal."""

from __future__ import annotations

import logging
import threading

from flask import Flask
from sqlalchemy.exc import DBAPIError

from handsel import clock
from handsel.leads.ledger import sealing

EVERY = 0.5  # seconds between two looks: a consent has its seal within a second
log = logging.getLogger("handsel.leads")


class Sealing(threading.Thread):
    """Seals consents until ``ended`` is set."""

    def __init__(self, app: Flask) -> None:
        super().__init__(name="handsel-sealing", daemon=True)
        self.app = app
        self.ended = threading.Event()

    def run(self) -> None:
        with self.app.app_context():
            while not self.ended.is_set():
                try:
                    sealed = sealing.seal(clock.now())
                except DBAPIError as error:
                    log.warning("consents wait to be sealed: %s", error.orig)
                    sealed = 0
                except Exception:  # the thread outlives whatever one round meets; the consents wait for the next
                    log.exception("consents could not be sealed; the next round tries again")
                    sealed = 0
                # With more to seal than one transaction takes, others still get their turn in between.
                self.ended.wait(EVERY / 10 if sealed == sealing.AT_ONCE else EVERY)

    def close(self) -> None:
        """Finish the round in hand and end."""
        self.ended.set()
        self.join(5)
