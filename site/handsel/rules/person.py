"""One person as the rules see them: what is believed of them, and what they did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

FACT_KINDS = ("asked", "downloaded", "attended", "visited", "clicked", "event", "called", "met", "wrote", "bought",
              "left", "bounced")


class Fact(NamedTuple):
    """One thing that a person did, or that was done with them.

    ``kind`` is one of FACT_KINDS; ``name`` says of what: the slug of the offer (``asked``: by a form whose mailbox was
    proven; ``downloaded``, ``attended``, ``clicked``: a link in one of its letters), the path (``visited``), the
    event's own name (``event``), the currency (``bought``), else empty. ``ref`` names the row behind it, such as
    ``download:12``; ``value`` is the amount of a sale or of an event, 0 without one.
    """

    kind: str
    name: str
    at: datetime
    ref: str
    value: float = 0.0


class Told(NamedTuple):
    """Since when something is known of a person, and from which row, such as ``capture:12``."""

    at: datetime
    ref: str


@dataclass(frozen=True)
class Person:
    """A lead with all of its mailboxes. ``values`` holds what is believed by the names of the catalogue."""

    id: int
    values: Mapping[str, Any]
    facts: tuple[Fact, ...] = ()
    """In the order of their time."""
    told: Mapping[str, Told] = field(default_factory=dict)
    """Where values come from, by the names of the catalogue, as far as that is known."""
    shown: bool = True
    """Whether somebody is known to be behind the address; if not, all that is said of them is a claim of anybody."""
