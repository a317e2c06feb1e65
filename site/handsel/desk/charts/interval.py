"""The interval plot: what each variant's rate or lift may be, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from handsel.desk.charts.draw import Table, anchor, figure, line, marker, share, words
from handsel.desk.charts.scale import Scale, finite, known

ROW = 48  # pixels: the words of a bar, and the bar below them
AXIS = 26  # pixels for the numbers under the bars
LONGEST = 26  # letters of a name that fit beside its figures on a phone


@dataclass(frozen=True)
class Bar:
    """One variant: its name, ``middle`` and the interval around it, and the same in ``words``.

    An open end is None; ``middle`` is None where there is nothing to say yet, and then the bar has no marker.
    ``series`` chooses the marker.
    """

    name: str
    low: float | None
    middle: float | None
    high: float | None
    words: str
    series: int = 0


def intervals(name: str, bars: Sequence[Bar], written: Callable[[float], str], *, finding: str, table: Table,
              against: float | None = None) -> Markup:
    """The bars under each other on one axis; ``written`` writes its numbers, ``against`` draws the line of no effect.

    A bar with an open end runs to the edge and ends in an arrow. Without bars it is empty: a blank chart says nothing.
    """
    if not bars:
        return Markup()
    bars = [replace(bar, low=known(bar.low), middle=known(bar.middle), high=known(bar.high)) for bar in bars]
    scale = _scale(bars, against)
    height = ROW * len(bars)
    marks: list[Markup] = []
    for tick in scale.ticks():
        place = scale.place(tick)
        marks += [line(share(place), "0", share(place), str(height), "grid"),
                  words(share(place), str(height + 18), written(tick), "tick", anchor(place))]
    if against is not None:
        zero = share(scale.place(against))
        marks.append(line(zero, "0", zero, str(height), "zero"))
    for index, bar in enumerate(bars):
        marks += _bar(bar, scale, index * ROW)
    return figure(name, finding, height + AXIS, marks, table)


def _scale(bars: Sequence[Bar], against: float | None) -> Scale:
    """An axis for all that is bounded; an open end must not push the rest into a corner."""
    closed = [bar for bar in bars if bar.low is not None and bar.high is not None]
    ends = finite(value for bar in closed for value in (bar.low, bar.high))
    rest = finite(value for bar in bars for value in (bar.low, bar.middle))
    return Scale.around([*(ends or rest), *finite(bar.middle for bar in bars), against])


def _bar(bar: Bar, scale: Scale, top: int) -> list[Markup]:
    middle = str(top + 34)
    short = bar.name if len(bar.name) <= LONGEST else f"{bar.name[:LONGEST - 1].rstrip()}…"
    marks = [words("0", str(top + 15), short, "name"), words("100%", str(top + 15), bar.words, "value", "end")]
    if bar.low is None and bar.middle is None and bar.high is None:
        return marks
    low, high = _end(bar.low, scale, 0.0), _end(bar.high, scale, 1.0)
    marks.append(line(share(low), middle, share(high), middle, "range"))
    for place, value, arrow in ((low, bar.low, "M6-5 0 0 6 5"), (high, bar.high, "M-6-5 0 0-6 5")):
        path = "M0-6V6" if scale.holds(value) else arrow
        marks.append(Markup('<svg class="chart__end" x="{}" y="{}" overflow="visible"><path d="{}"/></svg>').format(
            share(place), middle, path))
    if scale.holds(bar.middle) and bar.middle is not None:
        marks.append(marker(scale.place(bar.middle), middle, bar.series))
    return marks


def _end(value: float | None, scale: Scale, open_: float) -> float:
    return open_ if value is None else scale.place(value)
