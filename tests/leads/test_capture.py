"""One submission, one transaction: what stands in the database when the visitor has their answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from handsel import clock as handsel_clock
from handsel.db import db
from handsel.experiments.models import Conversion, Exposure
from handsel.leads.capture import Captured, capture
from handsel.leads.models import Capture, Consent, Grant, Lead, LeadOffer, LeadTag
from handsel.mail.models import Message
from support.funnel import ADVICE, NEWS, make_claim, make_offer, make_ticket, make_visit, take


def count(model: Any) -> int:
    db.session.rollback()  # what was read before is an older view
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_one_submission_is_a_lead_with_its_tags_consents_and_mails(app: Flask, clock: Any) -> None:
    visit = make_visit(HTTP_REFERER="https://news.example/story?private=1")
    taken = take(app, "Ann.Lee@Example.ORG", (ADVICE,), seen=visit, first_name="Ann", company="Lee & Co", team="small")

    lead = db.session.scalars(select(Lead)).one()
    assert (lead.email, lead.address) == ("ann.lee@example.org", "Ann.Lee@example.org")
    assert (lead.first_name, lead.company, lead.custom) == ("Ann", "Lee & Co", {"team": "small"})
    assert (lead.tags_text, lead.offers_text, lead.stage, lead.source) == ("reading", "guide", "iql", "news.example")
    assert (lead.confirmed_at, lead.captured_at) == (None, clock.now)
    capture = db.session.scalars(select(Capture)).one()
    assert (capture.key, capture.variant, capture.page) == (taken.key, "a", "/offers/guide/")
    assert (capture.referrer, capture.visitor) == ("https://news.example/story", visit.visitor)
    assert [(tag.tag, tag.source) for tag in db.session.scalars(select(LeadTag))] == [("reading", "claim:guide")]
    assert [row.offer for row in db.session.scalars(select(LeadOffer))] == ["guide"]
    consent = db.session.scalars(select(Consent)).one()
    assert consent.wording is not None
    assert (consent.purpose, consent.state, consent.wording.text) == ("advice", "given", "Send me tips.")
    messages = db.session.scalars(select(Message).order_by(Message.step)).all()
    assert [(m.kind, m.step, m.due_at - clock.now) for m in messages] == [
        ("delivery", "00-delivery", timedelta()), ("letter", "01-first", timedelta(days=2)),
        ("letter", "02-second", timedelta(days=5))]
    grant = db.session.scalars(select(Grant)).one()
    assert (messages[0].grant_id, grant.expires_at, grant.uses_left, grant.proves) == (
        grant.id, clock.now + timedelta(days=7), 5, True)
    assert count(Exposure) == count(Conversion) == 1


def test_without_a_ticked_box_only_the_delivery_goes_out(app: Flask) -> None:
    take(app)
    assert [m.kind for m in db.session.scalars(select(Message))] == ["delivery"]
    assert count(Consent) == 0


def test_fifty_equal_submissions_at_once_are_one_capture_and_one_mail(app: Flask) -> None:
    claim = make_claim(consents=(ADVICE,))

    def send(_: int) -> Captured:
        with app.app_context():
            return capture(app, make_offer(), claim)

    with ThreadPoolExecutor(50) as pool:
        taken = list(pool.map(send, range(50)))
    assert {one.key for one in taken} == {taken[0].key}
    assert sum(one.is_new for one in taken) == 1
    assert (count(Capture), count(Lead), count(Consent), count(Conversion)) == (1, 1, 1, 1)
    assert sorted(m.kind for m in db.session.scalars(select(Message))) == ["delivery", "letter", "letter"]


def test_forty_forms_for_one_mailbox_at_once_are_one_lead_and_one_mail(app: Flask) -> None:
    claims = [make_claim(f"{'ANN' if number % 2 else 'ann'}@example.org", (ADVICE,),
                         seen=make_visit(f"192.0.{number}.1")) for number in range(40)]

    def send(claim: Any) -> Captured:
        with app.app_context():
            return capture(app, make_offer(), claim)

    with ThreadPoolExecutor(20) as pool:
        taken = list(pool.map(send, claims))
    assert len({one.key for one in taken}) == 40
    assert (count(Lead), count(Capture), count(LeadTag)) == (1, 40, 1)
    assert sorted(m.kind for m in db.session.scalars(select(Message))) == ["delivery", "letter", "letter"]


def test_many_people_at_once_each_become_a_lead(app: Flask) -> None:
    def send(number: int) -> Captured:
        with app.app_context():
            return take(app, f"p{number}@example.org", (ADVICE, NEWS), seen=make_visit(f"10.0.{number}.1"))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(send, range(120)))
    assert (count(Lead), count(Capture), count(Conversion)) == (120, 120, 120)
    assert count(Message) == 120 * 4


def test_a_form_sent_again_with_a_mended_address_is_not_lost(app: Flask) -> None:
    ticket = make_ticket()
    take(app, "ann@exmaple.org", ticket=ticket)
    take(app, "ann@example.org", ticket=ticket)
    assert sorted(db.session.scalars(select(Lead.email))) == ["ann@example.org", "ann@exmaple.org"]


def test_one_that_fails_leaves_its_neighbours_untouched(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def send(number: int) -> Captured | str:
        offer = make_offer(tags=("x",)) if number % 5 else make_offer(tags=(None,))  # a tag that no database takes
        with app.app_context():
            try:
                return take(app, f"p{number}@example.org", offer=offer)
            except Exception as error:
                return type(error).__name__

    monkeypatch.setattr("support.funnel.OfferMeta", lambda **columns: _Loose(columns))
    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(send, range(40)))
    assert [isinstance(result, str) for result in results] == [number % 5 == 0 for number in range(40)]
    assert (count(Lead), count(Capture), count(Message)) == (32, 32, 32)


class _Loose:
    """Front matter that validation would have refused."""

    experiment, event, delivery, stage, link_days, downloads, kind = None, None, "email", "iql", 7, 5, "ebook"

    def __init__(self, columns: dict[str, Any]) -> None:
        self.tags = tuple(_Tag(tag) for tag in columns["tags"])


class _Tag(str):
    def __new__(cls, tag: str | None) -> Any:
        return super().__new__(cls, tag) if tag else _Refused()


class _Refused(str):
    """Sorts and joins as text, and is refused by the driver when it is written."""

    def __new__(cls) -> Any:
        return super().__new__(cls, "\ud800")


def test_a_mailbox_gets_one_mail_in_ten_minutes_and_three_a_day(app: Flask, clock: Any) -> None:
    offers = [make_offer(f"guide-{number}") for number in range(6)]
    for offer in offers[:2]:
        take(app, offer=offer)
    due = sorted(db.session.scalars(select(Message.due_at)))
    assert due == [clock.now, clock.now + timedelta(minutes=10)]
    for offer in offers:
        clock.move(minutes=11)
        take(app, offer=offer)
    assert count(Message) == 3
    clock.move(days=1)
    take(app, offer=offers[5])
    assert (count(Message), count(Lead), count(Capture)) == (4, 1, 9)


def test_ten_thousand_submissions_for_one_victim_are_at_most_three_mails(app: Flask, clock: Any) -> None:
    for number in range(300):  # the same question for each; the rest of the ten thousand would only take time
        take(app, "victim@example.org", (ADVICE,), seen=make_visit(f"10.{number % 200}.7.1"),
             offer=make_offer(f"guide-{number % 7}", letters=()))
        clock.move(seconds=8 * 60)
    times = sorted(db.session.scalars(select(Message.first_due_at).where(Message.kind == "delivery")))
    for first, fourth in zip(times, times[3:], strict=False):
        assert fourth - first >= timedelta(days=1)
    for earlier, later in pairwise(times):
        assert later - earlier >= timedelta(minutes=10)


def test_letters_already_on_their_way_are_not_doubled_by_a_second_capture(app: Flask, clock: Any) -> None:
    take(app, consents=(ADVICE,))
    clock.move(hours=1)
    take(app, consents=(ADVICE, NEWS))
    steps = sorted(db.session.scalars(select(Message.step).where(Message.kind == "letter")))
    assert steps == ["01-first", "02-second", "03-news"]


def test_an_unproven_claim_is_overlaid_by_a_newer_one(app: Flask, clock: Any) -> None:
    take(app, first_name="Ann", company="Old", team="small")
    clock.move(minutes=1)
    take(app, first_name="Anna", phone="0113 496 0000", seats=12, offer=make_offer("demo", stage="mql", tags=("demo",)))
    lead = db.session.scalars(select(Lead)).one()
    assert (lead.first_name, lead.company, lead.phone) == ("Anna", "Old", "0113 496 0000")
    assert lead.custom == {"team": "small", "seats": 12}
    assert (lead.stage, lead.tags_text, lead.offers_text) == ("iql", "demo, reading", "demo, guide")


def test_a_quarantined_capture_is_kept_and_sends_nothing(app: Flask) -> None:
    take(app, consents=(ADVICE,), quarantine="honeypot")
    assert (count(Lead), count(Capture), count(Message), count(Conversion), count(Grant)) == (1, 1, 0, 0, 0)


def test_an_instant_offer_gives_a_grant_that_proves_nothing(app: Flask) -> None:
    take(app, offer=make_offer(delivery="instant"))
    assert [grant.proves for grant in db.session.scalars(select(Grant))] == [False]
    assert count(Message) == 0


def test_a_ticked_box_on_an_instant_offer_asks_the_mailbox_first(app: Flask) -> None:
    take(app, consents=(ADVICE,), offer=make_offer(delivery="instant"))
    assert sorted(m.kind for m in db.session.scalars(select(Message))) == ["confirm", "letter", "letter"]


def test_both_ways_of_delivery_give_two_grants(app: Flask) -> None:
    take(app, offer=make_offer(delivery="both"))
    assert sorted(grant.proves for grant in db.session.scalars(select(Grant))) == [False, True]


def test_robots_and_visitors_who_ask_not_to_be_followed_are_no_conversion(app: Flask) -> None:
    take(app, "a@example.org", seen=make_visit(browser="curl/8.5.0 (x86_64-pc-linux-gnu)"))
    take(app, "b@example.org", seen=make_visit(HTTP_SEC_GPC="1"))
    assert (count(Capture), count(Conversion), count(Exposure)) == (2, 0, 0)


def test_one_visitor_who_sends_ten_forms_is_one_exposure(app: Flask) -> None:
    for number in range(10):
        take(app, f"p{number}@example.org")
    assert (count(Capture), count(Exposure), count(Conversion)) == (10, 1, 10)


def test_the_journey_of_the_day_tells_source_and_first_page(app: Flask) -> None:
    first = make_visit(HTTP_REFERER="https://search.example/", QUERY_STRING="utm_source=News&utm_campaign=Spring")
    traffic = app.extensions["handsel.traffic"]
    traffic.record("view", "/blog/a/", first)
    traffic.record("view", "/offers/guide/", make_visit(HTTP_REFERER="http://localhost/blog/a/", HTTP_HOST="localhost"),
                   "guide", "a")
    traffic.flush()
    take(app, seen=make_visit(HTTP_REFERER="http://localhost/blog/a/", HTTP_HOST="localhost"))
    capture = db.session.scalars(select(Capture)).one()
    assert (capture.first_page, capture.referrer, capture.source, capture.utm_source, capture.utm_campaign) == (
        "/blog/a/", "https://search.example/", "news", "News", "Spring")
    assert db.session.scalars(select(Lead.source)).one() == "news"


def test_times_are_those_of_the_clock(app: Flask, clock: Any) -> None:
    clock.move(days=400)
    take(app)
    assert db.session.scalars(select(Capture.at)).one() == handsel_clock.now()
