"""Codes of a list: one for each lead, whoever asks at once, shown behind the button, gone when they are gone."""

from __future__ import annotations

import html
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from factories import make_capture, make_consent, make_grant, make_lead, make_message
from handsel import clock as handsel_clock
from handsel.db import db, writing
from handsel.leads import coupons
from handsel.leads.forget import forget
from handsel.leads.models import Capture, Coupon, Download, Grant, Lead
from handsel.leads.privacy.parcel import everything
from handsel.offers.library import Offer
from handsel.offers.project import read
from handsel.worker.deliver import deliver_due
from support.desk import AtDesk


def text(page: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text.partition("</style>")[2])).split())


def as_coupon(project: Path, codes: str) -> None:
    """The sample's offer gives the codes of a list."""
    folder = project / "offers" / "guide"
    (folder / "codes.csv").write_text(codes)
    offer = folder / "offer.md"
    offer.write_text(offer.read_text().replace("kind: ebook", "kind: coupon").replace("guide.pdf", "codes.csv"))


@pytest.fixture
def offer(project: Path, app: Flask) -> Offer:
    as_coupon(project, "A1\nB2\nC3\n")
    found: Offer = app.extensions["handsel.offers"].refresh().offers["guide"]
    return found


def given() -> list[tuple[str, bool]]:
    db.session.rollback()
    return [(row.code, row.lead_id is not None) for row in db.session.scalars(select(Coupon).order_by(Coupon.id))]


def test_codes_stand_one_on_a_line_or_in_the_column_of_that_name(project: Path) -> None:
    for written in ("A1\n\nB2\n", "worth,Code\n10,A1\n10,B2\n", "code\nA1\nB2", "Code;Worth\r\nA1;1\r\n\"B2\";2\r\n"):
        as_coupon(project, written)
        found = read(project)
        asset = found.offers["guide"].asset
        assert found.faults == ()
        assert asset is not None
        assert asset.codes == ("A1", "B2")


def test_the_button_gives_a_code_of_ones_own_and_the_page_shows_it_again(offer: Offer, client: FlaskClient) -> None:
    grant = make_grant(offer="guide")
    assert "Show me my code" in text(client.get(f"/get/{grant.key}"))
    assert given() == [], "a look gives nothing"

    page = client.post(f"/get/{grant.key}", follow_redirects=True)

    assert "Here is your code. It is yours alone: A1" in text(page)
    assert "A1" in text(client.get(f"/get/{grant.key}"))
    client.post(f"/get/{grant.key}")
    assert given() == [("A1", True)]
    again = make_grant(db.session.get(Lead, grant.lead_id), offer="guide")
    assert "A1" in text(client.post(f"/get/{again.key}", follow_redirects=True)), "another link of the same lead"
    other = make_grant(offer="guide")
    assert "B2" in text(client.post(f"/get/{other.key}", follow_redirects=True))


def test_the_code_proves_the_mailbox_and_the_list_itself_is_for_nobody(offer: Offer, client: FlaskClient) -> None:
    lead = make_lead(confirmed_at=None)
    capture = make_capture(lead, proven_at=None)
    grant = make_grant(lead, offer="guide", capture_id=capture.id)

    client.post(f"/get/{grant.key}")

    db.session.expire_all()
    assert db.session.get_one(Capture, capture.id).proven_at is not None
    press = db.session.scalars(select(Download.key)).one()
    for name in ("codes.csv", "x.csv", "The small guide to finishing books.csv"):
        answer = client.get(f"/get/{grant.key}/{press}/{name}")
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/get/{grant.key}")
        assert "B2" not in answer.text


def test_many_at_once_never_get_the_same_and_one_lead_never_two(
        project: Path, app: Flask, make_app: Any) -> None:
    as_coupon(project, "".join(f"CODE-{number}\n" for number in range(40)))
    offer = app.extensions["handsel.offers"].refresh().offers["guide"]
    leads = [make_lead().id for _ in range(12)]

    def take(lead_id: int) -> str:
        with app.app_context(), writing() as session:
            return coupons.give(session, offer, lead_id, handsel_clock.now())

    with ThreadPoolExecutor(8) as crowd:
        codes = list(crowd.map(take, leads * 3))

    assert len(set(codes)) == 12
    assert all(len({codes[place + 12 * turn] for turn in range(3)}) == 1 for place in range(12))


def test_when_none_is_left_the_visitor_is_told_nothing_is_lost_and_new_ones_go_on(
        project: Path, app: Flask, offer: Offer, client: FlaskClient, caplog: Any) -> None:
    for _ in range(3):
        client.post(f"/get/{make_grant(offer='guide').key}")
    assert "offers/guide/codes.csv: the last code is given." in caplog.text
    lead = make_lead(confirmed_at=None)
    capture = make_capture(lead, proven_at=None)
    grant = make_grant(lead, offer="guide", capture_id=capture.id)

    page = client.post(f"/get/{grant.key}", follow_redirects=True)

    assert "All our codes are given away at the moment. Your request is noted" in text(page)
    assert "somebody waits for a code, and none is left" in caplog.text
    db.session.expire_all()
    assert db.session.get_one(Capture, capture.id).proven_at is not None, "the lead is kept"
    assert db.session.get_one(Grant, grant.id).uses_left == 5, "a press that brought nothing is not counted"

    (project / "offers" / "guide" / "codes.csv").write_text("D4\nB2\nA1\n")
    app.extensions["handsel.offers"].refresh()
    assert "D4" in text(client.post(f"/get/{grant.key}", follow_redirects=True)), "used ones stay used"


def test_an_erased_lead_leaves_its_code_used_and_its_name_nowhere(offer: Offer, client: FlaskClient) -> None:
    grant = make_grant(offer="guide")
    client.post(f"/get/{grant.key}")
    with writing() as session:
        lead = session.get(Lead, grant.lead_id)
        assert lead is not None
        assert [row["code"] for row in everything(session, lead)["coupon"]] == ["A1"]
        forget(session, lead, handsel_clock.now(), "the person")

    assert given() == [("A1", False)]
    other = make_grant(offer="guide")
    assert "B2" in text(client.post(f"/get/{other.key}", follow_redirects=True))


def test_later_letters_can_name_the_code(
        project: Path, make_app: Any, smtp: Any) -> None:
    as_coupon(project, "A1\nB2\n")
    letter = project / "offers" / "guide" / "emails" / "01-begin.md"
    letter.write_text(letter.read_text() + "\nYour code is {{ coupon_code | on your page }}.\n")
    app = make_app(MAIL_URL=smtp.url)
    with app.app_context():
        assert app.extensions["handsel.offers"].project.faults == ()
        offer = app.extensions["handsel.offers"].project.offers["guide"]
        for with_code in (True, False):
            lead = make_lead(email=f"with-{with_code}@example.org".lower())
            make_consent(lead)
            if with_code:
                with writing() as session:
                    coupons.give(session, offer, lead.id, handsel_clock.now())
            make_message(lead, step="01-begin", capture_id=make_capture(lead).id)
        deliver_due(app)
        db.session.remove()

    assert "Your code is A1." in smtp.wait(1, to="with-true@example.org")[0].text
    assert "Your code is on your page." in smtp.wait(1, to="with-false@example.org")[0].text


def test_the_desk_says_how_many_codes_are_left(offer: Offer, app: Flask, client: FlaskClient) -> None:
    client.post(f"/get/{make_grant(offer='guide').key}")
    desk = AtDesk(app, "marketer")

    assert "gives codes: 2 of 3 in codes.csv are left" in " ".join(desk.get("/desk/offers/guide").text.split())
