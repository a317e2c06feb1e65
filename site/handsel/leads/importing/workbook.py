"""The first sheet of an XLSX file, row by row.

The file may be anybody's, so it is read as a stream with caps on everything, and a document type, which could name
files and multiply itself, is refused. Nothing of it is ever computed: a formula gives the value kept beside it.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.parsers import expat

from handsel.errors import HandselError

SHEET = 1 << 30  # bytes unpacked: a million rows of twenty cells
TEXTS = 100 << 20  # bytes of texts that cells share: they are held in memory
PARTS = 4 << 20  # bytes of each of the small parts
WIDEST = 500  # columns; a cell far to the right must not make a row of thousands
LONGEST = 32_767  # characters in one cell, as in the format itself
MOST_TEXTS = 4_000_000
DEEPEST = 64  # elements within elements; a sheet has a handful
LONGEST_PART = 1 << 20  # bytes that the parser may hold back while it waits for the end of one tag
BLOCK = 64 << 10
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  # the day that spreadsheets count from, without a zone
EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001
DATES = {*range(14, 23), 45, 46, 47}  # the built-in formats that show a day or a time
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_WORDS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')  # of a number format: what stands for itself, and colours

Row = tuple[int, list[str]]
Start = Callable[[str, dict[str, str]], None]


def read(path: Path) -> Iterator[Row]:
    """The number and the cells of each row that has any. Raises HandselError for what is no usable workbook."""
    try:
        with zipfile.ZipFile(path) as file:
            yield from _Workbook(file, path.name).rows()
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, LookupError, ValueError, NotImplementedError,
            RuntimeError, OSError, EOFError) as error:
        raise _broken(path.name) from error


def _broken(name: str) -> HandselError:
    return HandselError(name, "It cannot be read as a workbook.",
                        "Open it in your spreadsheet and save it anew as .xlsx or as CSV UTF-8.")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


class _Workbook:
    def __init__(self, file: zipfile.ZipFile, name: str) -> None:
        self.file, self.name = file, name
        self.texts: list[str] = []
        self.dates: list[bool] = []
        self.epoch = EPOCH

    def rows(self) -> Iterator[Row]:
        sheet = self._first_sheet()
        parts = set(self.file.namelist())
        if "xl/sharedStrings.xml" in parts:
            self._texts()
        if "xl/styles.xml" in parts:
            self._styles()
        yield from _Sheet(self).rows(sheet)

    def _first_sheet(self) -> str:
        ids: list[str] = []
        targets: dict[str, str] = {}

        def sheet(name: str, given: dict[str, str]) -> None:
            if _local(name) == "sheet":
                ids.extend(value for key, value in given.items() if key.endswith(":id"))
            elif _local(name) == "workbookPr" and given.get("date1904") in ("1", "true"):
                self.epoch = EPOCH_1904

        def link(name: str, given: dict[str, str]) -> None:
            if _local(name) == "Relationship":
                targets[given.get("Id", "")] = given.get("Target", "")

        self._small("xl/workbook.xml", sheet)
        self._small("xl/_rels/workbook.xml.rels", link)
        target = targets[ids[0]] if ids else ""
        return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"

    def _small(self, part: str, start: Start) -> None:
        self.parse(self.parser(start), part, PARTS)

    def _styles(self) -> None:
        formats: dict[int, str] = {}
        inside = [False]

        def start(name: str, given: dict[str, str]) -> None:
            match _local(name):
                case "numFmt":
                    formats[int(given.get("numFmtId", 0))] = given.get("formatCode", "")
                case "cellXfs":
                    inside[0] = True
                case "cellStyles" | "dxfs":
                    inside[0] = False
                case "xf" if inside[0]:
                    number = int(given.get("numFmtId", 0))
                    shown = _WORDS.sub("", formats.get(number, "")).lower()
                    self.dates.append(number in DATES or any(sign in shown for sign in "ymdh"))

        self._small("xl/styles.xml", start)

    def _texts(self) -> None:
        said: list[str] = []
        state = {"text": False, "phonetic": 0}

        def start(name: str, _given: dict[str, str]) -> None:
            match _local(name):
                case "si":
                    said.clear()
                case "t":
                    state["text"] = not state["phonetic"]
                case "rPh":
                    state["phonetic"] += 1

        def end(name: str) -> None:
            match _local(name):
                case "si":
                    self.texts.append(_unescaped("".join(said))[:LONGEST])
                    if len(self.texts) > MOST_TEXTS:
                        raise HandselError(self.name, f"It has more than {MOST_TEXTS:,} texts.", "Save it as CSV.")
                case "t":
                    state["text"] = False
                case "rPh":
                    state["phonetic"] -= 1

        parser = self.parser(start, end, lambda text: said.append(text) if state["text"] else None)
        self.parse(parser, "xl/sharedStrings.xml", TEXTS)

    def parser(self, start: Start, end: Callable[[str], None] | None = None,
               text: Callable[[str], object] | None = None) -> Any:
        """A parser that refuses a document type."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        depth = 0

        def deeper(name: str, given: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            if depth > DEEPEST:
                raise _broken(self.name)
            start(name, given)

        def back(name: str) -> None:
            nonlocal depth
            depth -= 1
            if end is not None:
                end(name)

        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = deeper, back, text
        parser.StartDoctypeDeclHandler = self._refuse
        return parser

    def _refuse(self, *_given: object) -> None:
        raise HandselError(self.name, "It declares a document type, which no spreadsheet does.",
                           "Save it anew from your spreadsheet, or as CSV UTF-8.")

    def parse(self, parser: Any, part: str, most: int) -> None:
        """Feed a whole part to the parser."""
        for _ in self.fed(parser, part, most):
            pass

    def fed(self, parser: Any, part: str, most: int) -> Iterator[None]:
        """Feed a part to the parser, and come back after each block."""
        total = 0
        for block in self.blocks(part, most):
            parser.Parse(block)
            total += len(block)
            if total - parser.CurrentByteIndex > LONGEST_PART:
                raise _broken(self.name)
            yield
        parser.Parse(b"", True)
        yield

    def blocks(self, part: str, most: int) -> Iterator[bytes]:
        """The bytes of one part, unpacked, as long as they are not too many."""
        total = 0
        if self.file.getinfo(part).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _broken(self.name)
        with self.file.open(part) as stream:
            while block := stream.read(BLOCK):
                total += len(block)
                if total > most:
                    raise HandselError(self.name, f"Unpacked, it is larger than {most >> 20:,} MB.",
                                       "Split it into several files, or save it as CSV.")
                yield block


class _Sheet:
    """The cells of one sheet as its parser comes upon them."""

    def __init__(self, book: _Workbook) -> None:
        self.book = book
        self.done: list[Row] = []
        self.cells: dict[int, str] = {}
        self.number = 0
        self.column = -1
        self.kind = self.style = ""
        self.said: list[str] | None = None
        self.value = ""
        self.phonetic = False
        self.room = LONGEST

    def rows(self, part: str) -> Iterator[Row]:
        parser = self.book.parser(self._start, self._end, self._text)
        for _ in self.book.fed(parser, part, SHEET):
            yield from self.done
            self.done.clear()

    def _start(self, name: str, given: dict[str, str]) -> None:
        match _local(name):
            case "row":
                self.number = int(given.get("r", self.number + 1))
                self.cells, self.column = {}, -1
            case "c":
                place = given.get("r", "")
                self.column = _column(place) if place else self.column + 1
                if self.column >= WIDEST:
                    raise HandselError(self.book.name, f"Row {self.number} has more than {WIDEST} columns.",
                                       "Keep the columns that you need, and save it anew.")
                self.kind, self.style, self.value = given.get("t", ""), given.get("s", ""), ""
                self.room = LONGEST
            case "v" | "t" if not self.phonetic:
                self.said = []
            case "rPh":
                self.phonetic = True

    def _text(self, text: str) -> None:
        if self.said is not None and self.room > 0:
            self.said.append(text)
            self.room -= len(text)

    def _end(self, name: str) -> None:
        match _local(name):
            case "v" | "t" if self.said is not None:
                self.value += "".join(self.said)
                self.said = None
            case "rPh":
                self.phonetic = False
            case "c":
                if self.value:
                    self.cells[self.column] = self._shown()
            case "row" if self.cells:
                self.done.append((self.number, [self.cells.get(place, "") for place in range(max(self.cells) + 1)]))

    def _shown(self) -> str:
        """The cell's value as a person reads it."""
        match self.kind:
            case "s":
                number = int(self.value)
                return self.book.texts[number] if 0 <= number < len(self.book.texts) else ""
            case "b":
                return "yes" if self.value == "1" else "no"
            case "" | "n":
                return self._number()
            case "e":
                return ""
        return _unescaped(self.value)[:LONGEST]

    def _number(self) -> str:
        number = float(self.value)
        style = int(self.style or -1)
        if 0 <= style < len(self.book.dates) and self.book.dates[style]:
            try:
                at = self.book.epoch + timedelta(seconds=round(number * 86400))
            except OverflowError:
                return self.value
            return at.date().isoformat() if at.time() == at.min.time() else at.isoformat(sep=" ")
        # A phone number is kept as 447911123456.0 or 4.47911123456E11 by some.
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else self.value


def _column(place: str) -> int:
    """The number of the column of a place such as ``AB12``, from 0. Raises ValueError."""
    number = 0
    for sign in place.rstrip("0123456789")[:4]:
        number = number * 26 + 1 + _LETTERS.index(sign.upper())
    return number - 1


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
