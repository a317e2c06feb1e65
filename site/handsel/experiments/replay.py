"""A test lived through once more from a file: its visitors and conversions go through the real tables, at their times.

Lines of JSON in the order of time::

    {"at": "2026-01-01T00:00:00Z", "start": {"split": {"a": 50, "b": 50}, "goal": "capture", "plan": null}}
    {"at": "2026-01-01T08:12:00Z", "visitor": "v1"}
    {"at": "2026-01-01T08:14:00Z", "visitor": "v1", "goal": "capture"}
    {"at": "2026-01-05T00:00:00Z", "split": {"a": 90, "b": 10}}

A visitor without a ``variant`` is given one by the split, as on the site. A conversion may carry a ``value``. The test
ends with the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from handsel.db import insert_or
from handsel.errors import HandselError
from handsel.experiments import fold
from handsel.experiments.assign import choose
from handsel.experiments.looking import look
from handsel.experiments.models import GOALS, Conversion, Experiment, Exposure
from handsel.experiments.plan import check
from handsel.experiments.sync import SETTLE, Wish, sync

HOUR = timedelta(hours=1)
KINDS = ("start", "visitor", "split")
PLAN = {"baseline", "mde", "alpha", "power", "value_cap"}
UNUSUAL = 'Write it as in {"at": "2026-01-01T08:12:00Z", "visitor": "v1", "variant": "b"}; replay --help shows all.'


class Event(NamedTuple):
    """One line: when, which of ``start``, ``split``, ``exposure`` or ``conversion``, and the rest of it."""

    at: datetime
    kind: str
    body: dict[str, Any]


def events(name: str, lines: Iterable[bytes]) -> Iterator[Event]:
    """The events of a file in their order. Raises HandselError, with ``name`` and the line's number, for a line that
    cannot be read, comes before the line above it, or stands before the start."""
    last: datetime | None = None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            event = _event(json.loads(line))
            if last is None and event.kind != "start":
                raise ValueError("the first line must start the test")
            if last is not None and event.kind == "start":
                raise ValueError("the test was started already")
            if last is not None and event.at < last:
                raise ValueError("the line above is later; sort the lines by their time")
        except (ValueError, RecursionError) as error:
            raise HandselError(f"{name}:{number}", f"This line cannot be replayed: {error}.", UNUSUAL) from error
        last = event.at
        yield event


def _event(body: Any) -> Event:
    if not isinstance(body, dict) or not isinstance(body.get("at"), str):
        raise ValueError('it must be an object with a time under "at"')
    at = datetime.fromisoformat(body["at"])
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    kinds = [kind for kind in KINDS if kind in body]
    if len(kinds) != 1:
        raise ValueError(f"it must have one of {', '.join(KINDS)}")
    if kinds[0] == "start":
        return Event(at, "start", _start(body["start"]))
    if kinds[0] == "split":
        return Event(at, "split", {"split": _split(body["split"])})
    if not isinstance(body["visitor"], str) or not body["visitor"]:
        raise ValueError("the visitor must be a name that is not empty")
    if "goal" in body:
        value = body.get("value", 0)
        if body["goal"] not in GOALS or type(value) not in (int, float) or not 0 <= value < 1e12:
            raise ValueError(f"the goal must be one of {', '.join(GOALS)}, a value a number of 0 or more")
    return Event(at, "conversion" if "goal" in body else "exposure", body)


def _start(start: Any) -> dict[str, Any]:
    if not isinstance(start, dict) or start.get("goal") not in GOALS:
        raise ValueError(f'"start" must be an object with a split and a goal of {", ".join(GOALS)}')
    plan: Any = start.get("plan")
    if plan is not None:
        if not isinstance(plan, dict) or not {"baseline", "mde"} <= plan.keys() <= PLAN:
            raise ValueError(f"a plan has {', '.join(sorted(PLAN))}, the baseline and the mde at least")
        plan = {"alpha": 0.05, "power": 0.8, "value_cap": None} | plan
        numbers = [plan[name] for name in ("baseline", "mde", "alpha", "power")]
        if any(type(value) not in (int, float) for value in numbers):
            raise ValueError("the plan's values must be numbers")
        check(*numbers)
    return {"split": _split(start.get("split")), "goal": start["goal"], "plan": plan,
            "hypothesis": str(start.get("hypothesis", ""))}


def _split(split: Any) -> dict[str, int]:
    letters = sorted(split) if isinstance(split, dict) else []
    if len(letters) < 2 or letters != list("abcdef"[: len(letters)]) or not all(
            type(weight) is int and 0 <= weight <= 100 for weight in split.values()) or not any(split.values()):
        raise ValueError('a split has a weight of 0 to 100 for a, b and so on, as in {"a": 50, "b": 50}')
    return {letter: split[letter] for letter in letters}


@dataclass
class Replay:
    """One test of ``offer``, replayed in the caller's write transaction. ``zone`` says when its days end.

    It is looked at whenever ``every`` has gone by and something happened, and once a day at midnight.
    """

    session: Session
    offer: str
    zone: ZoneInfo
    every: timedelta = HOUR
    experiment: Experiment | None = None
    facts: int = 0
    variants: dict[str, str] = field(default_factory=dict)

    def run(self, found: Iterable[Event]) -> int | None:
        """Live through all events; the number of the experiment, None for a file without any."""
        waiting: list[Event] = []
        last: Event | None = None
        wish = Wish()
        for event in found:
            if last is not None and (event.kind == "split" or self._slot(event.at) != self._slot(last.at)):
                self._look(waiting, last.at, event.at)
                waiting = []
            if event.kind == "start":
                wish = self._begin(event)
            elif event.kind == "split":
                wish = Wish(event.body["split"], goal=wish.goal, hypothesis=wish.hypothesis, plan=wish.plan)
                self._obey(wish, event.at)
            else:
                waiting.append(self._placed(event, wish))
            last = event
        if last is None or self.experiment is None:
            return None
        self._look(waiting, last.at, last.at)
        self._obey(Wish(), last.at + SETTLE)
        return self.experiment.id

    def _slot(self, at: datetime) -> tuple[date, int]:
        return self._day(at), int(at.timestamp() // max(self.every.total_seconds(), 0.001))

    def _day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def _begin(self, event: Event) -> Wish:
        taken = select(Experiment.id).where(Experiment.offer == self.offer, (Experiment.ended_at.is_(None))
                                            | (Experiment.ended_at >= event.at))
        if self.session.scalars(taken).first() is not None:
            raise HandselError(f"offers/{self.offer}", "It has a test that was not over at the time of the first line.",
                               "Replay the file under another name: handsel experiment replay --offer NAME FILE")
        wish = Wish(event.body["split"], goal=event.body["goal"], hypothesis=event.body["hypothesis"],
                    plan=event.body["plan"])
        self._obey(wish, event.at - SETTLE)
        self.experiment = self.session.scalars(select(Experiment).where(
            Experiment.offer == self.offer, Experiment.ended_at.is_(None))).one()
        return wish

    def _obey(self, wish: Wish, at: datetime) -> None:
        """Let the record of this one offer follow ``wish``."""
        sync(self.session, {self.offer: wish}, at, self._day(at), among={self.offer})

    def _placed(self, event: Event, wish: Wish) -> Event:
        """The event with its visitor's variant."""
        visitor = event.body["visitor"]
        if event.kind == "exposure":
            variant = str(event.body.get("variant") or choose(visitor, self.offer, wish.split))[:2]
            self.variants.setdefault(visitor, variant)
        else:
            variant = str(event.body.get("variant") or self.variants.get(visitor, "a"))
        return event._replace(body=event.body | {"variant": variant})

    def _look(self, waiting: list[Event], last: datetime, now: datetime) -> None:
        """Write what happened up to ``last``, count it and look; and have the daily looks until ``now``."""
        self._write([event for event in waiting if event.kind == "exposure"],
                    [event for event in waiting if event.kind == "conversion"])
        changed, more = fold.fold(self.session.connection())
        while more:
            some, more = fold.fold(self.session.connection())
            changed |= some
        for experiment in self.session.scalars(select(Experiment).where(Experiment.id.in_(changed))):
            look(self.session, experiment, last)
        day = self._day(last)
        while self.experiment is not None and day < self._day(now):
            day += timedelta(days=1)
            midnight = datetime.combine(day, time(), self.zone)
            look(self.session, self.experiment, midnight, day - timedelta(days=1))

    def _write(self, exposures: list[Event], conversions: list[Event]) -> None:
        """Put the facts into their tables, as the site would."""
        self.facts += len(exposures) + len(conversions)
        dialect = self.session.get_bind().dialect.name
        if exposures:
            self.session.execute(insert_or(Exposure, dialect).on_conflict_do_nothing(), [
                self._fact(event) | {"day": event.at.date()} for event in exposures])
        if conversions:
            self.session.execute(insert(Conversion), [
                self._fact(event) | {"goal": event.body["goal"], "value": event.body.get("value")}
                for event in conversions])

    def _fact(self, event: Event) -> dict[str, Any]:
        # The tables keep hashes of visitors and no names.
        visitor = blake2b(event.body["visitor"].encode("utf-8", "replace"), digest_size=16).hexdigest()
        return {"offer": self.offer, "visitor": visitor, "variant": event.body["variant"], "at": event.at}
