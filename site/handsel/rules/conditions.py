"""The condition language: what rules say about a person, as frozen values. ``reading`` makes them from YAML.

One condition has three readings: ``evaluate.holds`` on a person, ``leads.segments.sql`` on the database, and
``sentence`` in English.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from handsel.rules.catalogue import Attribute

TextOp = Literal["is", "contains", "starts_with"]
NumberOp = Literal["at_least", "at_most", "more_than", "less_than", "is"]
DateOp = Literal["since", "before", "within", "older_than"]


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Any_:
    """At least one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Condition


@dataclass(frozen=True)
class Known:
    """Something is known of that attribute."""

    attribute: Attribute


@dataclass(frozen=True)
class Text:
    """A text is, contains or starts with any of ``values``; upper and lower case are alike (see ``folded``)."""

    attribute: Attribute
    op: TextOp
    values: tuple[str, ...]


@dataclass(frozen=True)
class Number:
    """A number, if it is known, compares so with ``value``."""

    attribute: Attribute
    op: NumberOp
    value: float


@dataclass(frozen=True)
class Date:
    """A date, if it is known, lies so. ``moment`` is given for since and before, ``length`` for within (the last …) and
    older_than."""

    attribute: Attribute
    op: DateOp
    moment: datetime | None = None
    length: timedelta | None = None


@dataclass(frozen=True)
class Holds:
    """A set (tags, offers, topics, an answer with several choices) holds any of ``values``. Offers stand there with the
    slugs they had before; ``shown`` is as it was written."""

    attribute: Attribute
    values: tuple[str, ...]
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Yes:
    """A switch is on."""

    attribute: Attribute


@dataclass(frozen=True)
class Behaviour:
    """Which facts are meant: of ``kind``; of any of ``names``, if they are given, or whose name starts with any of
    ``starts``. ``shown`` are the names as written; ``kinds`` the kinds of offers that ``names`` were found by."""

    kind: str
    names: tuple[str, ...] | None = None
    starts: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Did:
    """At least ``times`` such facts, in the last ``within``, since and before those moments, as far as they are
    given. Facts of the future do not count yet."""

    behaviour: Behaviour
    times: int = 1
    within: timedelta | None = None
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True)
class InSegment:
    """The condition of a segment, by its name."""

    name: str
    condition: Condition


Condition: TypeAlias = All | Any_ | Not | Known | Text | Number | Date | Holds | Yes | Did | InSegment
Leaf: TypeAlias = Known | Text | Number | Date | Holds | Yes | Did


def folded(text: str) -> str:
    """``text`` with the letters A to Z as small ones: what both engines do alike, whatever their language."""
    return text.translate(_SMALL)


_SMALL = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def spellings(value: str) -> tuple[str, ...]:
    """The spellings that a value of a rule stands for: beyond A to Z, the usual ones of each letter."""
    found = {folded(value)} if value.isascii() else {
        folded(each) for each in (value, value.lower(), value.upper(), value.capitalize(), value.title())}
    return tuple(sorted(found))


def leaves(condition: Condition) -> Iterator[Leaf]:
    """The tests that a condition is made of, those of its segments included."""
    if isinstance(condition, (All, Any_)):
        for part in condition.parts:
            yield from leaves(part)
    elif isinstance(condition, Not):
        yield from leaves(condition.part)
    elif isinstance(condition, InSegment):
        yield from leaves(condition.condition)
    else:
        yield condition


def names_used(condition: Condition) -> frozenset[str]:
    """The attributes and kinds of acts that a condition asks about, through its segments too."""
    return frozenset(leaf.behaviour.kind if isinstance(leaf, Did) else leaf.attribute.name
                     for leaf in leaves(condition))


def segments_used(condition: Condition) -> frozenset[str]:
    """The segments that a condition names, through other segments too."""
    if isinstance(condition, (All, Any_)):
        return frozenset[str]().union(*(segments_used(part) for part in condition.parts))
    if isinstance(condition, Not):
        return segments_used(condition.part)
    if isinstance(condition, InSegment):
        return segments_used(condition.condition) | {condition.name}
    return frozenset()


def breadth(condition: Condition) -> Iterator[None]:
    """One for each comparison that the condition comes to, those of its segments included, as often as they stand."""
    for leaf in leaves(condition):
        if isinstance(leaf, Text) and leaf.op != "is":
            yield from (None for value in leaf.values for _ in spellings(value))
        elif isinstance(leaf, Holds):
            yield from (None for _ in leaf.values)
        else:
            yield None
            if isinstance(leaf, Did):
                yield from (None for _ in leaf.behaviour.starts)


def depth(condition: Condition) -> int:
    """How many groups and segments stand within each other."""
    if isinstance(condition, (All, Any_)):
        return 1 + max(map(depth, condition.parts))
    if isinstance(condition, Not):
        return 1 + depth(condition.part)
    return 1 + depth(condition.condition) if isinstance(condition, InSegment) else 1


def both(parts: list[Any]) -> Condition:
    """All of ``parts``: the one itself where there is but one."""
    return parts[0] if len(parts) == 1 else All(tuple(parts))
