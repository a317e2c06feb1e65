"""Pages of leads in any order and under any filter, in a time that does not grow with the number of leads.

Where few can fit (a rare word, a tag on some), they are gathered and sorted. Where many can, the leads are walked in
the order of the page and each is asked whether it fits; that ends soon, because many do. It is bounded all the same:
where those who fit stand far from the page's beginning, the walk stops after LOOKED leads and says so, and the next
page goes on there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import Session

from handsel.leads.finding import Wanted
from handsel.leads.listing.order import Order, Place, Stretch, by_place, keys_of, place_of, stretches
from handsel.leads.listing.plan import Plan, plan_for
from handsel.leads.models import Lead

SIZE = 50
WINDOW = 10_000  # leads that a walk asks before it looks whether it may go on
LOOKED = 40_000  # leads that a walk asks at most for one page: some 160 ms
SAMPLED = 20_000  # leads that are asked for the number at the head of the list, where nothing says it sooner
COUNTED = 10_000  # beyond, a list says "more than": counting further would take longer than reading the page


@dataclass(frozen=True)
class Page:
    """Leads in the order asked for, and the places from which the pages beside it go on (None at the ends).

    ``stopped`` is True where the walk ended before the page was full: more may fit further on.
    """

    leads: list[Lead]
    before: Place | None
    after: Place | None
    stopped: bool = False


@dataclass(frozen=True)
class Count:
    """How many leads there are; with ``more``, at least so many."""

    number: int
    more: bool = False


def page(session: Session, asked: Wanted, order: Order, place: Place | None = None, *, back: bool = False,
         size: int = SIZE) -> Page:
    """The page that begins behind ``place``, or ends before it if one goes ``back``."""
    plan = plan_for(session, asked, order)
    found, edge = _walk(session, plan, order, place, down=order.down != back, size=size + 1)
    rows = found[:size][::-1] if back else found[:size]
    first, last = (rows[0], rows[-1]) if rows else (None, None)
    further = edge or (found[size - 1] if len(found) > size else None)
    known = {lead.id: lead for lead in session.scalars(select(Lead).where(Lead.id.in_([row.number for row in rows])))}
    leads = [known[row.number] for row in rows if row.number in known]
    stopped = edge is not None
    here = place and _behind(place, down=order.down != back)
    if back:
        return Page(leads, edge or (first if further else None), last or here, stopped)
    return Page(leads, (first or here) if place else None, edge or (last if further else None), stopped)


def _behind(place: Place, *, down: bool) -> Place:
    """Just behind ``place`` as one goes ``down`` the order or up: from there, the way back begins with it."""
    return replace(place, number=place.number + (-1 if down else 1))


def numbers(session: Session, asked: Wanted, order: Order, most: int) -> list[int]:
    """The numbers of the first leads ``asked`` for, ``most`` of them or all; however long the walk is."""
    plan, found, place = plan_for(session, asked, order), list[Place](), None
    while True:
        more, place = _walk(session, plan, order, place, down=order.down, size=most - len(found))
        found += more
        if place is None or len(found) >= most:
            return [each.number for each in found]


def _walk(session: Session, plan: Plan, order: Order, place: Place | None, *, down: bool,
          size: int) -> tuple[list[Place], Place | None]:
    """The places of the first leads that fit behind ``place``, and where the walk stopped if it did not end."""
    keys = keys_of(order, plan.number, plainly=plan.few is None)
    found: list[Place] = []
    looked = 0
    for stretch in stretches(order, keys, place, down=down):
        for bounds, edge in _windows(session, plan, stretch, keys, down=down):
            sorted_by = stretch.sorted_by if plan.few is None else by_place(keys, down=down)
            query = plan.leads(*keys, bounds=bounds).order_by(*sorted_by).limit(size - len(found))
            found += [place_of(row) for row in session.execute(query)]
            looked += WINDOW
            if len(found) >= size:
                return found, None
            if edge is not None and looked >= LOOKED:
                return found, edge
    return found, None


def _windows(session: Session, plan: Plan, stretch: Stretch, keys: tuple[Any, ...], *,
             down: bool) -> Iterator[tuple[tuple[ColumnElement[bool], ...], Place | None]]:
    """The conditions of each window of a stretch, and the place where it ends (None: where the stretch does)."""
    if plan.few is not None or not plan.fits:
        yield stretch.conditions, None  # nobody is walked past
        return
    bounds = stretch.conditions
    while True:
        row = session.execute(plan.places(*keys).where(*bounds).order_by(*stretch.sorted_by)
                              .offset(WINDOW - 1).limit(1)).first()
        edge = place_of(row) if row else None
        yield (*bounds, stretch.until(edge, keys, down=down)) if edge else bounds, edge
        if edge is None:
            return
        bounds = stretch.behind(edge, keys, down=down)


def count(session: Session, asked: Wanted) -> Count:
    """How many leads are ``asked`` for, as far as it is quickly said."""
    one: ColumnElement[int] = literal_column("1")
    plan, looked = plan_for(session, asked), 0
    if plan.few is None and plan.fits:
        some = plan.places(plan.number.label("id")).limit(SAMPLED)
        looked = session.scalar(select(func.count()).select_from(some.subquery())) or 0
        plan = Plan(plan.fits, some.cte("some").prefix_with("MATERIALIZED"))
    found = session.scalar(select(func.count()).select_from(plan.leads(one).limit(COUNTED + 1).subquery())) or 0
    return Count(min(found, COUNTED), more=found > COUNTED or looked == SAMPLED)
