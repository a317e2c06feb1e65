"""Cells of an export: what a spreadsheet would compute is made text, and which rows need no care."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# What starts a formula in Excel, LibreOffice and Google Sheets; the wide forms are read as the narrow ones by some.
_SIGNS = "=+\\-@＝＋－＠−"
# Signs that spreadsheets skip, or that look like nothing, before they read on.
_SPACES = "\\x7f-\\xa0\\xad\\u061c\\u1680\\u180e\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u3000\\ufeff"
_BLANK = f"\\x00-\\x20{_SPACES}"
# A number, a phone number without anything to compute, and a lone dash are what they look like.
_HARMLESS = r"(?:[+-][0-9]+(?:[.,][0-9]+)?|\+[0-9][0-9 ().]*|-+)"

_formula = re.compile(f"(?!{_HARMLESS}\\Z)[{_BLANK}]*[{_SIGNS}]|[\t\r\n]")
# Where commas are decimal signs, spreadsheets part the same file at semicolons, even within our quotes.
_inside = re.compile(f"([;\t\r\n][{_BLANK}]*)(?=[{_SIGNS}])")

_care = re.compile(f"[\",;\x00-\x1e\x7f]|(?:\\A|\x1f)(?!{_HARMLESS}(?:\x1f|\\Z))[ {_SPACES}]*[{_SIGNS}]")

GUARDED = ("address", "name", "first_name", "last_name", "company", "job_title", "phone", "country", "source")
"""The columns of a lead that visitors or their browsers fill in, and that an export holds."""


def guarded(text: str) -> str:
    """``text`` such that no spreadsheet computes it: an apostrophe stands before whatever would start a formula."""
    if _formula.match(text):
        text = "'" + text
    return _inside.sub(r"\1'", text) if ";" in text or "\t" in text or "\n" in text or "\r" in text else text


def is_plain(lead: Mapping[str, Any]) -> bool:
    """Whether each exported cell of a lead can be written as it stands: no quotes needed, nothing to guard.

    ``lead`` maps column names to values; of them GUARDED and ``custom`` are looked at, and a missing one is empty.
    """
    custom = lead.get("custom") or {}
    cells = [lead.get(name) or "" for name in GUARDED]
    for value in custom.values():
        if isinstance(value, bool) or not isinstance(value, str | int):
            return False
        cells.append(str(value))
    joined = "\x1f".join(cells)
    return joined.count("\x1f") == len(cells) - 1 and not _care.search(joined)


def written(value: Any) -> str:
    """A custom field's value as the text of one cell: choices parted by a comma, yes and no as words."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(written(part) for part in value)
    return str(value)
