"""Merge fields of letters: ``{{ first_name | there }}``, looked up and never compiled."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

FIELD = re.compile(r"\{\{\s{0,9}([A-Za-z_]\w{0,60})\s{0,9}(?:\|([^{}]{0,300}))?\}\}")
_WORD = re.compile(r"h(xm\d{1,6}xh)")


@dataclass(frozen=True)
class Merge:
    """A place that is filled for each lead: the field's name, and the words used while the field is empty."""

    field: str
    fallback: str = ""


Text = tuple[str | Merge, ...]
"""A text with places to fill: plain strings and merges in order."""


def parse(source: str) -> Text:
    """The parts of ``source``; what is no well-formed merge field stays text."""
    parts: list[str | Merge] = []
    at = 0
    for match in FIELD.finditer(source):
        if match.start() > at:
            parts.append(source[at:match.start()])
        parts.append(Merge(match[1], (match[2] or "").strip()))
        at = match.end()
    if at < len(source):
        parts.append(source[at:])
    return tuple(parts)


def fields(text: Iterable[str | Merge]) -> frozenset[str]:
    """The names of the fields that ``text`` uses."""
    return frozenset(part.field for part in text if isinstance(part, Merge))


# What every letter can name beside the fields of the offer's form. True: never empty.
KNOWN: dict[str, bool] = {
    "email": True,
    "name": False,
    "first_name": False,
    "last_name": False,
    "company": False,
    "job_title": False,
    "country": False,
    "offer_title": True,
    "asset_title": True,
    "site_name": True,
    "site_url": True,
    "get_url": True,
    "link_days": True,
    "unsubscribe_url": True,
    "preferences_url": True,
    "landing_url": True,
}
DELIVERY_ONLY = frozenset({"get_url"})
CODES: dict[str, bool] = {"coupon_code": False}
"""What the letters of an offer with a list of codes know beside."""
EVENT: dict[str, bool] = {"event_date": True, "event_time": True, "event_place": True, "event_url": True}
"""What the letters of an offer with an event know beside."""
NOT_IN_DELIVERY = frozenset({"coupon_code", "event_url"})
"""What is behind the button of the delivery, and so only known to the letters after it."""


def hide(source: str) -> tuple[str, tuple[Merge, ...]]:
    """``source`` with a harmless word in place of each field, and the fields in that order.

    The words hold letters and digits alone, so Markdown and the sanitiser leave them as they are, even inside a link.
    """
    found: list[Merge] = []
    words: list[str] = []
    for part in parse(source):
        if isinstance(part, Merge):
            words.append(f"hxm{len(found)}xh")
            found.append(part)
        else:
            words.append(_WORD.sub(r"h-\1", part))
    return "".join(words), tuple(found)


def show(words: str, found: tuple[Merge, ...]) -> Text:
    """The text in which each word of ``hide`` is its field again."""
    parts: list[str | Merge] = []
    for place, part in enumerate(_WORD.split(words)):
        if place % 2 == 0:
            parts.extend(parse(part))
        elif int(part[2:-2]) < len(found):
            parts.append(found[int(part[2:-2])])
    return tuple(parts)
