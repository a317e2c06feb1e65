"""How rates, lifts and their intervals are written, in every place the same."""

from __future__ import annotations

from datetime import datetime, tzinfo

SPACE = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
NOTHING = "–"


def rate_words(rate: float | None, goal: str = "capture") -> str:
    """A rate as ``3.4 %``, under one percent as ``0.34 %``; a value by visitor as ``12.40``; a dash for None."""
    if rate is None:
        return NOTHING
    if goal == "value":
        return f"{rate:,.2f}"
    share = round(100 * rate, 9)
    if share >= 99.95:
        return f"100{SPACE}%"
    return f"{share:.{2 if 0 < share < 0.995 else 1}f}{SPACE}%"


def lift_words(lift: float | None) -> str:
    """A relative lift as ``+21 %`` or ``−4.2 %``: one decimal under ten percent; a dash for None."""
    if lift is None:
        return NOTHING
    share = 100 * abs(lift)
    if share < 0.05:
        return f"0{SPACE}%"
    digits = f"{share:.1f}" if share < 9.95 else f"{share:,.0f}"
    return f"{'+' if lift > 0 else MINUS}{digits}{SPACE}%"


def span_words(low: float, high: float | None) -> str:
    """An interval as ``−3 % to +44 %``, or ``−90 % or more`` where it has no upper limit."""
    return f"{lift_words(low)} or more" if high is None else f"{lift_words(low)} to {lift_words(high)}"


def day_words(at: datetime, zone: tzinfo) -> str:
    """An instant as the day it falls on: ``4 May 2026``."""
    return at.astimezone(zone).strftime("%-d %B %Y")


def some(count: int, noun: str) -> str:
    """``1 day``, ``1,204 days``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(words: list[str]) -> str:
    """``b``, ``b and c``, ``b, c and d``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
