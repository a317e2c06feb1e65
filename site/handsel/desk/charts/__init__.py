"""Charts of the desk: SVG drawn on the server, each with a sentence that says what it shows and a table of its numbers.

They need no script and no colour: what differs, differs by its marker or its dash too. Positions are shares of the
width, so a chart fits a phone with its words as large as anywhere; inline styles, which the desk's policy forbids, are
not needed for that.
"""

from __future__ import annotations

from handsel.desk.charts.course import Point, course
from handsel.desk.charts.draw import Table
from handsel.desk.charts.interval import Bar, intervals
from handsel.desk.charts.small import progress, sparkline

__all__ = ["Bar", "Point", "Table", "course", "intervals", "progress", "sparkline"]
