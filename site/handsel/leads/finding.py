"""Finding leads: one checked filter for the list, its count and the export."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, String, func, literal_column, or_, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from handsel.db import instant_text, is_sqlite
from handsel.errors import HandselError, nearest
from handsel.leads.models import STAGES, Capture, Lead, LeadOffer, LeadTag

WORDS = 8  # of a search; more say nothing new
COUNTED = 10_000  # beyond, a list says "more than": counting further would take longer than reading the page
FEW = 20_000  # leads since a day of which the lowest number is worth looking up


class FilterError(HandselError):
    """A filter that names something there is not; it never means "everybody"."""


@dataclass(frozen=True)
class Wanted:
    """Which leads are asked for. Empty parts ask for nothing; all that are given must hold.

    ``words`` each stand in the address, the name or the company; ``since`` is the first capture's earliest instant;
    ``held`` asks for those with a capture that waits for a person to look at it.
    """

    words: tuple[str, ...] = ()
    offer: str = ""
    tag: str = ""
    stage: str = ""
    since: datetime | None = None
    held: bool = False
    shown: Mapping[str, str] = field(default_factory=dict, compare=False)
    """The filter as it was typed, without the empty parts: for addresses, forms and the log."""

    def __bool__(self) -> bool:
        return bool(self.words or self.offer or self.tag or self.stage or self.since or self.held)


def wanted(session: Session, given: Mapping[str, str], offers: Iterable[str], zone: ZoneInfo) -> Wanted:
    """The filter that ``given`` asks for: search, offer, tag, stage, since, held.

    ``offers`` are the slugs of the project; those of former offers that leads asked for are known too. Dates without a
    timezone are in ``zone``. Raises FilterError for a value that there is not.
    """
    shown = {name: given[name].strip() for name in ("search", "offer", "tag", "stage", "since", "held")
             if given.get(name, "").strip()}
    offer, tag, stage = (shown.get(name, "") for name in ("offer", "tag", "stage"))
    if offer:
        _known("offer", offer, {*offers, *offers_asked_for(session)})
    if tag:
        _known("tag", tag, tags_in_use(session))
    if stage:
        _known("stage", stage, STAGES)
    if shown.get("held", "yes") != "yes":
        raise FilterError("held", "The filter 'held' can only be 'yes'.", "Leave it out otherwise.")
    return Wanted(_words(shown.get("search", "")), offer, tag, stage, _since(shown.get("since", ""), zone),
                  "held" in shown, shown)


def _known(name: str, value: str, known: Iterable[str]) -> None:
    names = set(known)
    if value not in names:
        raise FilterError(name, f"There is no {name} '{value[:80]}'.", nearest(value, names))


def _words(search: str) -> tuple[str, ...]:
    if len(search) > 200:
        raise FilterError("search", "The search is too long.", "Use 200 characters at most.")
    if "\x00" in search:
        raise FilterError("search", "The search holds a sign that no name has.", "Type it anew.")
    words = tuple(search.split())
    if len(words) > WORDS:
        raise FilterError("search", "The search has too many words.", f"Use {WORDS} at most.")
    return words


def _since(typed: str, zone: ZoneInfo) -> datetime | None:
    if not typed:
        return None
    try:
        found = datetime.fromisoformat(typed)
        found = found if found.tzinfo else found.replace(tzinfo=zone)
        instant_text(found)
    except (ValueError, OverflowError) as error:
        raise FilterError("since", f"'{typed[:40]}' is no date.", "Write it as 2026-11-22.") from error
    return found


def offers_asked_for(session: Session) -> list[str]:
    """The slugs of all offers that any lead asked for, present or gone."""
    return _distinct(session, "lead_offer", "offer")


def tags_in_use(session: Session) -> list[str]:
    """All tags that any lead has."""
    return _distinct(session, "lead_tag", "tag")


def _distinct(session: Session, table: str, column: str) -> list[str]:
    # One step along the index for each value; DISTINCT would read every row on both engines.
    steps = text(f"WITH RECURSIVE step(value) AS (SELECT min({column}) FROM {table} UNION ALL "  # noqa: S608  our names
                 f"SELECT (SELECT min({column}) FROM {table} WHERE {column} > step.value) FROM step "
                 "WHERE step.value IS NOT NULL) SELECT value FROM step WHERE value IS NOT NULL")
    return list(session.scalars(steps))


@dataclass(frozen=True)
class Found:
    """A query narrowed to what is wanted, and the column that its pages go by: the lead's number."""

    query: Select[Any]
    number: ColumnElement[int]


def find(what: Iterable[Any], asked: Wanted, first: int = 0) -> Found:
    """A query for the columns ``what`` of the leads ``asked`` for; ``first`` comes from ``first_number``.

    Leads are numbered in the order in which they came, so by number is by age, and each filter's index leads along it.
    """
    query, number = select(*what).select_from(Lead).where(Lead.merged_into_id.is_(None)), Lead.id.expression
    if asked.tag:
        query = query.join(LeadTag, (LeadTag.lead_id == Lead.id) & (LeadTag.tag == asked.tag))
        number = LeadTag.lead_id.expression
    if asked.offer:
        query = query.join(LeadOffer, (LeadOffer.lead_id == Lead.id) & (LeadOffer.offer == asked.offer))
        number = LeadOffer.lead_id.expression
    if asked.held:
        waits = select(Capture.lead_id).where(Capture.quarantine != "")
        query = query.where(Lead.id.in_(waits))
    if asked.stage:
        query = query.where(Lead.stage == asked.stage)
    if asked.since:
        # Written so that no index on time fits: the rows come in the order of their numbers, and must not be sorted.
        query = query.where(func.coalesce(Lead.captured_at, "", type_=String()) >= instant_text(asked.since))
    if first:
        query = query.where(number >= first, Lead.id >= first)  # whichever table a count begins with
    for word in asked.words:
        query = query.where(or_(Lead.email.contains(word.lower(), autoescape=True),
                                *(_holds(column, word) for column in (Lead.name, Lead.company))))
    return Found(query, number)


def _holds(column: Any, word: str) -> ColumnElement[bool]:
    """Whether ``column`` holds ``word`` in any case of its letters, on both engines."""
    if not is_sqlite():
        return column.icontains(word, autoescape=True)  # type: ignore[no-any-return]
    # Its LIKE folds the case of ASCII letters alone, so the usual spellings of others are asked for one by one.
    spellings = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
    return or_(*(column.contains(spelling, autoescape=True) for spelling in sorted(spellings)))


def first_number(session: Session, asked: Wanted) -> int:
    """The lowest number that a lead since ``asked.since`` can have, so that older rows need not be read.

    0 without a date, and where so many leads came since that looking it up would not pay.
    """
    if asked.since is None:
        return 0
    some = select(Lead.id).where(Lead.captured_at >= asked.since).limit(FEW + 1).subquery()
    number, lowest = session.execute(select(func.count(), func.min(some.c.id))).one()
    if number > FEW:
        return 0
    return lowest if lowest is not None else 2**62


def count(session: Session | Connection, asked: Wanted, first: int = 0, most: int = 0) -> int:
    """How many leads are found; with ``most``, at most one more than that."""
    found = find([literal_column("1")], asked, first).query
    if most:
        found = found.limit(most + 1)
    return session.scalar(select(func.count()).select_from(found.subquery())) or 0
