"""A look into the SQLite database of a running site, read-only and from outside."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any

from support.running import wait_until


class Ledger:
    """The rows of a site's database as they stand on disk."""

    def __init__(self, project: Path) -> None:
        self.path = project / "instance" / "handsel.db"

    def rows(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of a SELECT."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(question, values).fetchall()

    def value(self, question: str, *values: Any) -> Any:
        """The one value of a SELECT."""
        (row,) = self.rows(question, *values)
        return row[0]

    def count(self, table: str, where: str = "1 = 1", *values: Any) -> int:
        """How many rows of a table meet a condition."""
        return int(self.value(f"SELECT count(*) FROM {table} WHERE {where}", *values))

    def become(self, email: str, letters: dict[str, str]) -> None:
        """Wait until a person's messages are in these states, by step: a result is stored right after its mail."""
        try:
            wait_until(lambda: self.letters(email) == letters, 5)
        except AssertionError:
            assert self.letters(email) == letters

    def letters(self, email: str) -> dict[str, str]:
        """The state of each step of a person's messages, by step; with the newest one of a step that was sent again."""
        return dict(self.rows("SELECT step, state FROM message JOIN lead ON lead.id = lead_id WHERE email = ? "
                              "ORDER BY message.id", email))

    def settled(self, seconds: float = 15) -> None:
        """Wait until no message that is due is still to be handed over."""
        wait_until(lambda: not self.count("message", "state = 'claimed' OR (state = 'queued' AND attempts = 0 "
                                          "AND due_at <= (SELECT max(created_at) FROM message))"),
                   seconds, "the due mail is handed over")

    def state(self, but: Collection[str] = ()) -> str:
        """A hash of every row of every table except those named, for telling whether anything was changed."""
        seen = hashlib.sha256()
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)) as connection:
            tables = sorted(row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
            for table in tables:
                if table not in but:
                    for row in sorted(map(repr, connection.execute(f"SELECT * FROM {table}"))):
                        seen.update(f"{table} {row}".encode())
        return seen.hexdigest()
