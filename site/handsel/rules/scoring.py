"""``content/_scoring.yml``: what leads are worth for who they are (fit) and for what they did (interest)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator
from pydantic import Field as Limited

from handsel.content import parse
from handsel.content.library import Read, Reading
from handsel.content.parse import Parsed, Place
from handsel.content.schema import Part
from handsel.content.validate import validate
from handsel.content.values import Duration, Line, fault
from handsel.errors import Fault
from handsel.rules.catalogue import Vocabulary
from handsel.rules.conditions import Behaviour, Condition, Did, names_used
from handsel.rules.reading import read_condition
from handsel.rules.settings import read_settings

FILE = "content/_scoring.yml"
MOST = 1000  # points of one rule: what is worth more decides alone, and is better a rule of _stages.yml
ONCE, ONCE_EACH = "once", "each"
LATER = frozenset({"score", "fit", "interest", "quality", "stage", "stage_since", "owner"})
"""What is made of the score: rules that gave points for it would turn in a circle."""

PartName = Literal["fit", "interest"]


def _points(value: int) -> int:
    if not value or abs(value) > MOST:
        raise fault("out-of-range", f"{value} is no number of points.",
                    f"Write a whole number from -{MOST} to {MOST}, and not 0.")
    return value


def _once(value: Any) -> Any:
    return {"true": ONCE, "false": "", "each": ONCE_EACH}.get(value, value) if isinstance(value, str) else value


def _long(value: timedelta) -> timedelta:
    if value < timedelta(days=1):
        raise fault("bad-duration", "That is too short a half-life.", "Write a day or more, such as `30 days`.")
    return value


def _endless(value: Any) -> Any:
    return None if value == "never" else value


Points = Annotated[int, AfterValidator(_points)]
Cap = Annotated[int, Limited(ge=1, le=100 * MOST)]
HalfLife = Annotated[Annotated[Duration, AfterValidator(_long)] | None, BeforeValidator(_endless)]
_POINTLESS = ("rule-without-points", "The rule gives no points.", "Add `points: 10`, or a negative number.")


class FitRuleSpec(Part):
    """One rule on who somebody is."""

    missing: ClassVar[dict[str, tuple[str, str, str]]] = {
        "points": _POINTLESS,
        "when": ("rule-without-condition", "The rule says not of whom.",
                 "Add `when: …`, such as `when: {job_title: {contains: manager}}`."),
    }

    when: dict[str, Any]
    points: Points


class InterestRuleSpec(Part):
    """One rule on what somebody did: ``on`` for each such act, or ``when`` as long as something holds."""

    missing: ClassVar[dict[str, tuple[str, str, str]]] = {"points": _POINTLESS}

    on: dict[str, Any] | None = None
    when: dict[str, Any] | None = None
    points: Points
    half_life: HalfLife = None
    cap: Cap | None = None
    once: Annotated[Literal["once", "each", ""], BeforeValidator(_once)] = ""


class FitSpec(Part):
    """Who they are."""

    cap: Cap | None = None
    rules: dict[Line, FitRuleSpec] = Limited(default_factory=dict)


class InterestSpec(Part):
    """What they did."""

    half_life: HalfLife = timedelta(days=30)
    cap: Cap | None = None
    rules: dict[Line, InterestRuleSpec] = Limited(default_factory=dict)


class ScoringSpec(Part):
    """The whole file."""

    fit: FitSpec = FitSpec()
    interest: InterestSpec = InterestSpec()


@dataclass(frozen=True)
class Rule:
    """One rule. It has ``when``, a condition that holds or not, or ``on``, the acts of which each gives points.

    ``half_life`` is after how long an act is worth half, None if its points stay; ``cap`` the most points, or the most
    taken away, by all acts together; ``once`` is ONCE if only the newest act counts, ONCE_EACH if the newest of each
    name (each offer, each page), empty if all count.
    """

    part: PartName
    name: str
    points: int
    when: Condition | None = None
    on: Behaviour | None = None
    half_life: timedelta | None = None
    cap: int | None = None
    once: Literal["", "once", "each"] = ""


@dataclass(frozen=True)
class Scoring:
    """All rules in the order of the file, and the most that each part gives."""

    rules: tuple[Rule, ...] = ()
    fit_cap: int | None = None
    interest_cap: int | None = None


def read_scoring(reading: Reading, words: Vocabulary) -> Read[Scoring]:
    """The scoring of the project."""
    return read_settings(reading, FILE, ScoringSpec, partial(_made, words), words)


def scoring_of(file: str, data: bytes, words: Vocabulary) -> tuple[Scoring | None, list[Fault]]:
    """The scoring that some bytes say, for trying it out; None where they have a fault."""
    parsed, faults = parse.settings(file, data)
    if parsed is None:
        return None, faults
    spec, more = validate(ScoringSpec, parsed, {"zone": ZoneInfo(words.zone)})
    faults += more
    if spec is None:
        return None, faults
    scoring, more = _made(words, spec, parsed)
    faults += more
    return (None if faults else scoring), faults


def _made(words: Vocabulary, spec: ScoringSpec, parsed: Parsed) -> tuple[Scoring | None, list[Fault]]:
    making = _Making(parsed, words)
    rules = [making.fit(name, rule) for name, rule in spec.fit.rules.items()]
    rules += [making.interest(name, rule, spec.interest, name in spec.fit.rules)
              for name, rule in spec.interest.rules.items()]
    if making.faults:
        return None, making.faults
    return Scoring(tuple(rule for rule in rules if rule), spec.fit.cap, spec.interest.cap), []


@dataclass
class _Making:
    """Makes rules of what was read, and gathers what is wrong with them."""

    parsed: Parsed
    words: Vocabulary
    faults: list[Fault] = field(default_factory=list)

    def fit(self, name: str, spec: FitRuleSpec) -> Rule | None:
        when = self._condition(spec.when, ("fit", "rules", name, "when"))
        return Rule("fit", name, spec.points, when) if when is not None else None

    def interest(self, name: str, spec: InterestRuleSpec, of_interest: InterestSpec, twice: bool) -> Rule | None:
        place: Place = ("interest", "rules", name)
        if twice:
            self._wrong(place, "repeated-name", f"There is a rule '{name}' under fit too.", "Give one another name.")
        if (spec.on is None) == (spec.when is None):
            self._wrong(place, "rule-without-condition", "An interest rule needs either `on` or `when`.",
                        "Write `on: {downloaded: true}` for each such act, or `when: …` for what holds or not.")
            return None
        if spec.when is not None:
            return self._standing(name, spec, spec.when, place)
        assert spec.on is not None
        on = self._behaviour(spec.on, (*place, "on"))
        if on is None:
            return None
        half_life = spec.half_life if "half_life" in spec.model_fields_set else of_interest.half_life
        return Rule("interest", name, spec.points, None, on, half_life, spec.cap, spec.once)

    def _standing(self, name: str, spec: InterestRuleSpec, raw: dict[str, Any], place: Place) -> Rule | None:
        for key in sorted(spec.model_fields_set & {"half_life", "cap", "once"}):
            self._wrong((*place, key), "pointless-key", f"'{key}' says nothing of a rule with `when`.",
                        "Delete it, or ask for acts with `on`.")
        when = self._condition(raw, (*place, "when"))
        return Rule("interest", name, spec.points, when) if when is not None else None

    def _condition(self, raw: dict[str, Any], place: Place) -> Condition | None:
        condition, faults = read_condition(raw, self.parsed, place, self.words)
        self.faults += faults
        if condition is None:
            return None
        for name in sorted(names_used(condition) & LATER):
            self._wrong(place, "circular-rule", f"'{name}' is made of the score, and cannot give points itself.",
                        "Ask for what lies behind it: an answer, an act, a tag.")
        return condition

    def _behaviour(self, raw: dict[str, Any], place: Place) -> Behaviour | None:
        condition, faults = read_condition(raw, self.parsed, place, self.words)
        self.faults += faults
        if condition is None:
            return None
        if not isinstance(condition, Did):
            self._wrong(place, "rule-not-on-an-act", "`on` is no single act, such as `downloaded: true`.",
                        "Write one act, or use `when` for what holds or not.")
            return None
        if condition != Did(condition.behaviour):
            self._wrong(place, "rule-not-on-an-act", "`on` counts every such act, however often and whenever.",
                        "Use `when` to ask how often or since when; half_life lets old acts fade.")
            return None
        return condition.behaviour

    def _wrong(self, place: Place, kind: str, what: str, do: str) -> None:
        self.faults.append(self.parsed.fault(place, kind, what, do))
