"""The day's secret: one for all processes, through the database, and gone when its day is."""

from __future__ import annotations

import os
from datetime import date, timedelta

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from handsel.db import insert_or
from handsel.traffic.models import DaySecret, Visitor

GRACE = timedelta(minutes=5)  # a page sent just before midnight is still written down just after it


def secret_of(connection: Connection, day: date) -> bytes:
    """The secret of ``day`` (UTC), made here if no process has made it yet. Needs a write transaction."""
    connection.execute(insert_or(DaySecret, connection.dialect.name)
                       .values(day=day, secret=os.urandom(32)).on_conflict_do_nothing())
    secret: bytes = connection.execute(select(DaySecret.secret).where(DaySecret.day == day)).scalar_one()
    return secret


def known_secret(connection: Connection, day: date) -> bytes | None:
    """The secret of ``day`` if a process has made it. Only reads."""
    secret: bytes | None = connection.execute(select(DaySecret.secret).where(DaySecret.day == day)).scalar()
    return secret


def forget_before(connection: Connection, day: date) -> int:
    """Delete the secrets of the days before ``day`` and how those days' journeys began; how many secrets went."""
    connection.execute(delete(Visitor).where(Visitor.day < day))
    return connection.execute(delete(DaySecret).where(DaySecret.day < day)).rowcount
