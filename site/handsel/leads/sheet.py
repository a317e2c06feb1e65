"""A spreadsheet of leads, written row by row through XlsxWriter."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from datetime import datetime
from typing import IO

from xlsxwriter import Workbook

ROWS = 1_048_575  # what Excel takes in one sheet below the head; more rows go on in another sheet
CELL = 32_767  # characters that Excel takes in one cell
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]+)?")
_DAY_0 = datetime(1899, 12, 30)  # noqa: DTZ001  spreadsheets know no timezones; what we write is UTC


class Sheet:
    """Takes rows one by one and keeps none in memory; ``close`` writes the file to ``target``."""

    def __init__(self, target: IO[bytes], head: list[str], kinds: Sequence[str]) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="handsel-export-")
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                   "strings_to_numbers": False, "tmpdir": self.folder.name}
        self.book = Workbook(target, options)
        self.head = head
        self.bold = self.book.add_format({"bold": True})
        self.time = self.book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self.dates = {index for index, kind in enumerate(kinds) if kind == "time"}
        self.numbers = {index for index, kind in enumerate(kinds) if kind == "number"}
        self.row = ROWS
        self.sheets = 0

    def add(self, cells: Sequence[str]) -> None:
        """One row, as texts: a number or a time becomes one by the kind of its column."""
        if self.row >= ROWS:
            self._begin()
        self.row += 1
        write, row = self.page.write_string, self.row
        for column, cell in enumerate(cells):
            if not cell:
                continue
            if column in self.numbers and _NUMBER.fullmatch(cell):
                self.page.write_number(row, column, float(cell))
            elif column in self.dates:
                self.page.write_number(row, column, _serial(cell), self.time)
            else:
                write(row, column, cell if len(cell) <= CELL else cell[: CELL - 1] + "…")

    def _begin(self) -> None:
        self.sheets += 1
        self.page = self.book.add_worksheet("Leads" if self.sheets == 1 else f"Leads {self.sheets}")
        self.page.freeze_panes(1, 1)
        self.page.set_column(0, 0, 32)
        self.page.set_column(1, len(self.head) - 1, 18)
        for column, name in enumerate(self.head):
            self.page.write_string(0, column, name, self.bold)
        self.row = 0

    def close(self) -> None:
        """Finish the file; its parts on disk go away."""
        if not self.sheets:
            self._begin()
        self.book.close()
        self.folder.cleanup()


def _serial(instant: str) -> float:
    """An instant's text as a spreadsheet's day number."""
    return (datetime.fromisoformat(instant[:19]) - _DAY_0).total_seconds() / 86400
