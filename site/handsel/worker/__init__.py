"""The worker: hands mail over as it falls due, and throws away daily what we promised not to keep."""

from __future__ import annotations

import logging
import threading
import time

from flask import Flask

from handsel import clock

POLL = 0.2  # seconds between two looks into an idle queue: a mail leaves well within a second of its capture
IDLE = 15.0  # seconds after which an idle line to the mail server is hung up, before the server grows tired of it
DAY = 86_400.0
log = logging.getLogger("handsel.worker")


def run(app: Flask, stop: threading.Event) -> None:
    """Work until ``stop`` is set; then finish the message in hand, give back the others and come back."""
    from handsel.worker.deliver import Deliverer, Heartbeat
    from handsel.worker.purge import purge

    with app.app_context():
        app.extensions["handsel.offers"].start()
        deliverer = Deliverer(app, stop=stop)
        heartbeat = Heartbeat(app, deliverer)
        heartbeat.start()
        last_mail, next_purge = time.monotonic(), time.monotonic() + 60
        try:
            while not stop.is_set():
                try:
                    done = deliverer.round().total
                    if time.monotonic() >= next_purge:
                        next_purge = time.monotonic() + DAY
                        purge(app, clock.now())
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
            deliverer.close()
            heartbeat.join(5)
