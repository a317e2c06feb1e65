"""Layouts by name: those that are shipped, those that somebody saved for themselves, and those they share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from handsel.errors import HandselError, nearest
from handsel.leads.layouts.columns import Chosen, chosen
from handsel.leads.layouts.crm import OURS, SHIPPED
from handsel.leads.layouts.models import ExportLayout, ExportMemory

MOST = 200  # layouts of one account; more is a slip of a script
LONGEST = 80


@dataclass(frozen=True)
class Layout:
    """The columns of an export by a name. ``key`` is what its memory goes by; ``columns`` None means the usual ones."""

    key: str
    title: str
    columns: tuple[Chosen, ...] | None
    names: Sequence[tuple[str, str]]
    """Columns and headings, as the chooser shows them."""


def find(session: Session, name: str, account_id: int | None, fields: Collection[str]) -> Layout:
    """The layout of this name or key: one's own before a shipped one before a shared one.

    ``fields`` are the custom fields that there are. Raises HandselError for a name that there is not.
    """
    wanted = name.strip()
    seen = visible(session, account_id)
    own = [each for each in seen if each.account_id is not None and each.account_id == account_id]
    shared = [each for each in seen if each not in own]
    for row in own:
        if wanted in (row.name, key_of(row)):
            return _saved(row, fields)
    if wanted.lower() in SHIPPED:
        shipped = SHIPPED[wanted.lower()]
        return Layout(shipped.name, shipped.title, shipped.columns or None, shipped.names)
    for row in shared:
        if wanted in (row.name, key_of(row)):
            return _saved(row, fields)
    raise HandselError("layout", f"There is no layout '{wanted[:LONGEST]}'.",
                       nearest(wanted, {*SHIPPED, *(each.name for each in seen)}))


def free(names: Sequence[str | tuple[str, str]], fields: Collection[str]) -> Layout:
    """A layout without a name, of columns that somebody chose just now."""
    columns = chosen(names, fields)
    mark = blake2b("\n".join(f"{each.column.name}\t{each.heading}" for each in columns).encode(), digest_size=12)
    return Layout(f"columns:{mark.hexdigest()}", "Chosen columns", columns,
                  [(each.column.name, each.heading) for each in columns])


def visible(session: Session, account_id: int | None) -> list[ExportLayout]:
    """The saved layouts that somebody may use: their own and the shared ones, by name."""
    mine = ExportLayout.account_id == account_id if account_id is not None else ExportLayout.account_id.is_(None)
    return list(session.scalars(select(ExportLayout).where(or_(mine, ExportLayout.shared))
                                .order_by(ExportLayout.name, ExportLayout.id)))


def save(session: Session, name: str, names: Sequence[tuple[str, str]], fields: Collection[str], *, shared: bool,
         account_id: int | None, at: datetime) -> ExportLayout:
    """Keep the columns under ``name``, in place of one's own layout of that name. Needs a write transaction.

    Raises HandselError for a name or a column that cannot be.
    """
    name = " ".join(name.split())
    if not name or len(name) > LONGEST or not name.isprintable():
        raise HandselError("layout", "A layout needs a name.", f"Write a short one, {LONGEST} characters at most.")
    if name.lower() in SHIPPED or name.startswith(("layout:", "columns:")):
        raise HandselError("layout", f"'{name}' is the name of a layout that is shipped.", "Choose another name.")
    chosen(names, fields)
    own = select(ExportLayout).where(ExportLayout.account_id == account_id)
    row = session.scalars(own.where(ExportLayout.name == name)).first()
    if row is None:
        if len(session.scalars(own.limit(MOST)).all()) >= MOST:
            raise HandselError("layout", f"You have {MOST} layouts.", "Delete one that you no longer use.")
        row = ExportLayout(account_id=account_id, name=name)
        session.add(row)
    row.columns, row.shared, row.at = [list(pair) for pair in names], shared, at
    session.flush()
    return row


def remove(session: Session, layout_id: int, account_id: int) -> ExportLayout | None:
    """Delete one's own layout and what was remembered with it; None if it is not one's own."""
    row = session.get(ExportLayout, layout_id)
    if row is None or row.account_id != account_id:
        return None
    session.execute(delete(ExportMemory).where(ExportMemory.layout == key_of(row)))
    session.delete(row)
    return row


def key_of(row: ExportLayout) -> str:
    """What a saved layout is called for good, whatever its name."""
    return f"layout:{row.id}"


def _saved(row: ExportLayout, fields: Collection[str]) -> Layout:
    names: list[tuple[str, str]] = [_pair(pair) for pair in row.columns]
    return Layout(key_of(row), row.name, chosen(names, fields, f"layout '{row.name}'"), names)


def _pair(pair: Any) -> tuple[str, str]:
    name, heading = pair
    return str(name), str(heading)


def usual() -> Layout:
    """The layout of who names none."""
    shipped = SHIPPED[OURS]
    return Layout(shipped.name, shipped.title, None, shipped.names)
