"""Which tables tell of people, straight from the schema: a new table is found from its first day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, or_, select
from sqlalchemy.engine import Connection

from handsel.db import Base

Ids = dict[str, tuple[int, ...]]


def hanging() -> dict[str, tuple[str, ...]]:
    """By each table whose rows belong to leads, parents before children: the columns through which they do.

    A table with a key to ``lead`` goes by it alone: a mail may go to another mailbox than its capture has now.
    """
    found: dict[str, tuple[str, ...]] = {"lead": ("id",)}
    for table in Base.metadata.sorted_tables:
        if table.name in found:
            continue
        keys = [(key.parent.name, key.column.table.name) for key in table.foreign_keys]
        direct = tuple(sorted(name for name, parent in keys if parent == "lead"))
        through = tuple(sorted(name for name, parent in keys if parent in found and parent != "lead"))
        if direct or through:
            found[table.name] = direct or through
    return found


def rows(connection: Connection, mailboxes: tuple[int, ...]) -> dict[str, list[Mapping[str, Any]]]:
    """Every row that hangs on these leads, by the name of its table; a table without any is there too."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    ids: Ids = {"lead": mailboxes}
    for name, columns in hanging().items():
        table = Base.metadata.tables[name]
        mine = or_(*(table.c[column].in_(_parents(table, column, ids)) for column in columns))
        found[name] = [dict(row) for row in
                       connection.execute(select(table).where(mine).order_by(*table.primary_key.columns)).mappings()]
        if "id" in table.c:
            ids[name] = tuple(row["id"] for row in found[name])
    return found


def _parents(table: Table, column: str, ids: Ids) -> tuple[int, ...]:
    if table.name == "lead":
        return ids["lead"]
    return next(ids[key.column.table.name] for key in table.c[column].foreign_keys)
