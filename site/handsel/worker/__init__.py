"""The worker: hands mail over as it falls due, looks at leads, and throws away daily what we promised not to keep."""

from __future__ import annotations

import logging
import threading
import time

from flask import Flask

from handsel import clock

POLL = 0.2  # seconds between two looks into an idle queue: a mail leaves well within a second of its capture
IDLE = 15.0  # seconds after which an idle line to the mail server is hung up, before the server grows tired of it
log = logging.getLogger("handsel.worker")


def run(app: Flask, stop: threading.Event) -> None:
    """Work until ``stop`` is set; then finish the message in hand, give back the others and come back."""
    from handsel.worker.books import Bindery
    from handsel.worker.deliver import Deliverer, Heartbeat
    from handsel.worker.importing import Importing
    from handsel.worker.keeping import Keeping
    from handsel.worker.learning import Learning
    from handsel.worker.purge import purge
    from handsel.worker.qualifying import Qualifying
    from handsel.worker.sealing import Sealing
    from handsel.worker.watching import Watching

    with app.app_context():
        app.extensions["handsel.offers"].start()
        deliverer = Deliverer(app, stop=stop)
        heartbeat = Heartbeat(app, deliverer)
        heartbeat.start()
        beside = [kind(app) for kind in (Bindery, Importing, Keeping, Learning, Qualifying, Sealing, Watching)]
        for thread in beside:
            thread.start()
        last_mail, first_purge, purged_on = time.monotonic(), time.monotonic() + 60, None
        try:
            while not stop.is_set():
                try:
                    done = deliverer.round().total
                    if clock.now().date() != purged_on and time.monotonic() >= first_purge:
                        purge(app, clock.now())
                        purged_on = clock.now().date()
                except Exception:  # the worker outlives whatever one round meets; nothing is lost, the rows remember
                    log.exception("a round of the worker failed; it goes on in a second")
                    deliverer.let_go()
                    stop.wait(1)
                    continue
                if done:
                    last_mail = time.monotonic()
                    continue
                if time.monotonic() - last_mail > IDLE:
                    deliverer.hang_up()
                stop.wait(POLL)
        finally:
            heartbeat.ended.set()
            for thread in beside:
                thread.close()
            deliverer.close()
            heartbeat.join(5)
