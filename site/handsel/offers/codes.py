"""Lists of coupon codes: one a line, or the column ``code`` of a table. Each is given to one lead."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from handsel.content import parse
from handsel.content.files import Tree
from handsel.content.parse import Broken
from handsel.errors import Fault

LONGEST = 100  # characters; what people are to type or to read out is far shorter
COLUMN = "code"


def read_codes(tree: Tree, file: str) -> tuple[tuple[str, ...], list[Fault]]:
    """The codes in the order of the file, and what is wrong with it."""
    try:
        text = parse.text_of(file, tree.read(file))
    except Broken as broken:
        return (), [broken.fault]
    rows = [(line, [cell.strip() for cell in row]) for line, row in _rows(text) if any(cell.strip() for cell in row)]
    heads = [cell.lower() for cell in rows[0][1]] if rows else []
    column = heads.index(COLUMN) if COLUMN in heads else 0
    if COLUMN in heads:
        rows = rows[1:]
    elif any(len(row) > 1 for _, row in rows):
        return (), [Fault(file, 1, "codes-without-column", "The table does not say which column holds the codes.",
                          "Call it `code` in the first line.")]
    if not rows:
        return (), [Fault(file, 0, "no-codes", "The list holds no code.", "Write one code on each line.")]
    faults = list(_faults(file, rows, column))
    return tuple(dict.fromkeys(row[column] for _, row in rows if len(row) > column and row[column])), faults


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table with commas, semicolons or tabs between its cells, each with its line."""
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:  # a cell without end: the row is taken as faulty below
            row = ["x" * (LONGEST + 1)]
        yield reader.line_num, row


def _faults(file: str, rows: list[tuple[int, list[str]]], column: int) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for line, row in rows:
        code = row[column] if len(row) > column else ""
        if not code:
            yield Fault(file, line, "empty-code", "The line has no code.", "Write it, or delete the line.")
        elif len(code) > LONGEST:
            yield Fault(file, line, "too-long", f"The code has {len(code)} characters; we keep at most {LONGEST}.",
                        "Check that each line holds one code alone.")
        elif code in seen:
            yield Fault(file, line, "duplicate-code", f"The code '{code[:40]}' stands on line {seen[code]} already.",
                        "Delete one: each goes to one person.")
        else:
            seen[code] = line
