"""A condition read on one person: whether it holds, why, and when time alone may change that. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from handsel.rules.catalogue import ACTS, typed
from handsel.rules.conditions import (
    All,
    Any_,
    Behaviour,
    Condition,
    Date,
    Did,
    Holds,
    InSegment,
    Known,
    Not,
    Number,
    Text,
    Yes,
    folded,
    leaves,
    names_used,
    spellings,
)
from handsel.rules.person import Fact, Person
from handsel.rules.sentence import said

TICK = timedelta(milliseconds=1)  # the database keeps instants to the millisecond


class Evidence(NamedTuple):
    """Something that made a condition hold: in words, with the row behind it and its time as far as they are known."""

    words: str
    ref: str
    at: datetime | None


def holds(condition: Condition, person: Person, at: datetime) -> bool:
    """Whether the condition holds for that person at that instant."""
    return _holds(condition, person, _tick(at))


def _holds(condition: Condition, person: Person, at: datetime) -> bool:
    if isinstance(condition, All):
        return all(_holds(part, person, at) for part in condition.parts)
    if isinstance(condition, Any_):
        return any(_holds(part, person, at) for part in condition.parts)
    if isinstance(condition, Not):
        return not _holds(condition.part, person, at)
    if isinstance(condition, InSegment):
        return _holds(condition.condition, person, at)
    if isinstance(condition, Did):
        return len(_counting(condition, person, at)) >= condition.times
    return _believed(condition, typed(condition.attribute, person.values.get(condition.attribute.name)), at)


def _believed(test: Known | Text | Number | Date | Holds | Yes, value: Any, at: datetime) -> bool:
    if isinstance(test, Known):
        return value not in (None, "", frozenset())
    if isinstance(test, Text):
        return _says(test, folded(value))
    if isinstance(test, Number):
        return value is not None and _compares(test, value)
    if isinstance(test, Date):
        return value is not None and _lies(test, value, at)
    if isinstance(test, Holds):
        return not value.isdisjoint(test.values)
    return bool(value)


def _says(test: Text, value: str) -> bool:
    wanted = (each for one in test.values for each in spellings(one))
    if test.op == "is":
        return any(value == each for each in wanted)
    if test.op == "contains":
        return any(each in value for each in wanted)
    return any(value.startswith(each) for each in wanted)


def _compares(test: Number, value: float) -> bool:
    if test.op == "at_least":
        return value >= test.value
    if test.op == "at_most":
        return value <= test.value
    if test.op == "more_than":
        return value > test.value
    return value < test.value if test.op == "less_than" else value == test.value


def _lies(test: Date, value: Any, at: datetime) -> bool:
    if test.attribute.day:
        return _day_lies(test, value, at)
    if test.op == "since":
        return bool(value >= test.moment)
    if test.op == "before":
        return bool(value < test.moment)
    assert test.length is not None
    return bool(at - test.length <= value <= at) if test.op == "within" else bool(value < at - test.length)


def _day_lies(test: Date, value: str, at: datetime) -> bool:
    if test.moment is not None:
        day = test.moment.date().isoformat()
        return value >= day if test.op == "since" else value < day
    assert test.length is not None
    bound = day_of(at - test.length)
    return bound <= value <= day_of(at) if test.op == "within" else value < bound


def day_of(at: datetime) -> str:
    """The day of an instant, in UTC, as days are kept."""
    return at.astimezone(UTC).date().isoformat()


def _counting(test: Did, person: Person, at: datetime) -> list[Fact]:
    since = max((moment for moment in (test.since, test.within and at - test.within) if moment), default=None)
    return [fact for fact in person.facts
            if fact.at <= at and (since is None or fact.at >= since) and (test.before is None or fact.at < test.before)
            and matches(test.behaviour, fact)]


def matches(behaviour: Behaviour, fact: Fact) -> bool:
    """Whether that fact is one of those meant."""
    if fact.kind != behaviour.kind:
        return False
    if behaviour.names is None and not behaviour.starts:
        return True
    return fact.name in (behaviour.names or ()) or fact.name.startswith(behaviour.starts or ("\0",))


def next_change(condition: Condition, person: Person, at: datetime) -> datetime | None:
    """The first instant after ``at`` at which time alone may change whether the condition holds; None for never."""
    at = _tick(at)
    return min((moment for leaf in leaves(condition) for moment in _turns(leaf, person, at) if moment > at),
               default=None)


def _turns(leaf: Condition, person: Person, at: datetime) -> Iterator[datetime]:
    if isinstance(leaf, Date) and leaf.length is not None:
        value = typed(leaf.attribute, person.values.get(leaf.attribute.name))
        if value is not None:
            yield from _date_turns(leaf, value, leaf.length)
    elif isinstance(leaf, Did):
        for fact in person.facts:
            if matches(leaf.behaviour, fact):
                yield fact.at  # one that lies ahead counts from then on
                if leaf.within is not None:
                    yield fact.at + leaf.within + TICK


def _date_turns(leaf: Date, value: Any, length: timedelta) -> Iterator[datetime]:
    try:
        moment = datetime.fromisoformat(value + "T00:00:00+00:00") if leaf.attribute.day else value
        yield moment
        yield moment + length + (timedelta(days=1) if leaf.attribute.day else TICK)
    except (ValueError, OverflowError):  # a day that no calendar has
        return


def evidence(condition: Condition, person: Person, at: datetime) -> list[Evidence]:
    """What made the condition hold, in its order; empty where it does not hold."""
    at = _tick(at)
    return list(_because(condition, person, at)) if _holds(condition, person, at) else []


def _because(condition: Condition, person: Person, at: datetime) -> Iterator[Evidence]:
    if isinstance(condition, All):
        for part in condition.parts:
            yield from _because(part, person, at)
    elif isinstance(condition, Any_):
        yield from _because(next(part for part in condition.parts if _holds(part, person, at)), person, at)
    elif isinstance(condition, InSegment):
        yield from _because(condition.condition, person, at)
    elif isinstance(condition, Did):
        for fact in _counting(condition, person, at)[-condition.times:]:
            yield Evidence(said_of(fact), fact.ref, fact.at)
    elif isinstance(condition, Not):
        yield Evidence(said(condition), "", None)
    else:
        told = person.told.get(condition.attribute.name)
        yield Evidence(said(condition), told.ref if told else "", told.at if told else None)


def said_of(fact: Fact) -> str:
    """A fact as a sentence's part: ``downloaded home-energy-guide``."""
    act = ACTS.get(fact.kind)
    return " ".join(part for part in (act.words, fact.name, act.tail) if part) if act else fact.kind


def attributes(condition: Condition) -> frozenset[str]:
    """The attributes and kinds of acts that a condition asks about, through its segments too."""
    return names_used(condition)


def _tick(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
