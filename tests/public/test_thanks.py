"""The page after the form: once for fifty equal forms, the mail once more, the address put right."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from handsel.db import db
from handsel.leads.models import Capture, Lead
from handsel.mail.models import Message
from support.walk import deliver, grant_key, land, press, send, text


def test_fifty_equal_posts_all_see_the_same_thank_you_page(app: Flask, client: FlaskClient) -> None:
    token = land(client)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: send(app.test_client(), token=token), range(50)))
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, answers[0].location)}
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Capture)) == 1
    assert db.session.scalar(select(func.count()).select_from(Message)) == 1
    app.extensions["handsel.traffic"].flush()


def test_the_mail_is_sent_again_after_a_minute_and_not_before(client: FlaskClient, clock: Any) -> None:
    thanks = send(client).location
    deliver()
    clock.move(seconds=30)
    page = client.get(thanks)
    assert "If nothing has come, open this page again at 12:01" in text(page)
    client.post(f"{thanks}/again")
    assert db.session.scalar(select(func.count()).select_from(Message)) == 1
    clock.move(seconds=30)
    assert "Send it again" in text(client.get(thanks))
    client.post(f"{thanks}/again")
    client.post(f"{thanks}/again")
    due = list(db.session.scalars(select(Message.first_due_at).order_by(Message.id)))
    assert [(at - due[0]).total_seconds() for at in due] == [0, 600]
    assert "goes out at 12:10" in text(client.get(thanks))


def test_a_wrong_address_is_corrected_without_a_second_lead(client: FlaskClient, clock: Any) -> None:
    thanks = send(client, "ann@exmaple.org", first_name="Ann", consent__advice="yes").location
    deliver()
    old = grant_key()
    answer = client.post(f"{thanks}/address", data={"email": "ann@example.org"})
    assert answer.location == thanks
    lead = db.session.scalars(select(Lead)).one()
    assert (lead.email, lead.first_name, lead.tags_text, lead.offers_text) == (
        "ann@example.org", "Ann", "reading, train-reader", "guide")
    assert lead.look_at == clock.now
    queued = db.session.scalars(select(Message).where(Message.state == "queued")).all()
    assert {m.lead_id for m in queued} == {lead.id}
    assert sorted(m.kind for m in queued)[0] == "delivery"
    assert "We are sending an e-mail to ann@example.org now." in text(client.get(thanks))
    assert "the address it was sent to was corrected" in text(client.get(f"/get/{old}"))
    press(client, old)
    assert db.session.scalars(select(Lead.confirmed_at)).one() is None
    press(client, grant_key(proves=True))
    assert db.session.scalars(select(Lead.consent_text)).one() == "advice"


def test_a_proven_address_cannot_be_corrected(client: FlaskClient) -> None:
    thanks = send(client).location
    press(client, grant_key())
    answer = client.post(f"{thanks}/address", data={"email": "mallory@example.org"})
    assert (answer.status_code, "This address is proven by now" in text(answer)) == (422, True)
    assert db.session.scalars(select(Lead.email)).one() == "ann@example.org"


def test_a_correction_that_is_no_address_is_told(client: FlaskClient) -> None:
    thanks = send(client).location
    answer = client.post(f"{thanks}/address", data={"email": "ann.example.org"})
    assert answer.status_code == 422
    assert 'value="ann.example.org"' in answer.text
    assert "An e-mail address has an @ in it" in text(answer)


def test_addresses_corrected_into_each_other_at_the_same_moment(client: FlaskClient) -> None:
    app, pages = client.application, []
    for number in range(4):
        for one, other in (("ann", "bea"), ("bea", "ann")):
            thanks = send(client, f"{one}{number}@example.org").location
            pages.append((thanks, f"{other}{number}@example.org"))
    with ThreadPoolExecutor(8) as pool:
        def correct(page: tuple[str, str]) -> int:
            return app.test_client().post(f"{page[0]}/address", data={"email": page[1]}).status_code

        assert set(pool.map(correct, [page for page in pages for _ in range(2)])) == {303}
    db.session.rollback()
    of = dict(db.session.execute(select(Capture.key, Lead.email).join(Lead, Lead.id == Capture.lead_id)).all())
    assert {thanks.rsplit("/", 1)[1]: email for thanks, email in pages} == of


def test_correcting_in_turn_reaches_a_stranger_no_more_often(client: FlaskClient, clock: Any) -> None:
    for _ in range(6):
        thanks = send(client, "victim@example.org").location
        deliver()
        client.post(f"{thanks}/address", data={"email": "other@example.org"})
        clock.move(minutes=15)
    db.session.rollback()
    thanks = send(client, "victim@example.org").location
    assert "three went there within a day" in text(client.get(thanks))


def test_thank_you_pages_are_not_indexed_kept_or_passed_on(client: FlaskClient) -> None:
    page = client.get(send(client).location)
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page.headers["Cache-Control"]
    key = send(client, "b@example.org").location.rsplit("/", 1)[1]
    assert client.get(f"/offers/demo/thanks/{key}").status_code == 404


def test_a_likely_slip_is_offered_and_one_press_mends_it(client: FlaskClient) -> None:
    thanks = send(client, "ann@gmial.com").location
    page = client.get(thanks)
    assert "Did you mean ann@gmail.com" in text(page)
    client.post(f"{thanks}/address", data={"email": "ann@gmail.com"})
    assert list(db.session.scalars(select(Lead.email))) == ["ann@gmail.com"]
    assert "Did you mean" not in text(client.get(thanks))


def test_correcting_a_throw_away_address_sends_the_mail(client: FlaskClient) -> None:
    thanks = send(client, "ann@mailinator.com").location
    client.post(f"{thanks}/address", data={"email": "ann@example.org"})
    assert "We are sending an e-mail to ann@example.org" in text(client.get(thanks))
