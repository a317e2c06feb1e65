"""A file's Markdown on its way to ``render``: walls of markup, which would cost minutes, are refused at the door."""

from __future__ import annotations

import re
from typing import Any

from handsel.content.rendered import Rendered
from handsel.errors import Fault

# How often a mark may stand in one file. The time for each grows with its square; a book's chapter holds a tenth of it.
MOST = {"[": 1_500, "<": 3_000}
MOST_LINES = 1_500  # that begin as a heading, a fence of code or the meaning of a term
_LINE = re.compile(r"^ {0,3}(?:#|```|~~~|: )", re.M)


def rendered(source: str, *, file: str, first_line: int, **circumstances: Any) -> Rendered:
    """What ``render`` makes of ``source``; nothing but a fault if it holds too much markup or nests too deeply."""
    for mark, most in MOST.items():
        if (count := source.count(mark)) > most:
            return _refused(file, first_line, f"The text holds {count:,} times `{mark}`; we read at most {most:,}.")
    if sum(1 for _ in _LINE.finditer(source)) > MOST_LINES:
        return _refused(file, first_line, f"The text holds over {MOST_LINES:,} headings, terms and blocks of code.")
    from handsel.content.markdown import render  # with its library: a process that has read all before needs neither

    try:
        return render(source, file=file, first_line=first_line, **circumstances)
    except RecursionError:
        return _refused(file, first_line, "Lists or quotes in the text lie too deep within each other.")


def _refused(file: str, line: int, what: str) -> Rendered:
    fault = Fault(file, line, "too-much-markup", what, "Split the page into several, or simplify it.")
    return Rendered(faults=(fault,))
