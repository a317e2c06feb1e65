"""What happens in the sample history: how many people come, and what is true of each experiment. Plain values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random
from typing import NamedTuple

DAYS = 56  # eight full weeks of history
TESTED = 42  # the last days of them, in which experiments run
WEEKDAYS = (1.12, 1.18, 1.1, 1.04, 0.9, 0.74, 0.92)  # Monday first
OTHER_PAGES = 60  # views a day of all pages that are no landing page


class Story(NamedTuple):
    """The truth behind one offer: ``visitors`` a day, the control's ``rate``, the challenger's relative ``lift``, and
    the share of the challenger's visitors who are ``lost`` before they are counted, as by a cache in front of it."""

    visitors: int
    rate: float
    lift: float = 0.0
    lost: float = 0.0


WINNER = Story(130, 0.09, lift=0.4)
NO_DIFFERENCE = Story(105, 0.12)
WRONG_SPLIT = Story(75, 0.1, lost=0.35)
TESTS = (WINNER, NO_DIFFERENCE, WRONG_SPLIT)
QUIET = Story(30, 0.08)
"""An offer without an experiment, or one beyond the three."""


def stories(tested: Iterable[str], others: Iterable[str]) -> dict[str, Story]:
    """A story for each offer; the first of ``tested`` has the winner, the second no difference, the third a wrong
    split."""
    told = dict.fromkeys(others, QUIET)
    for place, offer in enumerate(tested):
        told[offer] = TESTS[place] if place < len(TESTS) else QUIET
    return told


def visitors(random: Random, mean: float, weekday: int, grown: float) -> int:
    """How many come on a day: on each weekday what is usual for it, and fewer while ``grown`` is under 1."""
    wanted = mean * WEEKDAYS[weekday] * (0.3 + 0.7 * min(1.0, grown))
    return max(0, round(random.gauss(wanted, wanted ** 0.5)))


def times(random: Random, number: int) -> Iterator[float]:
    """``number`` moments of a day in order, as hours from 0 to 24, most of them between breakfast and bedtime."""
    yield from sorted(min(23.99, max(0.0, random.triangular(5, 24, 19 if random.random() < 0.6 else 11)))
                      for _ in range(number))
