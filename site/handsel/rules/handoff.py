"""``content/_handoff.yml``: who gets a lead, how soon they are to speak with it, and why they may say no."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator
from pydantic import Field as Limited

from handsel.content.library import Read, Reading
from handsel.content.parse import Parsed
from handsel.content.schema import Key, Part
from handsel.content.values import Duration, Line, Mailbox, fault
from handsel.errors import Fault
from handsel.rules.catalogue import Vocabulary
from handsel.rules.conditions import Condition
from handsel.rules.reading import read_condition
from handsel.rules.settings import read_settings
from handsel.rules.working import DAYS, Hours, Span

FILE = "content/_handoff.yml"
To: TypeAlias = tuple[str, ...] | Literal["everyone", "owners"]
When: TypeAlias = Literal["default", "mql", "pql", "service", "sql"]
EVERYONE: Final = "everyone"
OWNERS: Final = "owners"
CLOSED = "closed"
LONGEST = timedelta(hours=400)  # ten weeks of work: nobody remembers a lead for longer
USUAL = timedelta(hours=8)
_HOUR = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|24:00")
_MAILBOX = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\"]+|[^\s@<>\"]+@localhost")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOST_DAYS = 800  # days off in one stretch


def _clock(text: str) -> time | None:
    """A time of the day; None for midnight at its end. Raises ValueError."""
    match = _HOUR.fullmatch(text.strip())
    if not match:
        raise ValueError("not a time of the day")
    return time(int(match[1]), int(match[2])) if match[1] else None


def _span(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    begins, dash, ends = text.replace("–", "-").partition("-")
    try:
        first, last = _clock(begins), _clock(ends)
        if not dash or first is None or (last is not None and last <= first):
            raise ValueError("not a stretch of a day")
    except ValueError:
        raise fault("bad-hours", f"'{text[:40]}' is no stretch of one day.", "Write it as 09:00-17:30.") from None
    return Span(first, last)


def _spans(value: Any) -> Any:
    if isinstance(value, str):
        return [] if value.strip() == CLOSED else [value]
    return value


def _dates(text: Any) -> Any:
    """``2026-12-25``, or ``2026-12-24..2027-01-01`` with its ends, as the days they are."""
    if not isinstance(text, str):
        return text
    first, dots, last = (part.strip() for part in text.partition(".."))
    try:
        if not _DAY.fullmatch(first) or (dots and not _DAY.fullmatch(last)):
            raise ValueError("not a day")
        begins = date.fromisoformat(first)
        ends = date.fromisoformat(last) if dots else begins
        if not 0 <= (ends - begins).days < _MOST_DAYS:
            raise ValueError("not a stretch of days")
    except ValueError:
        raise fault("bad-date", f"'{text[:40]}' is no day and no stretch of days.",
                    "Write it as 2026-12-25, or 2026-12-24..2027-01-01.") from None
    return frozenset(begins + timedelta(days=number) for number in range((ends - begins).days + 1))


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise fault("unknown-timezone", f"There is no timezone '{value[:60]}'.",
                    "Write it as Europe/London.") from None
    return value


def _work(value: timedelta) -> timedelta:
    if not timedelta() < value <= LONGEST:
        raise fault("bad-duration", "That is no number of working hours.",
                    f"Write it as `4 hours`, at most {LONGEST.total_seconds() / 3600:.0f}.")
    return value


def _hours_alone(value: Any) -> Any:
    if isinstance(value, str) and re.search(r"day|week", value):
        raise fault("bad-duration", f"'{value[:40]}': working time is counted in hours.",
                    "Write it as `4 hours` or `90 minutes`.")
    return value


def _people(value: Any) -> Any:
    """``everyone``, ``owners``, or addresses."""
    if value in (EVERYONE, OWNERS):
        return value
    named = [value] if isinstance(value, str) else value
    if not isinstance(named, list) or not named or not all(isinstance(each, str) for each in named):
        raise fault("wrong-type", "This names nobody.", "Write name@example.org, a list of such, or `everyone`.")
    for each in named:
        if not _MAILBOX.fullmatch(each):
            raise fault("bad-mailbox", f"'{each[:60]}' is no e-mail address.",
                        "Write it as name@example.org, or write `everyone` or `owners`.")
    return tuple(named)


def _each_stage(value: Any) -> Any:
    return {"default": value} if isinstance(value, str) else value


def _usual() -> dict[When, timedelta]:
    return {"default": USUAL}


Work = Annotated[Duration, BeforeValidator(_hours_alone), AfterValidator(_work)]
Spans = Annotated[tuple[Annotated[Any, BeforeValidator(_span)], ...], BeforeValidator(_spans)]
DaysOff = tuple[Annotated[Any, BeforeValidator(_dates)], ...]
People = Annotated[Any, BeforeValidator(_people)]


class OwnerSpec(Part):
    """One owner rule."""

    missing: ClassVar[dict[str, tuple[str, str, str]]] = {
        "name": ("rule-without-name", "The rule has no name.", "Add `name: …`: alerts and the desk say it."),
        "to": ("rule-without-people", "The rule names nobody.",
               "Add `to: name@example.org`, a list of such, or `to: everyone`."),
    }

    name: Line
    when: dict[str, Any] | None = None
    to: People


class EscalationSpec(Part):
    """Who hears of a lead that nobody spoke with in time."""

    to: People = OWNERS
    again_after: Work | None = None


class HoursSpec(Part):
    """When the house is at work: Monday to Friday, Saturday and Sunday, or single days, which go before those."""

    timezone: Annotated[str, AfterValidator(_zone)] | None = None
    weekdays: Spans | None = None
    weekend: Spans | None = None
    monday: Spans | None = None
    tuesday: Spans | None = None
    wednesday: Spans | None = None
    thursday: Spans | None = None
    friday: Spans | None = None
    saturday: Spans | None = None
    sunday: Spans | None = None
    days_off: DaysOff = ()

    def on(self, number: int) -> tuple[Span, ...]:
        """The hours of a day of the week, 0 for Monday, in the order of the clock."""
        own: tuple[Span, ...] | None = getattr(self, DAYS[number])
        usual = self.weekdays if number < 5 else self.weekend
        return tuple(sorted(own if own is not None else usual or (), key=lambda span: span.begins))


class HandoffSpec(Part):
    """The whole file."""

    stages: tuple[Literal["mql", "pql", "service"], ...] = ("mql", "pql", "service")
    owners: tuple[OwnerSpec, ...] = ()
    away: dict[Mailbox, DaysOff] = Limited(default_factory=dict)
    hours: HoursSpec = Limited(default_factory=lambda: HoursSpec(weekdays=(Span(time(9), time(17)),)))
    first_contact: Annotated[dict[When, Work], BeforeValidator(_each_stage)] = Limited(default_factory=_usual)
    escalation: EscalationSpec = Limited(default_factory=lambda: EscalationSpec(again_after=timedelta(hours=8)))
    letters: Literal["wait", "go-on"] = "wait"
    links: Duration = timedelta(days=7)
    reject_reasons: dict[Key, Line] = Limited(default_factory=dict)


@dataclass(frozen=True)
class OwnerRule:
    """Who gets the leads for whom ``when`` holds: the people in ``to``, in turn; EVERYONE is every seller."""

    name: str
    to: To
    when: Condition | None = None


@dataclass(frozen=True)
class HandoffRules:
    """How leads are handed over."""

    stages: frozenset[str]
    owners: tuple[OwnerRule, ...]
    away: Mapping[str, frozenset[date]]
    hours: Hours
    first_contact: Mapping[str, timedelta]
    """By stage, in working time; ``default`` is for those not named."""
    escalation: To
    again_after: timedelta | None
    letters_wait: bool
    links: timedelta
    reject_reasons: Mapping[str, str]
    """The words of each reason by its key."""

    def within(self, stage: str) -> timedelta:
        """In how much working time somebody is to speak with a lead that was handed over for ``stage``."""
        return self.first_contact.get(stage) or self.first_contact.get("default") or USUAL

    def is_away(self, email: str, at: datetime) -> bool:
        """Whether a person is away on the day of ``at``."""
        return at.astimezone(self.hours.zone).date() in self.away.get(email, ())

    def reason(self, key: str) -> str:
        """The words of a reason, also of one that is no longer offered."""
        return self.reject_reasons.get(key, key.replace("-", " "))


def read_handoff(reading: Reading, words: Vocabulary) -> Read[HandoffRules]:
    """How the project hands leads over. ``words`` are the names that its conditions can use."""
    def make(spec: HandoffSpec, parsed: Parsed) -> tuple[HandoffRules | None, list[Fault]]:
        return _made(spec, parsed, words, reading.zone)

    return read_settings(reading, FILE, HandoffSpec, make, words)


def _made(spec: HandoffSpec, parsed: Parsed, words: Vocabulary, zone: Any) -> tuple[HandoffRules | None, list[Fault]]:
    hours = Hours(ZoneInfo(spec.hours.timezone) if spec.hours.timezone else ZoneInfo(str(zone)),
                  tuple(spec.hours.on(number) for number in range(7)), frozenset[date]().union(*spec.hours.days_off))
    faults = list(_time_faults(hours, parsed))
    if not spec.reject_reasons:
        faults.append(parsed.fault(("reject_reasons",), "no-reject-reasons", "There is no reason to reject a lead.",
                                   "Add `reject_reasons:` with lines such as `no-budget: They have no budget`."))
    owners = []
    for number, rule in enumerate(spec.owners):
        when = None
        if rule.when is not None:
            when, more = read_condition(rule.when, parsed, ("owners", number, "when"), words)
            faults += more
        owners.append(OwnerRule(rule.name, rule.to, when))
    faults += _names_twice(spec.owners, parsed)
    for number, rule in enumerate(spec.owners[:-1]):
        if rule.when is None:
            faults.append(parsed.fault(
                ("owners", number), "rule-never-asked", f"The rule '{rule.name}' fits everybody, so those after it are "
                "never asked.", "Move it to the end, or add `when: …`."))
    if faults:
        return None, faults
    away = {email.lower(): frozenset[date]().union(*days) for email, days in spec.away.items()}
    return HandoffRules(
        frozenset(spec.stages), tuple(owners), away, hours,
        {str(stage): work for stage, work in spec.first_contact.items()}, spec.escalation.to,
        spec.escalation.again_after, spec.letters == "wait", spec.links, dict(spec.reject_reasons)), []


def _time_faults(hours: Hours, parsed: Parsed) -> Iterator[Fault]:
    for day, spans in zip(DAYS, hours.week, strict=True):
        for one, other in pairwise(spans):
            if one.ends is None or other.begins < one.ends:
                place = day if day in parsed.values.get("hours", {}) else "weekdays"
                yield parsed.fault(("hours", place), "bad-hours", f"Two stretches of {day} overlap.",
                                   "Write each hour once, such as [09:00-12:00, 13:00-17:00].")
    if not any(hours.week):
        yield parsed.fault(("hours",), "bad-hours", "Nobody is ever at work, so no lead is ever due.",
                           "Write for example `weekdays: 09:00-17:30`.")


def _names_twice(rules: Sequence[OwnerSpec], parsed: Parsed) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, rule in enumerate(rules):
        if rule.name in seen:
            yield parsed.fault(("owners", number, "name"), "rule-named-twice",
                               f"Two rules are called '{rule.name}', and whose turn it is goes by the name.",
                               "Give one of them another name.")
        seen.add(rule.name)


def usual(zone: str = "UTC") -> HandoffRules:
    """What holds while a project's own file was never free of faults: everyone in turn, in office hours."""
    nine_to_five = (Span(time(9), time(17)),)
    hours = Hours(ZoneInfo(zone), (nine_to_five,) * 5 + ((), ()))
    return HandoffRules(frozenset({"mql", "pql", "service"}), (), {}, hours, {"default": USUAL}, OWNERS, USUAL, True,
                        timedelta(days=7), {"other": "Another reason"})
