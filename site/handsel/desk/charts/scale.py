"""Where a value stands on an axis, and which values an axis names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log10

TICKS = 5  # more numbers than this stand in each other's way on a phone
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
LARGEST = 1e12  # no rate, lift or value of ours is larger; beyond it neighbouring floats are too far apart to draw


def known(value: float | None) -> float | None:
    """``value`` if it can be drawn; None for what is infinite, no number or beyond all measure."""
    return value if value is not None and abs(value) <= LARGEST else None


def finite(values: Iterable[float | None]) -> list[float]:
    """The values that can be drawn."""
    return [value for value in values if value is not None and abs(value) <= LARGEST]


@dataclass(frozen=True)
class Scale:
    """The stretch of an axis from ``low`` to ``high``; ``low`` is always the smaller one."""

    low: float
    high: float

    @classmethod
    def around(cls, values: Iterable[float | None], *, margin: float = 0.06) -> Scale:
        """A scale that holds all finite ``values`` with a little room; 0 to 1 if there are none."""
        drawable = finite(values)
        if not drawable:
            return cls(0.0, 1.0)
        low, high = min(drawable), max(drawable)
        room = (high - low) * margin or abs(low) * margin or margin
        return cls(low - room, high + room)

    def place(self, value: float) -> float:
        """Where ``value`` stands, 0 to 1; what lies beyond an end is put on that end."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def holds(self, value: float | None) -> bool:
        """Whether ``value`` is finite and lies on the axis."""
        return value is not None and self.low <= value <= self.high

    def ticks(self, most: int = TICKS) -> list[float]:
        """At most ``most`` round values on the axis, in order."""
        wanted = (self.high - self.low) / most
        power = 10.0 ** floor(log10(wanted))
        for step in (factor * power for factor in (*STEPS, 20.0)):
            first = ceil(self.low / step - 1e-9)
            found = [round(place * step, 12) + 0.0 for place in range(first, floor(self.high / step + 1e-9) + 1)]
            if len(found) <= most:
                return found
        return []
