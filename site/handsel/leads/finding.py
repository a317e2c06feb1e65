"""Finding leads: one checked filter for the list, its count and the export."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, String, and_, func, literal_column, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from handsel import clock
from handsel.accounts.models import Account
from handsel.db import instant_text
from handsel.errors import HandselError, nearest
from handsel.leads.listing.models import LeadWord
from handsel.leads.listing.words import asked_words
from handsel.leads.models import STAGES, Capture, Lead, LeadOffer, LeadTag
from handsel.leads.segments.sql import parts, where
from handsel.rules.conditions import Condition
from handsel.rules.segments import Segments

NO_SEGMENTS = Segments()
FILTERS = ("search", "segment", "offer", "tag", "stage", "since", "held", "owner")
NOBODY = 0
"""The owner of leads that have none."""
WORDS = 8  # of a search; more say nothing new
COUNTED = 10_000  # beyond, a list says "more than": counting further would take longer than reading the page
_LAST = "\U0010ffff"  # no word goes on behind it
FEW = 20_000  # leads since a day of which the lowest number is worth looking up


class FilterError(HandselError):
    """A filter that names something there is not; it never means "everybody"."""


@dataclass(frozen=True)
class Wanted:
    """Which leads are asked for. Empty parts ask for nothing; all that are given must hold.

    ``words`` each begin a word of the address, the name or the company; ``since`` is the first capture's earliest
    instant; ``held`` asks for those with a capture that waits for a person to look at it; ``owner`` is the number of
    an account, NOBODY for leads without an owner, None for all. ``condition`` is a rule, usually a segment's, that is
    asked as of ``at``.
    """

    words: tuple[str, ...] = ()
    offer: str = ""
    tag: str = ""
    stage: str = ""
    since: datetime | None = None
    held: bool = False
    owner: int | None = None
    condition: Condition | None = None
    at: datetime | None = field(default=None, compare=False)
    shown: Mapping[str, str] = field(default_factory=dict, compare=False)
    """The filter as it was typed, without the empty parts: for addresses, forms and the log."""

    def __bool__(self) -> bool:
        return bool(self.words or self.offer or self.tag or self.stage or self.since or self.held
                    or self.owner is not None or self.condition is not None)


def wanted(session: Session, given: Mapping[str, str], offers: Iterable[str], zone: ZoneInfo, *,
           me: int | None = None, segments: Segments = NO_SEGMENTS) -> Wanted:
    """The filter that ``given`` asks for, by the names in FILTERS.

    ``offers`` are the slugs of the project; those of former offers that leads asked for are known too. Dates without a
    timezone are in ``zone``. ``me`` is the account that "owner: me" means. Raises FilterError for a value that there
    is not, and for a segment whose rule has a fault.
    """
    shown = {name: given[name].strip() for name in FILTERS if given.get(name, "").strip()}
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
                  "held" in shown, _owner(session, shown.get("owner", ""), me),
                  segment(segments, shown.get("segment", "")), clock.now(), shown)


def only_known(names: Iterable[str]) -> None:
    """Raise FilterError for a name that is no filter: it never means everybody."""
    for name in names:
        if name not in FILTERS:
            raise FilterError(name[:80], f"There is no filter '{name[:80]}'.", nearest(name, FILTERS))


def segment(segments: Segments, name: str) -> Condition | None:
    """The rule of a segment, None without a name. Raises FilterError for one that there is not, or that has a fault."""
    if not name:
        return None
    try:
        return segments.get(name).condition
    except HandselError as error:
        raise FilterError("segment", error.what, error.do) from error


def _known(name: str, value: str, known: Iterable[str]) -> None:
    names = set(known)
    if value not in names:
        raise FilterError(name, f"There is no {name} '{value[:80]}'.", nearest(value, names))


def _words(search: str) -> tuple[str, ...]:
    if len(search) > 200:
        raise FilterError("search", "The search is too long.", "Use 200 characters at most.")
    if "\x00" in search:
        raise FilterError("search", "The search holds a sign that no name has.", "Type it anew.")
    words = asked_words(search)
    if search and not words:
        raise FilterError("search", "The search holds no letter and no digit.", "Type the beginning of a name.")
    if len(words) > WORDS:
        raise FilterError("search", "The search has too many words.", f"Use {WORDS} at most.")
    return words


def _owner(session: Session, typed: str, me: int | None) -> int | None:
    """The number of the account that ``typed`` means: ``me``, ``none``, or the address of an account."""
    if not typed:
        return None
    if typed == "none":
        return NOBODY
    if typed == "me":
        if me is None:
            raise FilterError("owner", "Nobody is signed in whom 'me' could mean.", "Give the address of an account.")
        return me
    found = session.scalar(select(Account.id).where(Account.email == typed.lower()))
    if found is None:
        known = session.scalars(select(Account.email))
        raise FilterError("owner", f"There is no account '{typed[:80]}'.", nearest(typed, {"me", "none", *known}))
    return found


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
        # So that no index on stages fits either.
        query = query.where(func.coalesce(Lead.stage, "") == asked.stage)
    if asked.since:
        # Written so that no index on time fits: the rows come in the order of their numbers, and must not be sorted.
        query = query.where(func.coalesce(Lead.captured_at, "", type_=String()) >= instant_text(asked.since))
    if first:
        query = query.where(number >= first, Lead.id >= first)  # whichever table a count begins with
    if asked.owner is not None:
        query = query.where(func.coalesce(Lead.owner_id, NOBODY) == asked.owner)
    if asked.condition is not None:
        query = query.where(where(asked.condition, asked.at or clock.now()))
    return Found(query.where(*(has_word(word) for word in asked.words)), number)


def more(asked: Wanted) -> list[tuple[Select[Any] | None, ColumnElement[bool]]]:
    """What the rule of the filter asks for, part by part: the numbers of the leads that fit, where an index says them,
    and the same asked of one lead."""
    return parts(asked.condition, asked.at or clock.now()) if asked.condition is not None else []


def begins(word: str) -> ColumnElement[bool]:
    """Whether a row of the words begins with ``word``."""
    return and_(LeadWord.word >= word, LeadWord.word < word + _LAST)


def has_word(word: str) -> ColumnElement[bool]:
    """Whether any word of the lead begins with ``word``, asked of one lead at a time.

    As a value, not as an EXISTS: PostgreSQL would make a join of that and read the words of everybody.
    """
    some: Select[Any] = select(literal_column("1")).where(LeadWord.lead_id == Lead.id, begins(word)).limit(1)
    return some.scalar_subquery().is_not(None)


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
