"""The pieces of a chart: numbers as attributes, markers, and the figure around it all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

MARKERS = ("M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z", "M-4.5-4.5h9v9h-9z", "M0-6 6 4.5H-6z", "M0-6 6 0 0 6-6 0z",
           "M-6-4.5H6L0 6z", "M-5-1.7h3.3V-5h3.4v3.3H5v3.4H1.7V5h-3.4V1.7H-5z")
"""One for each variant, a to f: a disc, a square, a triangle, a diamond, a triangle upside down, a cross."""


@dataclass(frozen=True)
class Table:
    """The numbers of a chart: what the table is about, the heads of its columns, and rows whose first cell names them.

    The columns after the first are numbers.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def share(place: float) -> str:
    """A place from 0 to 1 as an SVG length: ``43.2%``."""
    return f"{100 * place:.2f}".rstrip("0").rstrip(".") + "%"


def marker(place: float, top: str, series: int) -> Markup:
    """The marker of the series, at ``place`` of the width and ``top`` from above."""
    return Markup('<svg class="chart__marker" x="{}" y="{}" overflow="visible"><path d="{}"/></svg>').format(
        share(place), top, MARKERS[series % len(MARKERS)])


def line(x1: str, y1: str, x2: str, y2: str, kind: str) -> Markup:
    """A straight line of a kind that the style sheet knows."""
    return Markup('<line class="chart__{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(kind, x1, y1, x2, y2)


def words(x: str, y: str, text: str, kind: str = "note", anchor: str = "start") -> Markup:
    """A text; ``anchor`` says which part of it stands at ``x``: start, middle or end."""
    return Markup('<text class="chart__{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(kind, x, y, anchor, text)


def anchor(place: float) -> str:
    """How a label at ``place`` stays inside the picture."""
    return "start" if place < 0.04 else "end" if place > 0.96 else "middle"


def figure(name: str, finding: str, height: int, marks: Sequence[Markup], table: Table, *,
           notes: Sequence[str] = ()) -> Markup:
    """The whole chart. ``name`` is unique on its page; ``finding`` is the sentence that the picture shows.

    ``notes``, if any, are read out one by one under the pointer or the arrow keys where scripts run.
    """
    read_out = Markup('<output class="chart__read"></output>') if notes else Markup()
    data = Markup(' data-notes="{}"').format("|".join(notes)) if notes else Markup()
    return Markup(
        '<figure class="chart" id="{0}"{1}><figcaption id="{0}-told">{2}</figcaption>'
        '<svg role="img" aria-labelledby="{0}-told" width="100%" height="{3}">{4}</svg>{5}'
        '<details><summary>The numbers</summary>{6}</details></figure>'
    ).format(name, data, finding, height, Markup("").join(marks), read_out, _table(table))


def _table(table: Table) -> Markup:
    heads = Markup("").join(Markup('<th scope="col"{}>{}</th>').format(_numbers(index), head)
                            for index, head in enumerate(table.heads))
    rows = Markup("").join(_row(row) for row in table.rows)
    return Markup('<div class="scroll" tabindex="0" role="group" aria-label="{0}"><table class="list">'
                  '<caption class="hidden">{0}</caption><thead><tr>{1}</tr></thead><tbody>{2}</tbody></table></div>'
                  ).format(table.caption, heads, rows)


def _row(row: Sequence[str]) -> Markup:
    cells = Markup("").join(Markup('<td class="number">{}</td>').format(cell) for cell in row[1:])
    return Markup('<tr><th scope="row">{}</th>{}</tr>').format(row[0], cells)


def _numbers(index: int) -> Markup:
    return Markup(' class="number"') if index else Markup()
