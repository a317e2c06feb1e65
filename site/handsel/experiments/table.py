"""How an experiment stands, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

from handsel.experiments.figures import day_words, lift_words, rate_words, some, span_words
from handsel.experiments.results import Results
from handsel.experiments.sentences import tell

HEAD = f"  {'variant':9} {'share':>6} {'visitors':>9} {'conversions':>11} {'rate':>8} {'lift':>8}  interval at any time"


def lines(results: Results, now: datetime, zone: tzinfo) -> Iterator[str]:
    """What stands where, in how much of what was planned, the verdict in words, who is left out, the split."""
    yield f"{results.offer}  (goal {results.goal}, {', '.join(_time(results, now, zone))})"
    yield HEAD
    for arm in results.arms:
        name = f"{arm.variant} control" if arm.is_control else arm.variant
        interval = "" if arm.is_control else f"  {span_words(arm.lo, arm.hi)}"
        lift = "" if arm.is_control else lift_words(arm.lift)
        rate = rate_words(arm.rate, results.goal)
        yield (f"  {name:9} {arm.share:>6.0%} {arm.visitors:>9,} {arm.conversions:>11,} {rate:>8} {lift:>8}"
               f"{interval}").rstrip()
    for line in tell(results, now, zone).lines():
        yield f"  {line}"
    left_out = ", ".join(f"{reason} {number:,}" for reason, number in results.excluded.items())
    yield f"  Left out: {left_out or 'nobody'}"
    yield f"  Split: {'wrong, no verdict is given' if results.alarm else 'as planned'}"
    if results.learned:
        yield f"  Learned: {results.learned}"


def _time(results: Results, now: datetime, zone: tzinfo) -> Iterator[str]:
    if results.ended_at is not None:
        yield f"{day_words(results.started_at, zone)} to {day_words(results.ended_at, zone)}"
    else:
        days = some(max(0, (now - results.started_at).days), "full day")
        yield f"since {day_words(results.started_at, zone)}, {days}"
    if results.planned is not None:
        yield f"{results.visitors:,} of {results.planned:,} planned visitors"
