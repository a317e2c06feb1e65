"""Many believable rows, written quickly and straight into a project's own database file."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from handsel.db import instant_text

START = datetime(2025, 1, 6, 9, tzinfo=UTC)
FIRST = ("Ada", "Ben", "Chloé", "Dara", "Eve", "Finn", "Gül", "Hana")
LAST = ("Quill", "Reader", "O'Neill", "Størmer", "Park", "Lee")
COMPANIES = ("Northlight", "Harbour & Sons", "Kettle Ltd", "Blue Door, Inc.", "Mill Lane Press", "")
STAGES = ("iql", "mql", "sql")


def leads(path: Path, number: int, offset: int = 0) -> None:
    """Add ``number`` leads with a capture, tags and an offer each; one of two hundred holds a cell that needs care."""
    chance = random.Random(7)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN IMMEDIATE")
        _insert(connection, "lead", _lead_rows(number, offset, chance))
        _insert(connection, "capture", ({
            "id": each + 1, "key": f"c{each:021d}", "once": f"o{each:021d}", "lead_id": each + 1, "offer": "guide",
            "form": "short", "variant": "a", "page": "/offers/guide/", "answers": "{}",
            "email": f"lead{each}@a.example", "at": _at(each)} for each in range(offset, offset + number)))
        _insert(connection, "lead_tag", ({"lead_id": each + 1, "tag": "reading", "at": _at(each), "source": "guide"}
                                         for each in range(offset, offset + number)))
        _insert(connection, "lead_offer", ({"lead_id": each + 1, "offer": "guide", "at": _at(each)}
                                           for each in range(offset, offset + number)))
        connection.execute("COMMIT")
        connection.execute("ANALYZE")


def _at(number: int) -> str:
    return instant_text(START + timedelta(seconds=20 * number))


def _lead_rows(number: int, offset: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    for each in range(offset, offset + number):
        careful = each % 200 == 0
        first, last = chance.choice(FIRST), chance.choice(LAST)
        yield {
            "id": each + 1, "key": f"k{each:021d}", "email": f"lead{each}@a.example",
            "address": f"lead{each}@a.example", "name": f"{first} {last}", "first_name": first, "last_name": last,
            "company": '=cmd|"/c calc"!A1' if careful else chance.choice(COMPANIES[:3] + COMPANIES[4:]),
            "job_title": "Editor", "phone": "", "country": "GB", "custom": "{}", "stage": chance.choice(STAGES),
            "score": chance.randrange(100), "tags_text": "reading, train-reader", "offers_text": "guide",
            "source": "newsletter", "consent_text": "advice", "plain": 0 if careful else 1, "captured_at": _at(each),
            "last_capture_at": _at(each), "confirmed_at": _at(each)}


def tallies(path: Path, days: int, paths: int) -> int:
    """Add the tallies that ten million hits would have made, and give their number."""
    rows = ({"day": (START + timedelta(days=day)).date().isoformat(), "path": f"/offers/offer{page}/",
             "variant": variant, "kind": kind, "excluded": "", "offer": f"offer{page}", "hits": 9}
            for day in range(days) for page in range(paths) for variant in "ab" for kind in ("view", "submit"))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        _insert(connection, "tally", rows)
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
        return int(connection.execute("SELECT count(*) FROM tally").fetchone()[0])


def hits(path: Path, number: int) -> None:
    """Add raw hits, for the question that tallies save."""
    rows = ({"at": _at(each), "kind": "view" if each % 20 else "submit", "path": f"/offers/offer{each % 50}/",
             "offer": f"offer{each % 50}", "variant": "ab"[each % 2], "visitor": f"{each % 100_000:032d}",
             "source": "direct", "campaign": "", "device": "phone", "excluded": ""} for each in range(number))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN IMMEDIATE")
        _insert(connection, "hit", rows)
        connection.execute("COMMIT")


def _insert(connection: sqlite3.Connection, table: str, rows: Iterator[dict[str, Any]]) -> None:
    """Insert rows; columns that they do not name take the plainest value that the column allows."""
    known = connection.execute(f"PRAGMA table_info({table})").fetchall()
    names = [name for _, name, *_ in known]
    plain = {name: None if not required else 0 if "INT" in kind or kind == "BOOLEAN" else ""
             for _, name, kind, required, _, key in known if not (key and name == "id")}
    connection.executemany(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})",
        (({"id": None} if "id" in names else {}) | plain | row for row in rows))
