"""The reasons of a score in words: for the page of a lead, for alerts, for the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from handsel.leads.scoring.points import Points, Reason
from handsel.rules.catalogue import Attribute
from handsel.rules.conditions import Did, leaves
from handsel.rules.evaluate import Evidence, evidence, said_of
from handsel.rules.person import Person
from handsel.rules.scoring import Rule, Scoring
from handsel.rules.sentence import said


@dataclass(frozen=True)
class Line:
    """One rule with what it gives: ``points`` counts, ``worth`` is what it would give without caps."""

    part: str
    rule: Rule
    points: int
    worth: int
    because: tuple[Because, ...]

    @property
    def capped(self) -> int:
        """How many points a cap keeps back, or how many fewer are taken away."""
        return abs(self.worth) - abs(self.points)


@dataclass(frozen=True)
class Because:
    """One fact behind points, in words; None where a rule on who somebody is has several answers for one sum."""

    words: str
    at: datetime | None
    ref: str
    points: int | None
    worth: int | None


def lines(scoring: Scoring, person: Person, found: Points, at: datetime,
          titles: Mapping[str, str] | None = None) -> list[Line]:
    """The reasons by rule, in the order of the rules; the points of the lines add up to the score.

    ``titles`` are those of offers, by their slugs.
    """
    by_rule: dict[str, list[Reason]] = {}
    for reason in found.reasons:
        by_rule.setdefault(reason.rule, []).append(reason)
    return [Line(rule.part, rule, sum(one.points for one in some), sum(one.worth for one in some),
                 tuple(_because(rule, person, some, at, titles or {})))
            for rule in scoring.rules if (some := by_rule.get(rule.name))]


def _because(rule: Rule, person: Person, reasons: Sequence[Reason], at: datetime,
             titles: Mapping[str, str]) -> list[Because]:
    if rule.when is None:
        named = [(one, one.fact._replace(name=titles.get(one.fact.name, one.fact.name)))
                 for one in reasons if one.fact is not None]
        return [Because(said_of(fact), one.at, fact.ref, one.points, one.worth) for one, fact in named]
    answers = {said(leaf): leaf.attribute for leaf in leaves(rule.when) if not isinstance(leaf, Did)}
    return [Because(_shown(one, answers, person), one.at, one.ref, None, None)
            for one in evidence(rule.when, person, at)]


def _shown(one: Evidence, answers: Mapping[str, Attribute], person: Person) -> str:
    """An answer as it was given, which says more than the rule that it met."""
    attribute = answers.get(one.words)
    value = person.values.get(attribute.name) if attribute else None
    if attribute is None or not value or isinstance(value, (bool, datetime)):
        return one.words
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    words = f"{value:,}" if isinstance(value, int) else value if isinstance(value, str) else ", ".join(sorted(value))
    return f"{attribute.words}: {dict(attribute.choices).get(words, words)}"


def briefly(found: Points, most: int = 5) -> list[tuple[str, int]]:
    """The rules that weigh most, with their points, the heaviest first; those that count for nothing are left out."""
    sums: dict[str, int] = {}
    for reason in found.reasons:
        sums[reason.rule] = sums.get(reason.rule, 0) + reason.points
    order = sorted((name for name, points in sums.items() if points), key=lambda name: -abs(sums[name]))
    return [(name, sums[name]) for name in order[:most]]
