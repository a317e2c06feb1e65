"""Pages of leads under any filter and in any order are those of a plain sort, whichever way leads to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from factories import NOON, make_account, make_words
from handsel.db import db, writing
from handsel.leads.finding import NOBODY, Wanted
from handsel.leads.listing import page, plan
from handsel.leads.listing.order import COLUMNS, Order, OrderError, Place
from handsel.leads.models import Capture, Lead, LeadOffer, LeadTag

NUMBER = 60
STAGES = ("iql", "mql", "sql")


@pytest.fixture
def crowd(app: Any) -> list[Lead]:
    """Sixty leads with equal scores, missing times, tags, owners and merged mailboxes among them."""
    seller = make_account("sales").id
    rows = [{
        "id": n, "key": f"key{n:019}", "address": f"p{n}@x",
        "email": f"p{n}@{'gone' if n % 10 == 0 else ('acme', 'other')[n % 4 == 0]}.example",
        "name": f"{('Ada', 'Ben', 'Adam')[n % 3]} Marsh" if n % 10 else "Zed", "captured_at": NOON + timedelta(days=n),
        "last_capture_at": NOON, "stage": STAGES[n % 3], "score": n * 7 % 5 - 1,
        "stage_at": None if n % 4 == 0 else NOON + timedelta(hours=n * 11 % 7),
        "acted_at": None if n % 5 == 0 else NOON + timedelta(hours=n * 13 % 9),
        "owner_id": seller if n % 6 == 0 else None, "merged_into_id": None if n % 10 else max(1, n - 1),
    } for n in range(1, NUMBER + 1)]
    with writing() as session:
        session.execute(insert(Lead), rows)
        session.execute(insert(LeadTag), [{"lead_id": n, "tag": "energy", "at": NOON} for n in range(1, 61, 2)])
        session.execute(insert(LeadOffer), [{"lead_id": n, "offer": "guide", "at": NOON} for n in range(20, 50)])
        session.execute(insert(Capture), [{
            "key": f"c{n}", "once": f"o{n}", "lead_id": n, "offer": "guide", "form": "short", "email": "x", "at": NOON,
            "quarantine": "disposable"} for n in (3, 4, 10)])
    make_words()
    return list(db.session.scalars(select(Lead).where(Lead.merged_into_id.is_(None)).order_by(Lead.id)))


def asked_for(seller: int) -> dict[str, tuple[Wanted, Callable[[Lead], bool]]]:
    return {
        "everybody": (Wanted(), lambda lead: True),
        "tag": (Wanted(tag="energy"), lambda lead: lead.id % 2 == 1),
        "offer": (Wanted(offer="guide"), lambda lead: 20 <= lead.id < 50),
        "stage": (Wanted(stage="mql"), lambda lead: lead.stage == "mql"),
        "owner": (Wanted(owner=seller), lambda lead: lead.owner_id == seller),
        "unassigned": (Wanted(owner=NOBODY), lambda lead: lead.owner_id is None),
        "since": (Wanted(since=NOON + timedelta(days=33)), lambda lead: lead.id >= 33),
        "held": (Wanted(held=True), lambda lead: lead.id in {3, 4}),
        "word": (Wanted(words=("ada",)), lambda lead: lead.id % 3 != 1),
        "words": (Wanted(words=("adam", "acme")), lambda lead: lead.id % 3 == 2 and lead.id % 4 != 0),
        "much": (Wanted(words=("marsh",), tag="energy", stage="iql", owner=NOBODY),
                 lambda lead: lead.id % 2 == 1 and lead.id % 3 == 0 and lead.owner_id is None),
        "nobody": (Wanted(tag="energy", words=("zoe",)), lambda lead: False),
    }


def in_order(leads: list[Lead], order: Order) -> list[int]:
    column = COLUMNS[order.name].column

    def place(lead: Lead) -> tuple[Any, ...]:
        value = None if column is None else getattr(lead, column.key)
        return (value is not None, value if value is not None else 0, lead.id)

    return [lead.id for lead in sorted(leads, key=place, reverse=order.down)]


def walked(asked: Wanted, order: Order, size: int = 4) -> list[int]:
    """All leads, page by page to the end, and the same back to the beginning."""
    there: list[int] = []
    place: Place | None = None
    for _ in range(200):
        found = page.page(db.session(), asked, order, place, size=size)
        there += [lead.id for lead in found.leads]
        last, place = found, found.after
        if place is None:
            break
    back = [lead.id for lead in last.leads]
    place = last.before
    for _ in range(200):
        if place is None:
            break
        found = page.page(db.session(), asked, order, place, back=True, size=size)
        back = [lead.id for lead in found.leads] + back
        place = found.before
    assert back == there
    return there


@pytest.mark.parametrize("few", [0, 1000], ids=["walked", "gathered"])
@pytest.mark.parametrize("order", ["newest", "-newest", "score", "-score", "acted", "-acted", "stage", "-stage"])
def test_page_by_page_all_leads_come_once_in_their_order_both_ways(crowd, monkeypatch, few, order):
    monkeypatch.setattr(plan, "FEW", few)
    monkeypatch.setattr(page, "WINDOW", 3)
    monkeypatch.setattr(page, "LOOKED", 9)
    seller = next(lead.owner_id for lead in crowd if lead.owner_id)
    for name, (asked, fits) in asked_for(seller).items():
        expected = in_order([lead for lead in crowd if fits(lead)], Order.asked(order))
        assert walked(asked, Order.asked(order)) == expected, name
        assert page.numbers(db.session(), asked, Order.asked(order), 7) == expected[:7], name


@pytest.mark.parametrize("few", [0, 1000], ids=["walked", "gathered"])
def test_the_number_is_exact_or_says_that_there_are_more(crowd, monkeypatch, few):
    monkeypatch.setattr(plan, "FEW", few)
    seller = next(lead.owner_id for lead in crowd if lead.owner_id)
    for name, (asked, fits) in asked_for(seller).items():
        expected = sum(map(fits, crowd))
        assert page.count(db.session(), asked) == page.Count(expected), name
        monkeypatch.setattr(page, "COUNTED", 5)
        assert page.count(db.session(), asked) == page.Count(min(5, expected), more=expected > 5), name
        monkeypatch.setattr(page, "COUNTED", 10_000)


def test_a_walk_that_finds_nobody_for_long_stops_and_goes_on_from_there(crowd, monkeypatch):
    monkeypatch.setattr(plan, "FEW", 0)
    monkeypatch.setattr(page, "WINDOW", 5)
    monkeypatch.setattr(page, "LOOKED", 10)
    asked = Wanted(words=("p1@",))
    first = page.page(db.session(), asked, Order())
    assert (first.leads, first.stopped) == ([], True)
    assert first.after is not None
    found: list[int] = []
    place: Place | None = first.after
    while place is not None:
        some = page.page(db.session(), asked, Order(), place)
        found += [lead.id for lead in some.leads]
        place = some.after
    assert found == [1]


@pytest.mark.parametrize(("order", "place"), [
    ("newest", "x"), ("newest", "5~3"), ("newest", "-1"), ("newest", "9" * 30), ("score", "3"), ("score", "~3"),
    ("score", "a~3"), ("score", "99999999999~3"), ("acted", "soon~3"), ("acted", "2026-01-01~"), ("stage", "1~1~1"),
    ("newest", "٣")])
def test_a_page_that_cannot_be_is_refused(order, place):
    with pytest.raises(OrderError):
        Place.asked(place, Order.asked(order))


@pytest.mark.parametrize(("order", "place"), [
    ("newest", Place(None, 7)), ("score", Place(-3, 7)), ("acted", Place("2026-03-02T12:00:00.000Z", 7)),
    ("acted", Place(None, 7))])
def test_a_place_is_read_as_it_was_written(order, place):
    assert Place.asked(place.written(Order.asked(order)), Order.asked(order)) == place


def test_an_order_that_there_is_not_is_refused():
    with pytest.raises(OrderError, match="Did you mean 'score'"):
        Order.asked("scor")
