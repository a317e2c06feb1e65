"""Pictures as small as a word: a course without numbers, and how much of something is there."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from handsel.desk.charts.draw import share
from handsel.desk.charts.scale import Scale, finite

WIDTH, HEIGHT = 96, 24


def sparkline(values: Sequence[float | None], *, against: float | None = 0.0) -> Markup:
    """The course of ``values`` in the height of a line, with a dashed line at ``against``; empty under two values.

    It is hidden from those who hear the page: the words beside it say more.
    """
    drawable = finite(values)
    if len(drawable) < 2:
        return Markup()
    scale = Scale.around([*drawable, against])
    points = [f"{WIDTH * index / (len(drawable) - 1):.1f} {HEIGHT * (1 - scale.place(value)):.1f}"
              for index, value in enumerate(drawable)]
    zero = Markup()
    if against is not None:
        zero = Markup('<path class="spark__zero" d="M0 {0:.1f}H{1}"/>').format(
            HEIGHT * (1 - scale.place(against)), WIDTH)
    return Markup('<svg class="spark" viewBox="0 0 {0} {1}" width="{0}" height="{1}" aria-hidden="true">{2}'
                  '<path d="M{3}"/></svg>').format(WIDTH, HEIGHT, zero, "L".join(points))


def progress(part: float, whole: float) -> Markup:
    """A bar filled as far as ``part`` goes into ``whole``; hidden from those who hear the page. Empty without a whole.

    Stands beside words that say the same.
    """
    if whole <= 0:
        return Markup()
    filled = min(1.0, max(0.0, part / whole))
    return Markup('<svg class="meter" width="100%" height="6" aria-hidden="true"><rect width="{}" height="6"/></svg>'
                  ).format(share(filled))
