"""Hits are noted in memory and written together: by one thread, each second or two thousand, in one transaction.

A page view so costs its visitor about a microsecond. What a process has noted and not yet written is lost when it is
killed; a process that ends in order writes it first.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from flask import Flask
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from handsel import clock
from handsel.db import db, write_connection
from handsel.traffic import writing
from handsel.traffic.known import Known
from handsel.traffic.secrets import GRACE, forget_before, known_secret, secret_of
from handsel.traffic.visitor import Visit, visit

EVERY = 1.0  # seconds between two writes: how far reports may lag
ENOUGH = 2_000  # hits that are written at once without waiting for the second to end: 10 ms of the database's time
MOST = 100_000  # hits that we hold while the database cannot be written; beyond, new ones are dropped and counted

log = logging.getLogger(__name__)


class Noted(NamedTuple):
    """One hit on its way to the database."""

    at: datetime
    kind: str
    path: str
    offer: str
    variant: str
    visit: Visit
    mark: str = ""
    """What else is known of it to those who follow; the key of a letter for a click."""


Follower = Callable[[Connection, list[Noted]], None]
"""Sees the hits that were just written, in the same transaction."""


class Traffic:
    """The recorder of one process; it hangs on the application and may be used by every thread."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.dropped = 0
        self.known = Known(app)
        self.followers: list[Follower] = []
        self._noted: list[Noted] = []
        self._wake = threading.Event()
        self._lock = threading.Lock()  # one write at a time: the thread's, or a flush
        self._process = 0
        self._day: tuple[date, bytes] = (date.min, b"")
        self._kept = date.min  # the first day whose secret is still there, as far as this process knows
        self._closed = False

    def visit(self, environ: Mapping[str, Any], at: datetime | None = None) -> Visit:
        """The visit behind a WSGI request, under today's secret, or as whom its cookie says if they agreed to that.

        ``at`` is now, from one who has asked the clock.
        """
        seen = visit(environ, self.secret(at))
        cookies = environ.get("HTTP_COOKIE")
        return seen if not cookies or seen.private else self._recognised(seen, cookies)

    def _recognised(self, seen: Visit, cookies: str) -> Visit:
        number = self.known.number(cookies)
        unit = self.known.unit(number) if number else ""
        return seen.recognised(number, unit) if unit else seen

    def secret(self, at: datetime | None = None) -> bytes:
        """Today's secret; the first call of a day reads or makes it in the database."""
        today = (at or clock.now()).date()
        day, secret = self._day
        if day != today:
            with self.app.app_context():
                secret = self._fetch(today)
            self._day = (today, secret)
        return secret

    def _fetch(self, today: date) -> bytes:
        try:
            with db.engine.connect() as connection:
                secret = known_secret(connection, today)
            if secret is None:
                with write_connection() as connection:
                    secret = secret_of(connection, today)
        except DBAPIError:
            # A full or busy disk shall not keep pages from visitors; this process then counts by itself until tomorrow.
            log.warning("the day's secret could not be kept; this process counts visitors by itself today")
            secret = os.urandom(32)
        return secret

    def record(self, kind: str, path: str, visit: Visit, offer: str = "", variant: str = "",
               *, at: datetime | None = None, mark: str = "") -> None:
        """Note that ``visit`` did ``kind`` (``view``, ``submit``, ``click``, ``download``) on the page at ``path``.

        A view with an ``offer`` and a ``variant`` is also the visitor's exposure in that offer's experiment.
        """
        self._noted.append(Noted(at or clock.now(), kind, path, offer, variant, visit, mark))
        if self._process != os.getpid():
            self._start()
        if len(self._noted) >= ENOUGH and not self._wake.is_set():
            self._wake.set()

    def _start(self) -> None:
        with self._lock:
            if self._process == os.getpid() or self._closed:
                return
            self._process = os.getpid()  # after a fork the thread is gone, so each process starts its own
            self._wake = threading.Event()
            threading.Thread(target=self._run, name="traffic", daemon=True).start()
            atexit.register(self.close)

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait(EVERY)
            self._wake.clear()
            try:
                self.flush()
            except DBAPIError as error:
                log.warning("hits wait to be written: %s", error.orig)
            except Exception:
                log.exception("hits could not be written")

    def flush(self) -> None:
        """Write what is noted, now. Raises DBAPIError and keeps the hits when the database cannot be written."""
        with self._lock:
            noted, self._noted = self._noted, []
            if not noted:
                return
            kept = (noted[-1].at - GRACE).date()
            try:
                with self.app.app_context(), write_connection() as connection:
                    writing.write(connection, noted)
                    for follow in self.followers:
                        follow(connection, noted)
                    if kept != self._kept:
                        forget_before(connection, kept)
            except BaseException:
                self._keep(noted)
                raise
            self._kept = kept

    @property
    def waiting(self) -> int:
        """How many hits are noted and not yet written."""
        return len(self._noted)

    def _keep(self, noted: list[Noted]) -> None:
        room = max(0, MOST - len(self._noted))
        self.dropped += max(0, len(noted) - room)
        self._noted[:0] = noted[:room]

    def close(self) -> None:
        """Write what is noted and end the thread. For the end of a process, and of a test."""
        self._closed = True
        self._wake.set()
        try:
            self.flush()
        except DBAPIError as error:
            log.warning("%d hits were lost at the end: %s", len(self._noted), error.orig)
        atexit.unregister(self.close)
