"""Reading spreadsheets back, as far as we write them."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from xml.etree import ElementTree

_NS = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


@dataclass(frozen=True)
class Read:
    """The rows of each sheet as text, and how many cells hold a formula or a link."""

    sheets: list[list[list[str]]]
    formulas: int
    links: int


def read_xlsx(data: bytes) -> Read:
    """The cells of an XLSX file. Raises for a file that is no zip, or whose XML is broken."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        names = sorted(name for name in file.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name))
        shared: list[str] = []
        if "xl/sharedStrings.xml" in file.namelist():
            shared = ["".join(part.itertext()) for part in ElementTree.fromstring(file.read("xl/sharedStrings.xml"))]
        pages = [ElementTree.fromstring(file.read(name)) for name in names]
    formulas = sum(len(page.findall(".//x:f", _NS)) for page in pages)
    links = sum(len(page.findall(".//x:hyperlink", _NS)) for page in pages)
    return Read([_rows(page, shared) for page in pages], formulas, links)


def _rows(page: ElementTree.Element, shared: list[str]) -> list[list[str]]:
    rows = []
    for row in page.iterfind(".//x:row", _NS):
        cells: dict[int, str] = {}
        for cell in row.iterfind("x:c", _NS):
            text = "".join(cell.itertext())
            cells[_column(cell.get("r", ""))] = shared[int(text)] if cell.get("t") == "s" else _unescaped(text)
        rows.append([cells.get(number, "") for number in range(max(cells, default=-1) + 1)])
    return rows


def _unescaped(text: str) -> str:
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


def _column(reference: str) -> int:
    number = 0
    for sign in reference.rstrip("0123456789"):
        number = number * 26 + ord(sign) - 64
    return number - 1
