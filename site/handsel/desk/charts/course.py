"""The time line: how a figure went from day to day, in the band of what it may have been."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from markupsafe import Markup

from handsel.desk.charts.draw import Table, anchor, figure, line, marker, share, words
from handsel.desk.charts.scale import Scale, finite, known

HEIGHT = 200
AXIS = 24
OUT = 20.0  # pixels beyond the picture, where an edge that leaves it goes on unseen
ROOM = 1.4  # times the last interval: the first days' is so wide that nothing else could be seen beside it


@dataclass(frozen=True)
class Point:
    """One look: when, the value and its interval (None: open, or nothing to say), and the same in words."""

    at: datetime
    low: float | None
    middle: float | None
    high: float | None
    words: str


def course(name: str, points: Sequence[Point], written: Callable[[float], str], dated: Callable[[datetime], str],
           *, finding: str, table: Table, against: float = 0.0, goal: float | None = None, goal_word: str = "",
           series: int = 1) -> Markup:
    """The line through the points with its band; ``against`` is the line of no effect, ``goal`` a dashed one with its
    word.

    Fewer than two points make no line: then it is empty.
    """
    if len(points) < 2:
        return Markup()
    points = [replace(point, low=known(point.low), middle=known(point.middle), high=known(point.high))
              for point in points]
    scale = _scale(points, against, goal)
    first, last = points[0].at, points[-1].at
    length = (last - first).total_seconds() or 1.0
    across = [(point.at - first).total_seconds() / length for point in points]
    marks = [_drawn(points, across, scale)]
    for tick in scale.ticks():
        height = _down(scale, tick)
        marks += [line("0", f"{height:.1f}", "100%", f"{height:.1f}", "zero" if tick == against else "grid"),
                  words("0", f"{max(12.0, height - 4):.1f}", written(tick), "tick")]
    end = points[-1].middle
    if goal is not None and scale.holds(goal):
        height = _down(scale, goal)
        # On the side of the dashed line where the course does not end.
        below = height + 15 if end is not None and end > goal else height - 5
        marks += [line("0", f"{height:.1f}", "100%", f"{height:.1f}", "goal"),
                  words("100%", f"{max(12.0, below):.1f}", goal_word, "tick", "end")]
    if end is not None and scale.holds(end):
        marks.append(marker(1.0, f"{_down(scale, end):.1f}", series))
    for place in (0.0, 0.5, 1.0) if length > 6 * 86400 else (0.0, 1.0):
        when = first + (last - first) * place
        marks.append(words(share(place), str(HEIGHT + 17), dated(when), "tick", anchor(place)))
    notes = [point.words for point in points]
    return figure(name, finding, HEIGHT + AXIS, marks, table, notes=notes)


def _scale(points: Sequence[Point], against: float, goal: float | None) -> Scale:
    end = points[-1]
    half = finite(point.middle for point in points[len(points) // 2:])
    wide = [value * ROOM for value in finite((end.low, end.high))]
    if end.high is None or not wide:
        wide += [2 * value for value in half]
    return Scale.around([*wide, *half, against, goal])


def _down(scale: Scale, value: float) -> float:
    return HEIGHT * (1 - scale.place(value))


def _drawn(points: Sequence[Point], across: Sequence[float], scale: Scale) -> Markup:
    """Band and line in a picture of their own that stretches with the width; its strokes do not."""
    def at(place: float, value: float | None, open_: float = 0.0) -> str:
        height = open_ if value is None else HEIGHT * (scale.high - value) / (scale.high - scale.low)
        return f"{1000 * place:.0f} {min(HEIGHT + OUT, max(-OUT, height)):.1f}"

    upper = [at(place, point.high, -OUT) for place, point in zip(across, points, strict=True)]
    lower = [at(place, point.low, HEIGHT + OUT) for place, point in zip(across, points, strict=True)]
    middle = [at(place, point.middle) for place, point in zip(across, points, strict=True) if point.middle is not None]
    return Markup(
        '<svg class="chart__plot" width="100%" height="{0}" viewBox="0 0 1000 {0}" preserveAspectRatio="none">'
        '<path class="chart__band" d="M{1}L{2}z"/><path class="chart__edge" d="M{1}M{3}"/>'
        '{4}</svg>').format(
            HEIGHT, "L".join(upper), "L".join(reversed(lower)), "L".join(lower),
            Markup('<path class="chart__line" d="M{}"/>').format("L".join(middle)) if middle else Markup())
