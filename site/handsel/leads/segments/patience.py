"""Queries that are given up after a while, because somebody waits for the answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

STEPS = 4_000  # of SQLite's machine between two looks at the clock: well under a millisecond


class OutOfTime(Exception):
    """The query took longer than it was given. The transaction goes on as if it had not been asked."""


@contextmanager
def patience(session: Session, seconds: float) -> Iterator[None]:
    """Queries within take so many seconds at most, or OutOfTime is raised."""
    if session.get_bind().dialect.name == "sqlite":
        with _sqlite(session, seconds):
            yield
    else:
        with _postgresql(session, seconds):
            yield


@contextmanager
def _sqlite(session: Session, seconds: float) -> Iterator[None]:
    driver = session.connection().connection.dbapi_connection
    assert driver is not None
    until = time.monotonic() + seconds
    driver.set_progress_handler(lambda: time.monotonic() >= until, STEPS)
    try:
        yield
    except OperationalError as error:
        if "interrupted" not in str(error.orig):
            raise
        raise OutOfTime from None
    finally:
        driver.set_progress_handler(None, 0)


@contextmanager
def _postgresql(session: Session, seconds: float) -> Iterator[None]:
    before = session.scalar(text("SELECT current_setting('statement_timeout')"))
    limit = text("SELECT set_config('statement_timeout', :limit, true)")
    try:
        with session.begin_nested():
            session.execute(limit, {"limit": f"{max(1, round(seconds * 1000))}ms"})
            yield
            session.execute(limit, {"limit": before})
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", "") != "57014":  # query_canceled
            raise
        raise OutOfTime from None
