"""What happened with a lead, as its page tells it: by day, of one kind if asked for, what is old folded away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from flask import request

from handsel import clock
from handsel.db import db
from handsel.desk.shell import day_name
from handsel.leads.models import Lead
from handsel.leads.timeline import Event, timeline
from handsel.offers.live import current

KINDS: dict[str, tuple[str, frozenset[str]]] = {
    "forms": ("Forms and consent", frozenset({"capture", "proof", "consent", "unsubscribe"})),
    "mails": ("Mails", frozenset({"message", "mail"})),
    "visits": ("Downloads and visits", frozenset({"visit", "click", "download", "event"})),
    "sales": ("Sales", frozenset({"handoff", "activity", "mail", "task", "done", "stage", "act"})),
}
"""What a reader may ask for: the words on its button, and the kinds of events it shows."""
FRESH = 6  # as many as a seller reads before a call
FEW = 3  # not worth a fold
MOST = 60  # beyond this a page is heavy, and nobody reads on without meaning to


@dataclass(frozen=True)
class Told:
    """One event; consents to several things that one press gave are told as one, with all their rows."""

    event: Event
    rows: tuple[Any, ...]


@dataclass(frozen=True)
class Day:
    """One day with its events, the latest first."""

    name: str
    told: tuple[Told, ...]


@dataclass(frozen=True)
class Story:
    """What is to come, the latest days, the days before them, and how many older events are left out.

    ``kinds`` are the buttons: name, words, how many events.
    """

    shown: str
    kinds: tuple[tuple[str, str, int], ...]
    ahead: tuple[Told, ...]
    fresh: tuple[Day, ...]
    older: tuple[Day, ...]
    left_out: int

    @property
    def folded(self) -> int:
        """How many events are folded away."""
        return sum(len(day.told) for day in self.older)


def panel(lead: Lead) -> Mapping[str, Any]:
    """For _held and _timeline: what is to come, what happened by day, and the captures that wait for a look."""
    now = clock.now()
    events = timeline(db.session(), lead)
    waiting = [event.row for event in events if event.kind == "capture" and event.row.quarantine]
    shown = request.args.get("show", "")
    return {"story": tell(events, shown if shown in KINDS else "", now, whole=request.args.get("whole") == "yes"),
            "waiting": waiting, "labels": _labels(events)}


def tell(events: Sequence[Event], shown: str, now: datetime, whole: bool = False) -> Story:
    """The story of ``events``, those of the kind ``shown`` or all; ``whole`` leaves nothing out."""
    counted = tuple((name, words, sum(_is(event, kinds) for event in events)) for name, (words, kinds) in KINDS.items())
    wanted = [event for event in events if not shown or _is(event, KINDS[shown][1])]
    past = _joined([event for event in wanted if event.at <= now])
    cut = FRESH if len(past) > FRESH + FEW else len(past)
    fresh, older = past[:cut], past[cut:] if whole else past[cut:MOST]
    ahead = tuple(Told(event, (event.row,)) for event in wanted if event.at > now)[::-1]
    return Story(shown, counted, ahead, _by_day(fresh, now), _by_day(older, now), len(past) - len(fresh) - len(older))


def _joined(events: Sequence[Event]) -> list[Told]:
    told = []
    for _, same in groupby(events, _press):
        together = list(same)
        told.append(Told(together[0], tuple(event.row for event in together)))
    return told


def _press(event: Event) -> tuple[Any, ...]:
    if event.kind != "consent":
        return event.kind, id(event.row), event.at
    return event.kind, event.at, event.row.state, event.row.way, event.address


def _by_day(told: Sequence[Told], now: datetime) -> tuple[Day, ...]:
    return tuple(Day(name, tuple(of_day)) for name, of_day in groupby(told, lambda one: day_name(one.event.at, now)))


def _is(event: Event, kinds: frozenset[str]) -> bool:
    """A seller's mail is both sales' doing and a mail."""
    kind = "mail" if event.kind == "activity" and event.row.kind == "mail" else event.kind
    return kind in kinds


def _labels(events: Sequence[Event]) -> dict[str, dict[str, str]]:
    """By form: how it words its fields, so that answers read as they were asked."""
    forms = {event.row.form for event in events if event.kind == "capture"}
    known = current().forms
    return {name: {field.name: field.label for field in known[name].fields} for name in forms if name in known}
