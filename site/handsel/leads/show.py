"""All that we hold about one person, straight from the schema: a new table is in it from its first day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from handsel.db import Base, instant_text
from handsel.leads.models import Lead, Wording

HIDDEN = {"id", "lead_id", "worker", "lease_until", "once"}
"""Columns that are about our own machinery and not about the person."""
KEYS = {"lead": {"key"}, "download_grant": {"key"}, "message": {"key", "values"}, "download": {"key"}}
"""Columns that open doors: they stay out of a file that people pass on."""


def everything(session: Session, lead: Lead) -> dict[str, Any]:
    """The lead's columns, and under the name of each table the rows that belong to it. Ready for JSON."""
    hanging = {table.name: table for table in Base.metadata.sorted_tables if "lead_id" in table.columns}
    told: dict[str, Any] = {"lead": _row(cast(Table, Lead.__table__), lead.id, session)[0]}
    for name, table in sorted(hanging.items()):
        rows = session.execute(select(table).where(table.c.lead_id == lead.id)).mappings().all()
        told[name] = [_told(name, dict(row)) for row in rows]
        if name == "message":
            _add_below(session, told, table, [row["id"] for row in rows])
    hashes = {row["wording_hash"] for row in told.get("consent", []) if row.get("wording_hash")}
    words = session.scalars(select(Wording).where(Wording.hash.in_(hashes)))
    told["wording"] = {wording.hash: wording.text for wording in words}
    return told


def _add_below(session: Session, told: dict[str, Any], parent: Table, ids: list[int]) -> None:
    """Add the rows of tables that hang on rows of ``parent`` and not on the lead itself."""
    for table in Base.metadata.sorted_tables:
        if "lead_id" in table.columns:
            continue
        for key in table.foreign_keys:
            if key.column.table is parent:
                rows = session.execute(select(table).where(key.parent.in_(ids))).mappings()
                told[table.name] = [_told(table.name, dict(row)) for row in rows]


def _row(table: Table, id_: int, session: Session) -> list[dict[str, Any]]:
    return [_told(table.name, dict(row)) for row in session.execute(select(table).where(table.c.id == id_)).mappings()]


def _told(table: str, row: dict[str, Any]) -> dict[str, Any]:
    hidden = HIDDEN | KEYS.get(table, set())
    return {name: _value(value) for name, value in row.items() if name not in hidden}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return value
