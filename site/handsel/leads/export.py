"""Leads as a file: CSV and XLSX, streamed in the order in which they came, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import IO, Any

from sqlalchemy import ColumnElement, Select, String, bindparam, case, func, literal_column, select, true
from sqlalchemy.engine import Connection

from handsel.leads.cells import guarded, written
from handsel.leads.finding import Wanted, find
from handsel.leads.models import Lead

COLUMNS = ("email", "name", "company", "job_title", "phone", "country", "stage", "score", "owner", "tags", "offers",
           "source", "captured_at", "confirmed_at", "consent")
CHUNK = 2000  # rows asked for at once: enough to make the question itself cheap, and half a megabyte
BOM = "\N{BYTE ORDER MARK}"

# Each column as text that is never NULL, in words that both engines know.
_SQL = {
    "email": "lead.address",
    "score": "CAST(lead.score AS TEXT)",
    "owner": "CASE WHEN lead.owner_id IS NULL THEN '' ELSE "
             "coalesce((SELECT email FROM account WHERE account.id = lead.owner_id), '') END",
    "tags": "lead.tags_text",
    "offers": "lead.offers_text",
    "confirmed_at": "coalesce(lead.confirmed_at, '')",
    "consent": "lead.consent_text",
} | {name: f"lead.{name}" for name in ("name", "company", "job_title", "phone", "country", "stage", "source",
                                       "captured_at")}
_LISTS = {"tags", "offers", "consent"}  # they hold commas, so lines that the database makes quote them always
_CARE = "\x1e"  # stands around a row that needs care; no plain row holds it, and JSON writes it otherwise

Progress = Callable[[int], object]


def csv_parts(connection: Connection, asked: Wanted, *, first: int = 0, bom: bool = False,
              progress: Progress | None = None) -> Iterator[bytes]:
    """The leads as CSV, UTF-8, in parts of some thousand rows; lines end in CRLF.

    ``first`` is ``finding.first_number`` of the filter. With ``bom`` the file begins with the mark by which Excel
    knows UTF-8. ``progress`` hears how many rows are done.
    """
    fields = custom_fields(connection, asked)
    yield ((BOM if bom else "") + _line([*COLUMNS, *(guarded(name) for name in fields)])).encode()
    line = _made_there(connection.dialect.name, fields)
    rows = 0
    for found, lines in _chunks(connection, asked, line, first):
        parts = lines.split(_CARE)
        parts[1::2] = [_careful(part, fields) for part in parts[1::2]]
        yield "".join(parts).encode("utf-8", "replace")
        rows += found
        if progress:
            progress(rows)


def _made_there(dialect: str, fields: list[str]) -> ColumnElement[str]:
    """What the database makes of a row: its line of CSV if it is plain, else its cells as JSON between two marks."""
    form, array = ("printf", "json_array") if dialect == "sqlite" else ("format", "json_build_array")
    pattern = ",".join(['"%s"' if name in _LISTS else "%s" for name in COLUMNS] + ["%s"] * len(fields)) + "\r\n"
    custom = [Lead.custom[name].as_string() for name in fields]
    cells: list[Any] = [literal_column(_SQL[name]) for name in COLUMNS]
    line = getattr(func, form)(literal_column(f"'{pattern}'"), *cells, *custom, type_=String())
    with_care = getattr(func, array)(*cells, Lead.custom.cast(String())).cast(String())
    mark = literal_column(f"'{_CARE}'", String())
    return case((Lead.plain, line), else_=mark + with_care + mark)


def _careful(part: str, fields: list[str]) -> str:
    *cells, custom = json.loads(part)
    answers = json.loads(custom) if fields else {}
    return _line([guarded(cell) for cell in (*cells, *(written(answers.get(name)) for name in fields))])


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _chunks(connection: Connection, asked: Wanted, line: ColumnElement[str], first: int) -> Iterator[tuple[int, str]]:
    """The number of rows and their lines as one text, by chunk.

    Each chunk is a question of its own: no reader stays open so long that SQLite's log cannot shrink.
    """
    found = find([Lead.id, line.label("line")], asked, first)
    rows = found.query.where(found.number > bindparam("last")).order_by(found.number).limit(CHUNK).subquery()
    joined = func.group_concat if connection.dialect.name == "sqlite" else func.string_agg
    query = select(func.count(), func.max(rows.c.id), joined(rows.c.line, literal_column("''")))
    last = 0
    while True:
        (number, last, lines), = _fetch(connection, query, last=last)
        if not number:
            return
        yield number, lines


def _rows(connection: Connection, asked: Wanted, first: int) -> Iterator[list[Any]]:
    """Number, cells and custom fields (as JSON) of each lead, by chunk."""
    cells: list[Any] = [literal_column(_SQL[name]) for name in COLUMNS]
    found = find([Lead.id, *cells, Lead.custom.cast(String())], asked, first)
    query = found.query.where(found.number > bindparam("last")).order_by(found.number).limit(CHUNK)
    last = 0
    while chunk := _fetch(connection, query, last=last):
        yield chunk
        last = chunk[-1][0]


def _fetch(connection: Connection, query: Select[Any], **values: Any) -> list[Any]:
    """The rows as the driver gives them: to make objects of them would cost more than to read them."""
    result = connection.execute(query, values)
    rows = list(result.cursor.fetchall())
    result.close()
    connection.rollback()
    return rows


def custom_fields(connection: Connection, asked: Wanted) -> list[str]:
    """The names of the custom fields that any of the leads has, sorted."""
    answers = func.json_each(Lead.custom).table_valued("key", "value")
    some = Lead.custom.cast(String()).not_in(["{}", "null"])
    query = find([answers.c.key], asked).query.join(answers, true()).where(some).distinct()
    return sorted(row[0] for row in _fetch(connection, query))


def xlsx(connection: Connection, asked: Wanted, target: IO[bytes], *, first: int = 0,
         progress: Progress | None = None) -> int:
    """Write the leads to ``target`` as XLSX and give their number. Times are dates in UTC; no cell is ever computed."""
    from handsel.leads.sheet import Sheet  # XlsxWriter is heavy, and few requests want it

    fields = custom_fields(connection, asked)
    sheet = Sheet(target, [*COLUMNS, *fields])
    rows = 0
    for chunk in _rows(connection, asked, first):
        for row in chunk:
            custom = json.loads(row[-1]) if fields else {}
            sheet.add(row[1:-1], [written(custom.get(name)) for name in fields])
        rows += len(chunk)
        if progress:
            progress(rows)
    sheet.close()
    return rows
