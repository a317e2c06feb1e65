"""A file of leads as a table: its head and its rows, whatever wrote it."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from handsel.errors import HandselError
from handsel.leads.importing import workbook

LARGEST = 512 << 20  # bytes: far more than a million rows, and far less than a disk
LONGEST_CELL = 100_000  # characters; behind more of them there is a quotation mark that never ends
LONGEST_LINE = 1 << 20
LONGEST_ROW = 200_000
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
BLOCK = 1 << 20
SEPARATORS = ",;\t|"
NOT_UTF8 = "It is not UTF-8 and was read as Windows-1252: look whether letters such as é and ü are right."
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

Cells = list[str]


@dataclass(frozen=True)
class Broken:
    """A row that cannot be told apart into cells, and why."""

    reason: str


@dataclass(frozen=True)
class Table:
    """A file that can be read from its beginning as often as one likes.

    ``note`` says what the reader of the result should know about how it was read; ``digest`` is the SHA-256 of the
    bytes in hexadecimal.
    """

    path: Path
    head: tuple[str, ...]
    digest: str
    encoding: str = ""
    """Empty for a workbook."""
    separator: str = ","
    note: str = ""

    def rows(self) -> Iterator[tuple[int, Cells | Broken]]:
        """The rows below the head that hold anything, with their numbers as a spreadsheet counts them."""
        rows = workbook.read(self.path) if not self.encoding else _csv(self.path, self.encoding, self.separator)
        next(_filled(rows), None)
        yield from _filled(rows)


def opened(path: Path) -> Table:
    """The table in ``path``. Raises HandselError for what is none."""
    digest, encoding, kind = _look(path)
    if kind.startswith(b"PK\x03\x04"):
        table = Table(path, (), digest)
    elif kind.startswith(b"\xd0\xcf\x11\xe0"):
        raise HandselError(path.name, "It is a workbook of the old kind (.xls), or one with a password.",
                           "Save it as .xlsx without a password, or as CSV UTF-8.")
    else:
        note = NOT_UTF8 if encoding == "cp1252" else ""
        table = Table(path, (), digest, encoding, _separator(path, encoding), note)
    rows = workbook.read(path) if not table.encoding else _csv(path, table.encoding, table.separator)
    _, head = next(_filled(rows), (0, Broken("")))
    if isinstance(head, Broken):
        raise HandselError(path.name, head.reason or "There is nothing in it.",
                           "The first row names the columns; one of them holds the e-mail addresses.")
    return Table(path, tuple(printable(cell) for cell in head), digest, table.encoding, table.separator, table.note)


def printable(text: str) -> str:
    """A name from outside as it can be shown and kept: one line, without signs that steer a terminal."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def _look(path: Path) -> tuple[str, str, bytes]:
    """The digest, the encoding and the first bytes of a file."""
    try:
        if path.stat().st_size > LARGEST:
            raise HandselError(path.name, f"It is larger than {LARGEST >> 20} MB.", "Split it into several files.")
        with path.open("rb") as file:
            first = file.read(4096)
            file.seek(0)
            digest, decoder, utf8 = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")(), True
            while block := file.read(BLOCK):
                digest.update(block)
                utf8 = utf8 and _decodes(decoder, block)
    except OSError as error:
        raise HandselError(str(path), f"It cannot be read: {error.strerror}.", "Look at its name.") from error
    utf8 = utf8 and _decodes(decoder, b"", final=True)
    return digest.hexdigest(), _encoding(first, utf8), first


def _encoding(first: bytes, utf8: bool) -> str:
    for mark, name in MARKS:
        if first.startswith(mark):
            return name
    if first[1::2].count(0) > len(first) // 4:
        return "utf-16-le"
    if first[::2].count(0) > len(first) // 4:
        return "utf-16-be"
    return "utf-8" if utf8 else "cp1252"


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def _separator(path: Path, encoding: str) -> str:
    """The sign that parts the cells of the first line, the most frequent one outside of quotation marks."""
    line = next(iter(_lines(path, encoding)), "")
    if line[:4].lower() == "sep=" and line[4:5].strip():
        return line[4]
    outside = "".join(line.split('"')[::2])
    return max(SEPARATORS, key=outside.count)


def _lines(path: Path, encoding: str) -> Iterator[str]:
    """The lines, in parts if one is longer than any line should be."""
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding, errors="replace", newline="") as text:
        while line := text.readline(LONGEST_LINE):
            yield line.replace("\0", "")


def _csv(path: Path, encoding: str, separator: str) -> Iterator[tuple[int, Cells | Broken]]:
    csv.field_size_limit(LONGEST_CELL)
    lines = _lines(path, encoding)
    first = next(lines, "")
    skips = first[:4].lower() == "sep="
    reader = csv.reader(lines if skips else chain([first], lines), delimiter=separator)
    number = 1 if skips else 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield number, Broken(f"A cell does not end within {LONGEST_CELL:,} signs: a quotation mark is missing.")
            continue
        if len(cells) > workbook.WIDEST or sum(map(len, cells)) > LONGEST_ROW:
            yield number, Broken(f"It has more than {workbook.WIDEST} cells, or {LONGEST_ROW:,} signs.")
            continue
        yield number, cells


def _filled(rows: Iterator[tuple[int, Cells | Broken]] | Iterator[tuple[int, Cells]],
            ) -> Iterator[tuple[int, Cells | Broken]]:
    for number, cells in rows:
        if isinstance(cells, Broken) or any(cell.strip() for cell in cells):
            yield number, cells
