"""Merge fields of letters: ``{{ first_name | there }}``, looked up and never compiled."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

FIELD = re.compile(r"\{\{\s*([A-Za-z_][\w.-]*)?\s*(?:\|([^{}]*))?\}\}")


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
        if not match[1]:
            continue
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
