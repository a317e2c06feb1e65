"""The points of one person by the rules of ``content/_scoring.yml``, each with its reason.

Points are whole from the first: every fact is worth a whole number at every moment, so the reasons add up to the score
by themselves and nothing is rounded afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import log2
from typing import NamedTuple

from handsel.rules.conditions import Condition, Date, Did, leaves
from handsel.rules.evaluate import attributes, holds, matches, next_change
from handsel.rules.person import Fact, Person
from handsel.rules.scoring import ONCE, ONCE_EACH, Rule, Scoring

REMEMBERED = 10_000  # kinds of facts of which it is known which rules they meet; beyond, it is found out anew
_TICK = timedelta(milliseconds=1)


class Reason(NamedTuple):
    """Points for one fact, or for what somebody is, by one rule.

    ``worth`` is what the rule gives today, ``points`` what of it counts: less where a cap is reached. ``fact`` is what
    they did; without one, ``known`` names what the rule went by. ``at`` is since when, if that is known.
    """

    part: str
    rule: str
    points: int
    worth: int
    at: datetime | None
    fact: Fact | None = None
    known: tuple[str, ...] = ()


@dataclass(frozen=True)
class Points:
    """What a person is worth at one moment.

    ``next_at`` is the first later moment at which that may be different without anything new; None if never.
    ``climbs_at`` is the first one at which it may be more.
    """

    fit: int
    interest: int
    reasons: tuple[Reason, ...]
    next_at: datetime | None
    climbs_at: datetime | None = None

    @property
    def score(self) -> int:
        """Fit and interest together."""
        return self.fit + self.interest


def points(scoring: Scoring, person: Person, at: datetime) -> Points:
    """The points of ``person`` at ``at``, of the facts up to then. Reasons: fit, then interest, the newest fact first.

    A cap is filled by the newest facts; what takes points away is not weighed against it. Claims of an address that
    nobody is known to be behind give nothing.
    """
    if not person.shown:
        return Points(0, 0, (), None)
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)  # as exact as the database keeps instants
    rules = _ready(scoring)
    fit, fit_reasons = _capped(_states(rules.fit, person, at), scoring.fit_cap)
    acts, next_at, climbs_at = _acts(rules, person, at)
    interest, reasons = _capped([*_states(rules.standing, person, at), *acts], scoring.interest_cap)
    for condition in rules.turning:
        turns_at = next_change(condition, person, at)
        next_at, climbs_at = _earlier(next_at, turns_at), _earlier(climbs_at, turns_at)
    return Points(fit, interest, (*fit_reasons, *reasons), next_at, climbs_at)


# --- rules, made ready for many people --------------------------------------------------------------------------------


@dataclass
class _Ready:
    """The rules of a scoring, sorted by what they ask. ``met`` remembers which rules an act meets."""

    scoring: Scoring
    fit: list[tuple[Rule, Condition, tuple[str, ...]]]
    standing: list[tuple[Rule, Condition, tuple[str, ...]]]
    acts: dict[str, list[Rule]] = field(default_factory=dict)
    met: dict[tuple[str, str], tuple[Rule, ...]] = field(default_factory=dict)
    turning: list[Condition] = field(default_factory=list)


_last: list[_Ready] = []


def _ready(scoring: Scoring) -> _Ready:
    # One project has one scoring at a time; told apart by identity, since to compare all rules would cost more than
    # to score a person.
    if _last and _last[0].scoring is scoring:
        return _last[0]
    made = _Ready(scoring, [], [])
    for rule in scoring.rules:
        if rule.when is not None:
            asked = (rule, rule.when, tuple(sorted(attributes(rule.when))))
            (made.fit if rule.part == "fit" else made.standing).append(asked)
            if turns(rule.when):
                made.turning.append(rule.when)
        elif rule.on is not None:
            made.acts.setdefault(rule.on.kind, []).append(rule)
    _last[:] = [made]
    return made


def turns(condition: Condition) -> bool:
    """Whether time alone can change if the condition holds."""
    return any((isinstance(leaf, Date) and leaf.length is not None) or isinstance(leaf, Did)
               for leaf in leaves(condition))


def _met(ready: _Ready, fact: Fact) -> tuple[Rule, ...]:
    key = (fact.kind, fact.name)
    found = ready.met.get(key)
    if found is None:
        found = tuple(rule for rule in ready.acts.get(fact.kind, ()) if rule.on and matches(rule.on, fact))
        if len(ready.met) >= REMEMBERED:
            ready.met.clear()
        ready.met[key] = found
    return found


# --- who they are, and what they did ----------------------------------------------------------------------------------


def _states(rules: list[tuple[Rule, Condition, tuple[str, ...]]], person: Person, at: datetime) -> Iterator[Reason]:
    for rule, condition, names in rules:
        if holds(condition, person, at):
            told = [person.told[name].at for name in names if name in person.told]
            yield Reason(rule.part, rule.name, rule.points, rule.points, max(told, default=None), None, names)


def _acts(ready: _Ready, person: Person, at: datetime) -> tuple[list[Reason], datetime | None, datetime | None]:
    """A reason for each fact that is still worth something, the newest first, and when the first of them fades on; the
    last value is when the first of those that take points away does."""
    found: list[Reason] = []
    next_at: datetime | None = None
    climbs_at: datetime | None = None
    used: dict[str, int] = {}
    counted: set[tuple[str, str]] = set()
    for fact in reversed(person.facts):
        rules = _met(ready, fact)
        if not rules:
            continue
        age = at - fact.at
        if age.days < 0:
            next_at, climbs_at = _earlier(next_at, fact.at), _earlier(climbs_at, fact.at)
            continue
        for rule in rules:
            if rule.once:
                key = (rule.name, fact.name if rule.once == ONCE_EACH else ONCE)
                if key in counted:
                    continue
                counted.add(key)
            worth = worth_of(rule, age)
            if not worth:
                continue
            if rule.half_life is not None:
                fades_at = fact.at + fades_after(rule, worth)
                next_at = _earlier(next_at, fades_at)
                if worth < 0:
                    climbs_at = _earlier(climbs_at, fades_at)
            points = worth
            if rule.cap is not None:
                room = rule.cap - used.get(rule.name, 0)
                points = max(min(worth, room), -room)
                used[rule.name] = rule.cap - room + abs(points)
            found.append(Reason(rule.part, rule.name, points, worth, fact.at, fact))
    return found, next_at, climbs_at


def worth_of(rule: Rule, age: timedelta) -> int:
    """What a fact of that age is worth by a rule: its points, halved for every half-life, to the nearest whole."""
    if rule.half_life is None:
        return rule.points
    left = abs(rule.points) * 0.5 ** (age / rule.half_life)
    return int(left + 0.5) if rule.points > 0 else -int(left + 0.5)


def fades_after(rule: Rule, worth: int) -> timedelta:
    """The age, to the millisecond, from which on a fact is no longer worth ``worth`` by a rule with a half-life."""
    assert rule.half_life is not None
    age = rule.half_life * log2(abs(rule.points) / (abs(worth) - 0.5)) - _TICK
    age -= age % _TICK
    while worth_of(rule, age) == worth:  # twice or so: a logarithm is not exact where a millisecond decides
        age += _TICK
    return age


def _capped(reasons: Iterable[Reason], cap: int | None) -> tuple[int, list[Reason]]:
    """The sum, and the reasons, of which those that give points give no more than ``cap`` together."""
    total, gained = 0, 0
    found: list[Reason] = []
    for reason in reasons:
        points = reason.points
        if cap is not None and points > 0:
            points = min(points, cap - gained)
            gained += points
        total += points
        found.append(reason if points == reason.points else reason._replace(points=points))
    return total, found


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or (other is not None and other < one):
        return other
    return one
