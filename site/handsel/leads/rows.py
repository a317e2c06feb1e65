"""Rows straight to the driver: for the capture, where objects and statement building would cost more than the disk.

Values are shaped once to what a column keeps, whatever the engine; the statements are the same text for both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import JSON, Column, Date, String, Table

from handsel.db import Base, Instant, instant_text

Row = dict[str, Any]
_NAMED = re.compile(r"(?<![:\w]):(\w+)")


class Pen:
    """Writes through a driver inside one transaction. Parameters are named ``:so`` on both engines.

    ``cursor`` gives the cursor for one statement: SQLite's always the same, PostgreSQL's a new one each, because in a
    pipeline its statement may not even have been sent yet when the next one is written.
    """

    def __init__(self, cursor: Callable[[], Any], sqlite: bool) -> None:
        self._cursor = cursor
        self._sqlite = sqlite

    def run(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run one statement; its rows, if it gives any. Only a statement that gives rows is waited for."""
        cursor = self._cursor()
        cursor.execute(sql if self._sqlite else _percent(sql), values)
        return cursor.fetchall() if _gives_rows(sql) else []

    def add(self, model: type[Base], row: Row, tail: str = "") -> list[tuple[Any, ...]]:
        """Insert a shaped row; ``tail`` is what follows the values, such as ``RETURNING id``."""
        return self.run(_insert(model, tuple(row), tail), row)

    def add_all(self, model: type[Base], rows: Iterable[Row], tail: str = "") -> None:
        """Insert shaped rows with the same columns; in one statement where each one is sent over a line."""
        rows = list(rows)
        if rows and self._sqlite:
            self._cursor().executemany(_insert(model, tuple(rows[0]), tail), rows)
        elif rows:
            values = {f"{name}_{place}": value for place, row in enumerate(rows) for name, value in row.items()}
            self._cursor().execute(_percent(_insert(model, tuple(rows[0]), tail, len(rows))), values)


def shaped(model: type[Base], **values: Any) -> Row:
    """``values`` as the driver takes them, with the model's own defaults for the columns that are not named.

    Texts are cut to their column, so that both engines keep the same. A time may come as text already.
    """
    defaults, shapes = _shapes(model)
    row = defaults.copy()
    for name, value in values.items():
        shape = shapes[name]
        row[name] = value if shape is None or value is None else shape(value)
    return row


@lru_cache(maxsize=64)
def _shapes(model: type[Base]) -> tuple[Row, dict[str, Callable[[Any], Any] | None]]:
    """The defaults of a model's columns as the driver takes them, and how the values of each column are shaped."""
    columns = cast(Table, model.__table__).columns
    shapes = {column.name: _shape(column) for column in columns}
    defaults: Row = {}
    for column in columns:
        default: Any = getattr(column.default, "arg", None)
        if default is not None:
            empty = {"dict": {}, "list": []}.get(getattr(default, "__name__", ""), default)
            shape = shapes[column.name]
            defaults[column.name] = shape(empty) if shape else empty
    return defaults, shapes


def _shape(column: Column[Any]) -> Callable[[Any], Any] | None:
    if isinstance(column.type, Instant):
        return lambda at: at if isinstance(at, str) else instant_text(at)
    if isinstance(column.type, JSON):
        return json.dumps
    if isinstance(column.type, Date):
        return str  # SQLite's driver is to know no dates; both engines read them as text
    length = column.type.length if isinstance(column.type, String) else None
    if length is not None:
        return lambda text: text[:length]
    return None


@lru_cache(maxsize=256)
def _insert(model: type[Base], columns: tuple[str, ...], tail: str, rows: int = 0) -> str:
    """An INSERT of one row, or of so many ``rows`` whose parameters are numbered from ``_0`` on."""
    names = ", ".join(f'"{name}"' for name in columns)
    marks = [f"_{place}" for place in range(rows)] or [""]
    places = ", ".join("(" + ", ".join(f":{name}{mark}" for name in columns) + ")" for mark in marks)
    return f'INSERT INTO "{cast(Table, model.__table__).name}" ({names}) VALUES {places} {tail}'  # noqa: S608


@lru_cache(maxsize=256)
def _percent(sql: str) -> str:
    return _NAMED.sub(r"%(\1)s", sql.replace("%", "%%"))


@lru_cache(maxsize=256)
def _gives_rows(sql: str) -> bool:
    return sql.startswith("SELECT") or " RETURNING " in sql


def instant(value: Any) -> datetime | None:
    """A time as a driver gives it, back as a time."""
    return datetime.fromisoformat(value) if value else None


def loaded(value: Any) -> Any:
    """A JSON column as a driver gives it: SQLite's text, or what PostgreSQL's driver has read already."""
    return json.loads(value) if isinstance(value, (str, bytes)) else value
