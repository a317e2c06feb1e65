"""``content/_stages.yml``: what makes a lead an MQL, a PQL, a service-qualified lead, or one for sales to accept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, ClassVar, Literal, NamedTuple

from handsel.content.library import Read, Reading
from handsel.content.parse import Parsed
from handsel.content.schema import Part
from handsel.content.values import Line
from handsel.errors import Fault
from handsel.rules.catalogue import Vocabulary
from handsel.rules.conditions import All, Any_, Condition, Date, Did, InSegment, Not, leaves
from handsel.rules.evaluate import Evidence, evidence, next_change, said_of
from handsel.rules.person import Fact, Person
from handsel.rules.reading import read_condition
from handsel.rules.settings import read_settings

FILE = "content/_stages.yml"
RANKS = {"iql": 0, "mql": 1, "pql": 1, "service": 1, "sql": 2, "customer": 3}
"""How far along each stage is. The three ways of qualifying stand beside each other."""

Reached = Literal["mql", "sql", "pql", "service"]


class StageRuleSpec(Part):
    """One rule."""

    missing: ClassVar[dict[str, tuple[str, str, str]]] = {
        "name": ("rule-without-name", "The rule has no name.", "Add `name: …`: sellers read it as the reason."),
        "stage": ("rule-without-stage", "The rule leads to no stage.", "Add `stage: mql`, or sql, pql, service."),
        "when": ("rule-without-condition", "The rule says not when.",
                 "Add `when: …`, such as `when: {attended: {offer_kind: webinar}}`."),
    }

    name: Line
    stage: Reached
    when: dict[str, Any]


class StagesSpec(Part):
    """The whole file."""

    rules: tuple[StageRuleSpec, ...] = ()


@dataclass(frozen=True)
class StageRule:
    """When a lead reaches a stage. ``sql`` means that sales is asked; until it accepts, the lead is an MQL."""

    name: str
    stage: str
    when: Condition


@dataclass(frozen=True)
class Stages:
    """All rules, in the order of the file."""

    rules: tuple[StageRule, ...] = ()


class Qualified(NamedTuple):
    """The stage that a lead has earned, by which rule and why. ``hands_over``: sales is to be asked for its word."""

    stage: str
    rule: str
    hands_over: bool
    evidence: tuple[Evidence, ...]


class Standing(NamedTuple):
    """Where a lead stands: its stage, since when, when somebody put it back last, and whether sales was asked since."""

    stage: str
    at: datetime
    put_back_at: datetime | None = None
    asked: bool = False


def read_stages(reading: Reading, words: Vocabulary) -> Read[Stages]:
    """The rules of the project. ``words`` are the names that their conditions can use."""
    def make(spec: StagesSpec, parsed: Parsed) -> tuple[Stages | None, list[Fault]]:
        return _made(spec, parsed, words)

    return read_settings(reading, FILE, StagesSpec, make, words)


def _made(spec: StagesSpec, parsed: Parsed, words: Vocabulary) -> tuple[Stages | None, list[Fault]]:
    faults: list[Fault] = []
    rules: list[StageRule] = []
    names: set[str] = set()
    for number, one in enumerate(spec.rules):
        place = ("rules", number)
        if one.name in names:
            faults.append(parsed.fault((*place, "name"), "rule-twice", f"There are two rules called '{one.name}'.",
                                       "Give one of them another name: it is the reason that sellers read."))
        names.add(one.name)
        when, wrong = read_condition(one.when, parsed, (*place, "when"), words)
        faults += wrong
        if when is not None:
            rules.append(StageRule(one.name, one.stage, when))
    return (None if faults else Stages(tuple(rules))), faults


def version(stages: Stages) -> str:
    """A digest of the rules, segments that they name included: the same rules have the same version everywhere."""
    return sha256(repr(stages).encode()).hexdigest()[:12]


def qualified(stages: Stages, offers: Mapping[str, str], person: Person, now: Standing,
              at: datetime) -> Qualified | None:
    """The change that the rules ask for, or None. They only ever lead further.

    ``offers`` maps the slugs of offers to the stage that each of them gives. After somebody put the lead back, a rule
    counts only with evidence that came later.
    """
    found = [one for one in (*_of_offers(offers, person), *_of_rules(stages, person, at))
             if _further(one.stage, now) and (now.put_back_at is None or _newer(one.evidence, now.put_back_at))]
    if not found:
        return None
    best = max(found, key=_rank)  # of equal ones the first: an offer's own stage, then the order of the file
    if best.stage != "sql":
        return best
    return best._replace(stage="mql" if RANKS[now.stage] < RANKS["mql"] else now.stage, hands_over=True)


def ripens_at(stages: Stages, person: Person, now: Standing, at: datetime) -> datetime | None:
    """When time alone may lead the person further, such as a month after they came; None for never."""
    waiting = [rule.when for rule in stages.rules if _ripens(rule.when) and _further(rule.stage, now)]
    return min((moment for when in waiting if (moment := next_change(when, person, at))), default=None)


@lru_cache(maxsize=256)
def _ripens(condition: Condition) -> bool:
    if isinstance(condition, (All, Any_)):
        return any(_ripens(part) for part in condition.parts)
    if isinstance(condition, InSegment):
        return _ripens(condition.condition)
    if isinstance(condition, Not):  # what runs out, no longer holds
        return any(isinstance(leaf, (Did, Date)) for leaf in leaves(condition.part))
    return isinstance(condition, Date) and condition.length is not None


def _of_offers(offers: Mapping[str, str], person: Person) -> list[Qualified]:
    asked: dict[str, Fact] = {}
    for fact in person.facts:
        if fact.kind == "asked" and RANKS.get(offers.get(fact.name, "iql"), 0) > 0:
            asked[fact.name] = fact  # the newest of each
    return [Qualified(offers[slug], f"offer:{slug}", False, (Evidence(said_of(fact), fact.ref, fact.at),))
            for slug, fact in asked.items()]


def _of_rules(stages: Stages, person: Person, at: datetime) -> list[Qualified]:
    made = ((rule, evidence(rule.when, person, at)) for rule in stages.rules)
    return [Qualified(rule.stage, rule.name, False, tuple(because)) for rule, because in made if because]


def _further(stage: str, now: Standing) -> bool:
    return RANKS[stage] > RANKS[now.stage] and not (stage == "sql" and now.asked)


def _newer(because: tuple[Evidence, ...], since: datetime) -> bool:
    return any(one.at is not None and one.at > since for one in because)


def _rank(one: Qualified) -> int:
    return RANKS[one.stage]
