"""How often one may: counters shared by all processes, in ``instance/limits.db`` or in Redis.

The counters are no facts: their file is written without waiting for the disk, and may be deleted at any time. When they
cannot be reached, people are let in rather than shut out.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from flask import Flask, current_app

from handsel import clock

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import SlidingWindowCounterRateLimiter

T = TypeVar("T")
log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Hang the counters on ``app``. They open their file at the first use."""
    app.extensions["handsel.limits"] = Limits(
        Path(app.instance_path) / "limits.db", app.config["REDIS_URL"], app.config["RATE_LIMITS"] == "on",
        app.config["SECRET_KEY"])


def allow(limit: str, *key: str, mark: str = "") -> bool:
    """Count one try of ``key`` against ``limit`` (such as ``10 per 15 minutes``); True while it is not used up.

    A refused try does not count, nor does one whose ``mark`` was counted before: it is the same try once more. Always
    True when ``RATE_LIMITS`` is off.
    """
    limits: Limits = current_app.extensions["handsel.limits"]
    return limits.allow(limit, *key, mark=mark)


class Limits:
    """The counters of one application."""

    def __init__(self, path: Path, redis_url: str, on: bool, secret: str) -> None:
        self.secret = blake2b(secret.encode(), digest_size=32, person=b"limits").digest()
        self.redis_url = redis_url
        self.on = on
        self._file = CounterFile(path)
        self._redis: SlidingWindowCounterRateLimiter | None = None

    def allow(self, limit: str, *key: str, mark: str = "") -> bool:
        """Count one try; see ``handsel.limits.allow``."""
        if not self.on:
            return True
        item = _item(limit)
        name = self._hash(*key)
        marked = self._hash(*key, mark) if mark else ""
        try:
            if self.redis_url:
                return self._in_redis(item, name, marked)
            return self._file.allow(name, item.amount, item.get_expiry(), marked)
        except Exception as error:
            log.warning("rate limits cannot be counted: %s", error)
            return True

    def _hash(self, *key: str) -> str:
        """What we keep of a key, which names addresses and people: a hash that only we can make."""
        return blake2b("\n".join(key).encode(), key=self.secret, digest_size=16).hexdigest()

    def _in_redis(self, item: RateLimitItem, name: str, mark: str) -> bool:
        from limits.storage import storage_from_string
        from limits.strategies import SlidingWindowCounterRateLimiter

        if self._redis is None:
            self._redis = SlidingWindowCounterRateLimiter(storage_from_string(self.redis_url))
        once = _item(f"1 per {item.get_expiry()} seconds")
        if mark and not self._redis.test(once, mark):
            return True
        allowed = bool(self._redis.hit(item, name))
        if allowed and mark:
            self._redis.hit(once, mark)
        return allowed

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@lru_cache(maxsize=256)
def _item(limit: str) -> RateLimitItem:
    from limits import parse

    return parse(limit)


class CounterFile:
    """Counters of tries in a SQLite file: this period's count and a share of the last one's make a sliding window."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._lock = threading.Lock()
        self._swept = 0.0

    def allow(self, key: str, most: int, seconds: int, mark: str = "") -> bool:
        """Count one try of ``key`` unless ``most`` tries were made in the last ``seconds``; whether it may be made.

        A try whose ``mark`` was counted before may be made again and does not count.
        """
        now = clock.now().timestamp()
        period = int(now // seconds)
        name, marked = f"{seconds}/{key}", f"{seconds}/{mark}"

        def add(connection: sqlite3.Connection, one: str) -> None:
            connection.execute(
                "INSERT INTO counter (key, period, tries, expires) VALUES (?, ?, 1, ?) "
                "ON CONFLICT (key, period) DO UPDATE SET tries = tries + 1", (one, period, (period + 2) * seconds))

        def count(connection: sqlite3.Connection) -> bool:
            if mark and connection.execute("SELECT 1 FROM counter WHERE key = ? AND period >= ?",
                                           (marked, period - 1)).fetchone():
                return True
            rows = dict(connection.execute(
                "SELECT period, tries FROM counter WHERE key = ? AND period >= ?", (name, period - 1)).fetchall())
            carried = rows.get(period - 1, 0) * (1 - now / seconds % 1)
            if round(carried) + rows.get(period, 0) + 1 > most:
                return False
            add(connection, name)
            if mark:
                add(connection, marked)
            if now > self._swept + 60:
                self._swept = now
                connection.execute("DELETE FROM counter WHERE expires < ?", (now,))
            return True

        return self._alone(count)

    def _alone(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work`` in a transaction that no other thread or process shares."""
        with self._lock:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                done = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            return done

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._process != os.getpid():
            connection = sqlite3.connect(self.path, timeout=2, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("CREATE TABLE IF NOT EXISTS counter (key TEXT, period INTEGER, tries INTEGER NOT NULL, "
                               "expires REAL NOT NULL, PRIMARY KEY (key, period)) WITHOUT ROWID")
            self._connection, self._process = connection, os.getpid()
        return self._connection

    def close(self) -> None:
        """Close the file if it is open."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
