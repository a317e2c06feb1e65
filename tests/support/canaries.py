"""A person of whom every column of every table says something that stands nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, Float, LargeBinary, String, Table, insert, select

from handsel.db import Base, Instant, write_connection
from handsel.leads.privacy import schema

COUNTED = {"coupon", "conversion"}
"""Tables whose rows stay, without a key to the person: a code that was given, a count of a test."""


@dataclass
class Canary:
    """The values by table and column, and the number of the lead."""

    email: str
    began: datetime
    lead_id: int = 0
    values: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def texts(self) -> list[str]:
        """What nobody else's row holds, as it stands in a file; of COUNTED nothing, which stays without a person."""
        return sorted({text for (table, _), value in self.values.items() if table not in COUNTED
                       for text in _texts(value) if len(text.encode()) > 2})


_number = count(1)


def settle(email: str, began: datetime) -> Canary:
    """Put one row into each table that hangs on leads; ``began`` is the time from which on everything happened."""
    canary = Canary(email, began)
    ids: dict[str, int] = {}
    with write_connection() as connection:
        for name in schema.hanging():
            table = Base.metadata.tables[name]
            row = {column.name: _value(canary, table, column, ids, connection) for column in table.columns
                   if not (column.name == "id" and column.primary_key)}
            for column, value in row.items():
                canary.values[name, column] = value
            done = connection.execute(insert(table).values(row))
            if "id" in table.c:
                ids[name] = done.inserted_primary_key[0]
    canary.lead_id = ids["lead"]
    return canary


def _value(canary: Canary, table: Table, column: Column[Any], ids: dict[str, int], connection: Any) -> Any:
    number = next(_number)
    if table.name == "lead" and column.name in ("email", "address"):
        return canary.email
    for key in column.foreign_keys:
        parent = key.column.table
        if parent.name in ids and not column.name.startswith("merged"):
            return ids[parent.name]
        return None if column.nullable else _parent(parent, connection, number)
    return _plain(canary, column, number)


def _plain(canary: Canary, column: Column[Any], number: int) -> Any:
    """A value of the column's type that no other column holds, as far as there are any."""
    if isinstance(column.type, Instant):
        return canary.began + timedelta(seconds=number)
    if isinstance(column.type, JSON):
        text = f"zq{number}json"
        return [text] if "list" in str(getattr(column.default, "arg", "")) else {"said": text}
    if isinstance(column.type, String):
        return _text(number, column.type.length)
    others = {Boolean: True, Date: date(2026, 3, 1), LargeBinary: f"zq{number}bytes".encode(), Float: number + 0.5}
    return next((value for kind, value in others.items() if isinstance(column.type, kind)), 700_000 + number)


def _text(number: int, length: int | None) -> str:
    """A text that is rare even when the column is short."""
    return f"zq{number}text"[: length or 99] if (length or 99) > 8 else chr(0x13000 + number)


def _parent(table: Table, connection: Any, number: int) -> Any:
    """A row that tells of nobody, for whatever refers to one."""
    found = connection.execute(select(*table.primary_key.columns).limit(1)).first()
    if found is not None:
        return found[0]
    row = {column.name: _value(Canary("", datetime.fromisoformat("2026-03-01T00:00:00+00:00")), table, column, {},
                               connection)
           for column in table.columns if not (column.name == "id" and column.primary_key)}
    return connection.execute(insert(table).values(row)).inserted_primary_key[0]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
