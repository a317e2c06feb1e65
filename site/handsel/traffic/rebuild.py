"""Tallies made anew from the hits they are the sums of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Date, delete, func, insert, literal, select, text

from handsel.db import db, is_sqlite, write_connection
from handsel.traffic.models import Hit, Tally


def days() -> list[date]:
    """The days (UTC) whose hits are all still there. The oldest one may have lost its first hits, so it is left out."""
    with db.engine.connect() as connection:
        oldest, newest = connection.execute(select(func.min(Hit.at), func.max(Hit.at))).one()
        first_tally = connection.scalar(select(func.min(Tally.day)))
    if oldest is None:
        return []
    first = oldest.date()
    if first_tally is not None and first_tally < first:
        first += timedelta(days=1)
    return [first + timedelta(days=number) for number in range((newest.date() - first).days + 1)]


def rebuild(of: list[date]) -> Iterator[date]:
    """Make the tallies of these days anew, each in its own transaction; gives each day when it is done."""
    for day in of:
        with write_connection() as connection:
            if not is_sqlite():
                connection.execute(text("LOCK TABLE tally IN SHARE ROW EXCLUSIVE MODE"))
            start = datetime.combine(day, time(), UTC)
            keys = (Hit.path, Hit.variant, Hit.kind, Hit.excluded)
            sums = select(literal(day, Date), *keys, func.max(Hit.offer), func.count()).where(
                Hit.at >= start, Hit.at < start + timedelta(days=1)).group_by(*keys)
            connection.execute(delete(Tally).where(Tally.day == day))
            connection.execute(insert(Tally).from_select(
                ["day", "path", "variant", "kind", "excluded", "offer", "hits"], sums))
        yield day

