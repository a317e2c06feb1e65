"""What the prediction looks at in a person: a few numbers, the most telling first.

All of them are known before sales says a word, and none is about what sellers did.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log1p

from handsel.leads.companies.domains import company_domain
from handsel.leads.scoring.points import Points
from handsel.rules.person import Person

LATELY = timedelta(days=30)
_LONG_AGO = 365.0  # days that stand for "never": more would only stretch the scale


@dataclass(frozen=True)
class Seen:
    """A person at the moment in question, with the points that they had then."""

    person: Person
    points: Points
    at: datetime

    def number(self, kind: str, since: timedelta | None = None) -> int:
        """How many facts of a kind there are, or were of late."""
        return sum(1 for fact in self.person.facts if fact.kind == kind and fact.at <= self.at
                   and (since is None or fact.at > self.at - since))

    def value(self, name: str) -> object:
        """What is believed of the person."""
        return self.person.values.get(name)


@dataclass(frozen=True)
class Property:
    """One number. ``words`` name it, ``of`` makes it, ``said`` tells what it was for one person."""

    name: str
    words: str
    of: Callable[[Seen], float]
    said: Callable[[Seen], str]


def _quiet_days(seen: Seen) -> float:
    last = seen.value("last_act")
    return max((seen.at - last) / timedelta(days=1), 0.0) if isinstance(last, datetime) else _LONG_AGO


def _quiet(seen: Seen) -> str:
    days = int(_quiet_days(seen))
    return "active within the last day" if not days else f"last active {_many(days, 'day')} ago"


def _offers(seen: Seen) -> int:
    return len({fact.name for fact in seen.person.facts if fact.kind == "asked" and fact.at <= seen.at})


def _size(seen: Seen) -> float:
    size = seen.value("company_size")
    try:
        return max(float(size), 0.0) if isinstance(size, (int, float, str)) else 0.0
    except ValueError:
        return 0.0


def _bant(seen: Seen) -> int:
    met = seen.value("bant")
    return met if isinstance(met, int) else 0


def _many(number: int, one: str) -> str:
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def _known(name: str, words: str) -> Property:
    return Property(name, f"whether {words} is known", lambda seen: 1.0 if seen.value(name) else 0.0,
                    lambda seen: f"{words} is {'known' if seen.value(name) else 'not known'}")


def _at_work(seen: Seen) -> bool:
    return bool(company_domain(str(seen.value("email") or "")))


PROPERTIES: tuple[Property, ...] = (
    Property("fit", "fit", lambda seen: float(seen.points.fit),
             lambda seen: f"fit of {_many(seen.points.fit, 'point')}"),
    Property("interest", "interest", lambda seen: float(seen.points.interest),
             lambda seen: f"interest of {_many(seen.points.interest, 'point')}"),
    Property("quiet", "the time since the last act", lambda seen: log1p(_quiet_days(seen)), _quiet),
    Property("company mailbox", "whether the mailbox is a company's", lambda seen: float(_at_work(seen)),
             lambda seen: "writes from a company's mailbox" if _at_work(seen) else "writes from a free mailbox"),
    Property("offers", "how many offers they asked for", lambda seen: log1p(_offers(seen)),
             lambda seen: f"asked for {_many(_offers(seen), 'offer')}"),
    Property("visits", "pages visited in 30 days", lambda seen: log1p(seen.number("visited", LATELY)),
             lambda seen: f"{_many(seen.number('visited', LATELY), 'page')} visited in 30 days"),
    _known("phone", "a phone number"),
    _known("job_title", "the job title"),
    Property("company size", "the size of the company", lambda seen: log1p(_size(seen)),
             lambda seen: f"company of {int(_size(seen)):,}" if _size(seen) else "company size is not known"),
    Property("attended", "events attended", lambda seen: float(seen.number("attended") > 0),
             lambda seen: "came to an event" if seen.number("attended") else "came to no event"),
    Property("clicks", "clicks in letters in 30 days", lambda seen: log1p(seen.number("clicked", LATELY)),
             lambda seen: f"{_many(seen.number('clicked', LATELY), 'click')} in letters in 30 days"),
    Property("bant", "BANT answers", lambda seen: float(_bant(seen)),
             lambda seen: f"{_bant(seen)} of the 4 BANT questions answered well"),
)
"""In the order in which they join the model as outcomes become more."""


def row(properties: Sequence[Property], seen: Seen) -> list[float]:
    """The numbers of one person."""
    return [each.of(seen) for each in properties]


def named(names: Sequence[str]) -> list[Property]:
    """The properties of those names. Raises KeyError for one there is not any more."""
    known = {each.name: each for each in PROPERTIES}
    return [known[name] for name in names]
