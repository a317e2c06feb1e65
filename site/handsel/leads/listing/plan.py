"""How the leads of a filter are found: gathered where few can fit, walked past in order where many can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, String, and_, func, literal_column, select, true
from sqlalchemy.orm import Session

from handsel.db import instant_text, is_sqlite
from handsel.leads.finding import NOBODY, Wanted, begins, has_word, more
from handsel.leads.listing.models import LeadWord
from handsel.leads.listing.order import Order
from handsel.leads.models import Capture, Lead, LeadOffer, LeadTag

FEW = 20_000  # leads that are sorted rather than walked past: some 100 ms
_PRESENT = Lead.merged_into_id.is_(None)  # a merged mailbox stands in no list; the indexes of the orders leave it out
_ONE: ColumnElement[int] = literal_column("1")


@dataclass(frozen=True)
class Part:
    """One part of a filter: the numbers of the leads that fit (None if no index knows), and the same asked of a lead.

    What is asked of a lead is written so that no index fits it: a walk keeps to the index of its order.
    """

    numbers: Select[Any] | None
    probe: ColumnElement[bool]
    name: str = ""
    rows: int = 1
    """In how many rows a lead may stand there, about."""


@dataclass(frozen=True)
class Plan:
    """Where the leads of a filter are sought, and ``fits``: what is asked of each one there.

    They are sought among ``few``, or along an index: the order's own, bounded by ``along``, or that of ``table``.
    """

    fits: tuple[ColumnElement[bool], ...] = ()
    few: CTE | None = None
    table: Any = Lead
    along: tuple[ColumnElement[bool], ...] = ()

    @property
    def number(self) -> Any:
        """The column that holds the number of a lead there."""
        if self.few is not None:
            return self.few.c[0]
        return Lead.id if self.table is Lead else self.table.lead_id

    def leads(self, *columns: Any, bounds: Sequence[ColumnElement[bool]] = ()) -> Select[Any]:
        """A query for ``columns`` of the leads that fit and stand within ``bounds``."""
        if self.few is not None and not is_sqlite():
            return self._each_of_few(columns, bounds)
        query = self.places(*columns)
        if self.few is None and self.table is not Lead:
            query = query.join(Lead, Lead.id == self.number).where(_PRESENT)
        return query.where(*self.fits, *bounds)

    def _each_of_few(self, columns: Sequence[Any], bounds: Sequence[ColumnElement[bool]]) -> Select[Any]:
        """The same where the few are looked up one by one. PostgreSQL guesses wildly how many fit what no index tells
        it, and would read all leads; over an OFFSET it does not think."""
        assert self.few is not None
        one = select(*(column.label(f"key_{place}") for place, column in enumerate(columns))).where(
            Lead.id == self.number, _PRESENT, *self.fits, *bounds).offset(0).lateral("one")
        return select(*one.c).select_from(self.few).join(one, true())

    def places(self, *columns: Any) -> Select[Any]:
        """The same without asking each whether it fits."""
        query = select(*columns)
        if self.few is not None:
            return query.select_from(self.few).join(Lead, Lead.id == self.number).where(_PRESENT)
        present = (_PRESENT,) if self.table is Lead else ()
        return query.select_from(self.table).where(*present, *self.along)


def parts_of(asked: Wanted) -> list[Part]:
    """The parts of a filter."""
    found = [Part(select(LeadWord.lead_id).where(begins(word)), has_word(word), rows=3) for word in asked.words]
    if asked.tag:
        found.append(_of(LeadTag, LeadTag.tag == asked.tag, "tag"))
    if asked.offer:
        found.append(_of(LeadOffer, LeadOffer.offer == asked.offer, "offer"))
    if asked.stage or asked.owner is not None:
        found.append(_standing(asked))
    if asked.since:
        late = func.coalesce(Lead.captured_at, "", type_=String()) >= instant_text(asked.since)
        found.append(Part(select(Lead.id).where(Lead.captured_at >= asked.since), late))
    if asked.held:
        some = select(Capture.lead_id).where(Capture.quarantine != literal_column("''"))  # the words of its index
        found.append(Part(some, Lead.id.in_(some)))
    return found + [_present(Part(numbers, probe, rows=3)) for numbers, probe in more(asked)]


def _present(part: Part) -> Part:
    """The same without merged mailboxes where leads themselves are read: the indexes have only the others."""
    if part.numbers is None or Lead.__table__ not in part.numbers.get_final_froms():
        return part
    return replace(part, numbers=part.numbers.where(_PRESENT))


def _standing(asked: Wanted) -> Part:
    """The stage and the owner, which have an index together."""
    numbers, probes, names = select(Lead.id), [], []
    if asked.owner is not None:
        own = Lead.owner_id.is_(None) if asked.owner == NOBODY else Lead.owner_id == asked.owner
        numbers, names = numbers.where(own), ["owner"]
        probes.append(func.coalesce(Lead.owner_id, NOBODY) == asked.owner)
    if asked.stage:
        present = () if names else (_PRESENT,)  # the index of stages alone has no merged mailboxes
        numbers, names = numbers.where(*present, Lead.stage == asked.stage), [*names, "stage"]
        probes.append(func.coalesce(Lead.stage, "") == asked.stage)
    return Part(numbers, and_(*probes), " ".join(names))


def _of(table: Any, condition: ColumnElement[bool], name: str) -> Part:
    one = select(_ONE).where(table.lead_id == Lead.id, condition).limit(1)
    return Part(select(table.lead_id).where(condition), one.scalar_subquery().is_not(None), name)


ALONG = {"tag": (LeadTag, {"newest"}), "offer": (LeadOffer, {"newest"}), "stage": (Lead, {"score", "stage"}),
         "owner": (Lead, {"score"}), "owner stage": (Lead, {"score"})}
"""The parts whose index brings the leads that fit in some orders; without an order each of them counts its own."""


def plan_for(session: Session, asked: Wanted, order: Order | None = None) -> Plan:
    """The cheapest way to the leads ``asked`` for; without an order, to their number."""
    parts = parts_of(asked)
    ways = [part for part in parts if part.name in ALONG and (order is None or order.name in ALONG[part.name][1])]
    if ways and len(parts) == 1:
        return _along(ways[0], parts)
    fewest = _fewest(session, parts)
    if fewest is not None and fewest.numbers is not None:
        few = fewest.numbers.distinct().cte("few").prefix_with("MATERIALIZED")
        return Plan(_others(parts, fewest), few)
    return _along(ways[0], parts) if ways else Plan(tuple(part.probe for part in parts))


def _along(part: Part, parts: Sequence[Part]) -> Plan:
    """The plan that walks along the index of ``part``."""
    assert part.numbers is not None
    condition = part.numbers.whereclause
    assert condition is not None
    return Plan(_others(parts, part), table=ALONG[part.name][0], along=(condition,))


def _others(parts: Sequence[Part], part: Part) -> tuple[ColumnElement[bool], ...]:
    return tuple(other.probe for other in parts if other is not part)


def _fewest(session: Session, parts: Sequence[Part]) -> Part | None:
    """The part that the fewest leads fit, if these are few."""
    best, fewest = None, FEW + 1
    for part in parts:
        if part.numbers is not None:
            number = _number(session, part.numbers, fewest, part.rows)
            if number < fewest:
                best, fewest = part, number
    return best


def _number(session: Session, numbers: Select[Any], most: int, rows: int) -> int:
    """How many leads there are, as far as up to ``most``."""
    some = numbers.with_only_columns(_ONE, maintain_column_froms=True).limit(rows * most).subquery()
    found = session.scalar(select(func.count()).select_from(some)) or 0
    if not most < found < rows * most:
        return found
    return session.scalar(select(func.count()).select_from(numbers.distinct().subquery())) or 0
