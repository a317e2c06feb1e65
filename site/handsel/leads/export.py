"""Leads as a file: CSV and XLSX, streamed in the order in which they came, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, Protocol

from sqlalchemy import ColumnElement, Select, String, bindparam, case, func, literal_column, select, true
from sqlalchemy.engine import Connection

from handsel.leads.cells import guarded, written
from handsel.leads.finding import Wanted, find
from handsel.leads.layouts.columns import STANDARD, Chosen, chosen
from handsel.leads.models import Lead

COLUMNS = STANDARD
CHUNK = 2000  # rows asked for at once: enough to make the question itself cheap, and half a megabyte
BOM = "\N{BYTE ORDER MARK}"

_CARE = "\x1e"  # stands around a row that needs care; no plain row holds it, and JSON writes it otherwise
# A text that ``lead.plain`` does not answer for is written as it stands if it begins with a letter or a digit and is of
# these signs alone, Latin, Greek or Cyrillic; in the words of each engine.
_LETTERS = "A-Za-z0-9\u00c0-\u024f\u0370-\u052f"
_SIGNS = _LETTERS + " .&()/_''-"
_HARMLESS = {"sqlite": f"({{0}} = '' OR ({{0}} GLOB '[{_LETTERS}]*' AND {{0}} NOT GLOB '*[^{_SIGNS}]*'))",
             "postgresql": f"{{0}} ~ '^([{_LETTERS}][{_SIGNS}]*)?$'"}

Progress = Callable[[int], object]
Layout = Sequence[Chosen]


class Taken(Protocol):
    """What somebody took home before: says of rows, numbered and as text, which are to go into the file now."""

    def choose(self, connection: Connection, rows: Sequence[tuple[int, str]]) -> list[bool]:
        """For each row, in the order of their numbers, whether it is wanted; and note how each reads."""


def csv_parts(connection: Connection, asked: Wanted, *, layout: Layout | None = None, first: int = 0,
              bom: bool = False, progress: Progress | None = None, taken: Taken | None = None) -> Iterator[bytes]:
    """The leads as CSV, UTF-8, in parts of some thousand rows; lines end in CRLF.

    Without a ``layout`` the columns are the standard ones and all custom fields. ``first`` is ``finding.first_number``
    of the filter. With ``bom`` the file begins with the mark by which Excel knows UTF-8. ``progress`` hears how many
    rows are done. With ``taken`` only the rows that it chooses come.
    """
    layout = standard(connection, asked) if layout is None else layout
    yield ((BOM if bom else "") + _line([guarded(each.heading) for each in layout])).encode()
    rows = 0
    for found, lines in _lines(connection, asked, layout, first, taken):
        parts = lines.split(_CARE)
        parts[1::2] = [_line(_cells(part, layout)) for part in parts[1::2]]
        yield "".join(parts).encode("utf-8", "replace")
        rows += found
        if progress:
            progress(rows)


def standard(connection: Connection, asked: Wanted) -> Layout:
    """The columns of a file of these leads when nobody says otherwise."""
    fields = custom_fields(connection, asked)
    return chosen([*STANDARD, *(name for name in fields if name not in STANDARD)], fields)


def _made_there(dialect: str, layout: Layout) -> ColumnElement[str]:
    """What the database makes of a row: its line of CSV if it is plain, else its cells as JSON between two marks."""
    form = "printf" if dialect == "sqlite" else "format"
    # Lists hold commas; and a lone empty cell would be an empty line, which readers take for no row.
    pattern = ",".join('"%s"' if each.column.kind == "list" or len(layout) == 1 else "%s" for each in layout) + "\r\n"
    cells: list[Any] = [Lead.custom[each.column.name].as_string() if each.column.kind == "custom"
                        else literal_column(each.column.text(dialect)) for each in layout]
    line = getattr(func, form)(literal_column(f"'{pattern}'"), *cells, type_=String())
    foreign: list[ColumnElement[bool]] = [literal_column(_HARMLESS[dialect].format(f"({each.column.text(dialect)})"))
               for each in layout if each.column.foreign]
    plain: Any = Lead.plain.expression
    for harmless in foreign:
        plain &= harmless
    mark = literal_column(f"'{_CARE}'", String())
    return case((plain, line), else_=mark + _as_json(dialect, layout) + mark)


def _as_json(dialect: str, layout: Layout) -> ColumnElement[str]:
    """The cells of a row as a JSON list, in which the last element holds all custom fields."""
    array = "json_array" if dialect == "sqlite" else "json_build_array"
    cells: list[Any] = [literal_column("''" if each.column.kind == "custom" else each.column.text(dialect))
                        for each in layout]
    made: ColumnElement[str] = getattr(func, array)(*cells, Lead.custom.cast(String())).cast(String())
    return made


def _cells(row: str, layout: Layout) -> list[str]:
    """The cells of a row that came as JSON, each such that no spreadsheet computes it."""
    return [guarded(cell) for cell in _texts(row, layout)]


def _texts(row: str, layout: Layout) -> list[str]:
    *cells, custom = json.loads(row)
    answers = json.loads(custom) or {}
    return [written(answers.get(each.column.name)) if each.column.kind == "custom" else cell
            for each, cell in zip(layout, cells, strict=True)]


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _lines(connection: Connection, asked: Wanted, layout: Layout, first: int,
           taken: Taken | None) -> Iterator[tuple[int, str]]:
    """The number of rows and their lines as one text, by chunk.

    Each chunk is a question of its own: no reader stays open so long that SQLite's log cannot shrink.
    """
    line = _made_there(connection.dialect.name, layout)
    if taken is not None:
        for chunk in _rows(connection, asked, [line], first):
            wanted = taken.choose(connection, chunk)
            lines = [row[1] for row, wants in zip(chunk, wanted, strict=True) if wants]
            yield len(lines), "".join(lines)
        return
    found = find([Lead.id, line.label("line")], asked, first)
    rows = found.query.where(found.number > bindparam("last")).order_by(found.number).limit(CHUNK).subquery()
    joined = func.group_concat if connection.dialect.name == "sqlite" else func.string_agg
    query = select(func.count(), func.max(rows.c.id), joined(rows.c.line, literal_column("''")))
    last = 0
    while True:
        (number, last, lines), = fetch(connection, query, last=last)
        if not number:
            return
        yield number, lines


def _rows(connection: Connection, asked: Wanted, what: list[Any], first: int) -> Iterator[list[Any]]:
    """The number of each lead and what is asked of it, by chunk."""
    found = find([Lead.id, *what], asked, first)
    query = found.query.where(found.number > bindparam("last")).order_by(found.number).limit(CHUNK)
    last = 0
    while chunk := fetch(connection, query, last=last):
        yield chunk
        last = chunk[-1][0]


def fetch(connection: Connection, query: Select[Any], **values: Any) -> list[Any]:
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
    return sorted(row[0] for row in fetch(connection, query))


def first_rows(connection: Connection, asked: Wanted, layout: Layout, number: int) -> list[list[str]]:
    """The texts of the latest rows of a file, to show what will be in it."""
    found = find([_as_json(connection.dialect.name, layout)], asked)
    rows = fetch(connection, found.query.order_by(found.number.desc()).limit(number))
    return [_texts(row[0], layout) for row in rows]


def xlsx(connection: Connection, asked: Wanted, target: IO[bytes], *, layout: Layout | None = None, first: int = 0,
         progress: Progress | None = None, taken: Taken | None = None) -> int:
    """Write the leads to ``target`` as XLSX and give their number. Times are dates in UTC; no cell is ever computed."""
    from handsel.leads.sheet import Sheet  # XlsxWriter is heavy, and few requests want it

    layout = standard(connection, asked) if layout is None else layout
    sheet = Sheet(target, [each.heading for each in layout], [each.column.kind for each in layout])
    dialect, rows = connection.dialect.name, 0
    what = [_as_json(dialect, layout), *([_made_there(dialect, layout)] if taken else [])]
    for chunk in _rows(connection, asked, what, first):
        wanted = taken.choose(connection, [(row[0], row[2]) for row in chunk]) if taken else [True] * len(chunk)
        for row, wants in zip(chunk, wanted, strict=True):
            if wants:
                sheet.add(_texts(row[1], layout))
                rows += 1
        if progress:
            progress(rows)
    sheet.close()
    return rows
