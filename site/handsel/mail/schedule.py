"""When a mail is tried again and when it is given up: pure functions of times."""

from __future__ import annotations

from datetime import datetime, timedelta

LIFETIMES = {
    "account": timedelta(minutes=15),  # a sign-in link that comes later is of no use
    "confirm": timedelta(hours=24),
    "delivery": timedelta(hours=48),
    "notice": timedelta(hours=48),
    "personal": timedelta(hours=48),
    "letter": timedelta(hours=72),
}
PRIORITIES = {"account": 0, "delivery": 1, "confirm": 1, "personal": 2, "notice": 3, "letter": 5}
LATE = timedelta(hours=48)  # a letter that nobody touched for so long is held: its moment may have passed
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 120, 240, 480, 720))
JITTER = 0.2
MAX_ATTEMPTS = 16  # no lifetime holds more, so that a fault of ours cannot try for ever
PROBE = timedelta(minutes=5)  # how often a server that refuses our name and password is asked again


def retry_at(at: datetime, attempts: int, give_up_at: datetime, luck: float) -> datetime | None:
    """When to try again after the failed attempt number ``attempts`` (1 for the first), or None to give up.

    ``luck`` is a number from 0 to 1 that spreads the retries by a fifth either way.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    delay = DELAYS[min(attempts, len(DELAYS)) - 1] * (1 + JITTER * (2 * luck - 1))
    return at + delay if at + delay < give_up_at else None


def back_off(tries: int) -> timedelta:
    """How long to leave a server or domain alone after ``tries`` fruitless visits: a minute, doubled up to an hour."""
    return timedelta(minutes=min(60, 2 ** min(max(tries, 1) - 1, 6)))
