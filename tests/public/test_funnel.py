"""From the form to the file, over HTTP and without a script, as a visitor walks."""

from __future__ import annotations

import hashlib
import html
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import MetaData, func, select
from werkzeug.test import TestResponse

from handsel import clock as handsel_clock
from handsel.db import db
from handsel.leads.models import Capture, Consent, Download, Grant, Lead
from handsel.mail.models import Message
from support.funnel import CHROME

PERSON = {"User-Agent": CHROME}


def text(response: TestResponse) -> str:
    """What a reader sees, in one line."""
    body = re.sub(r"(?s)<(style|head).*?</\1>", " ", response.text)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def land(client: FlaskClient, slug: str = "guide") -> str:
    """The token in the form of a landing page."""
    page = client.get(f"/offers/{slug}/", headers=PERSON)
    found = re.search(r'name="form-token"[^>]*value="([^"]+)"', page.text)
    assert found, page.text[-600:]
    return found[1]


def send(client: FlaskClient, email: str = "ann@example.org", slug: str = "guide", token: str | None = None,
         **fields: Any) -> TestResponse:
    """Fill in the form and press the button."""
    data = {"form-token": land(client, slug) if token is None else token, "email": email, "your-website": ""}
    data |= {name.replace("__", "-"): value for name, value in fields.items()}
    return client.post(f"/offers/{slug}/", data=data, headers=PERSON)


def fingerprint() -> str:
    """A hash of every row of every table, but for those that count views."""
    db.session.rollback()
    meta = MetaData()
    meta.reflect(db.engine)
    digest = hashlib.sha256()
    with db.engine.connect() as connection:
        for table in meta.sorted_tables:
            if table.name not in {"hit", "tally", "visitor", "exposure", "day_secret"}:
                rows = sorted(str(tuple(row)) for row in connection.execute(select(table)))
                digest.update(f"{table.name}{rows}".encode())
    return digest.hexdigest()


def grant_key(**where: Any) -> str:
    db.session.rollback()
    return db.session.scalars(select(Grant.key).filter_by(**where).order_by(Grant.id.desc())).first() or ""


def press(client: FlaskClient, key: str, **headers: str) -> TestResponse:
    return client.post(f"/get/{key}", headers=PERSON | headers)


def deliver(**columns: Any) -> None:
    """Let the queued first mails have been handed over."""
    from handsel.db import writing

    with writing() as session:
        for message in session.scalars(select(Message).where(Message.kind.in_(("delivery", "confirm")))):
            message.state, message.sent_at = "sent", columns.get("at", handsel_clock.now())


def test_a_visitor_becomes_a_lead_and_gets_the_file(client: FlaskClient, clock: Any) -> None:
    answer = send(client, first_name="Ann", consent__advice="yes")
    assert answer.status_code == 303
    thanks = client.get(answer.location, headers=PERSON)
    assert "We are sending an e-mail to ann@example.org now." in text(thanks)

    page = client.get(f"/get/{grant_key()}", headers=PERSON)
    assert "PDF" in text(page)
    assert "It works until 9 March 2026 and for 5 more downloads." in text(page)
    file = client.get(press(client, grant_key()).location, headers=PERSON)
    assert file.data.startswith(b"%PDF")

    lead = db.session.scalars(select(Lead)).one()
    assert (lead.first_name, lead.confirmed_at, lead.consent_text) == ("Ann", clock.now, "advice")
    assert [(c.purpose, c.state, c.way) for c in db.session.scalars(select(Consent).order_by(Consent.id))] == [
        ("advice", "given", "form"), ("advice", "confirmed", "download")]
    assert "Your address is confirmed." in text(client.get(answer.location))


def test_the_file_comes_with_the_headers_of_a_gated_file(client: FlaskClient) -> None:
    send(client)
    answer = press(client, grant_key())
    assert answer.status_code == 303
    file = client.get(answer.location)
    assert file.headers["Content-Type"] == "application/pdf"
    assert file.headers["Content-Disposition"].startswith("attachment; filename=")
    assert file.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert file.headers["Referrer-Policy"] == "no-referrer"
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in file.headers["Cache-Control"]
    assert "Set-Cookie" not in file.headers
    part = client.get(answer.location, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.data) == (206, file.data[2:6])
    assert part.headers["Content-Range"] == f"bytes 2-5/{len(file.data)}"
    assert client.get(answer.location, headers={"Range": f"bytes={len(file.data)}-"}).status_code == 416


def test_going_on_with_a_broken_transfer_is_no_second_download(client: FlaskClient, clock: Any) -> None:
    send(client)
    where = press(client, grant_key()).location
    for start in range(0, 40, 10):
        client.get(where, headers={"Range": f"bytes={start}-{start + 9}"})
    clock.move(hours=23)
    assert client.get(where).status_code == 200
    assert db.session.scalars(select(Grant.uses_left)).one() == 4
    assert db.session.scalar(select(func.count()).select_from(Download)) == 1
    clock.move(hours=2)
    assert client.get(where).status_code == 404


def test_a_button_pressed_twice_is_one_download(client: FlaskClient, clock: Any) -> None:
    send(client)
    assert press(client, grant_key()).location == press(client, grant_key()).location
    clock.move(minutes=2)
    press(client, grant_key())
    assert db.session.scalars(select(Grant.uses_left)).one() == 3


def test_fifty_presses_at_once_are_one_download(app: Flask, client: FlaskClient) -> None:
    send(client)
    key = grant_key()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: press(app.test_client(), key).location, range(50)))
    assert len(set(answers)) == 1
    db.session.rollback()
    assert db.session.scalars(select(Grant.uses_left)).one() == 4


def test_a_used_up_link_sends_a_new_one_to_the_same_mailbox(client: FlaskClient, clock: Any) -> None:
    send(client)
    deliver()
    key = grant_key()
    for _ in range(5):
        assert "/get/" in press(client, key).location
        clock.move(minutes=3)
    page = client.get(press(client, key).location)
    assert "This link is used up: it was good for 5 downloads." in text(page)
    assert "ann@example.org" not in page.text
    renewed = client.post(f"/get/{key}/renew")
    assert "A new link is on its way, to the mailbox that this one was sent to." in text(client.get(renewed.location))
    client.post(f"/get/{key}/renew")
    messages = db.session.scalars(select(Message).order_by(Message.id)).all()
    assert [m.state for m in messages] == ["sent", "queued"]
    assert client.get(press(client, grant_key()).location).data.startswith(b"%PDF")


def test_an_expired_link_gives_nothing_and_can_be_renewed(client: FlaskClient, clock: Any) -> None:
    send(client)
    deliver()
    key = grant_key()
    clock.move(days=7, seconds=-1)
    assert "until 9 March 2026" in text(client.get(f"/get/{key}"))
    clock.move(seconds=1)
    assert "This link has run out: it worked until 9 March 2026." in text(client.get(f"/get/{key}"))
    assert press(client, key).location == f"/get/{key}"
    assert db.session.scalars(select(Lead.confirmed_at)).one() is None
    client.post(f"/get/{key}/renew")
    assert grant_key() != key
    press(client, grant_key())
    assert db.session.scalars(select(Lead.confirmed_at)).one() == clock.now


def test_a_good_link_is_not_renewed(client: FlaskClient) -> None:
    send(client)
    deliver()
    client.post(f"/get/{grant_key()}/renew")
    assert db.session.scalar(select(func.count()).select_from(Grant)) == 1


def test_looking_changes_nothing_whoever_looks(app: Flask, client: FlaskClient) -> None:
    thanks = send(client, consent__advice="yes").location
    lead = db.session.scalars(select(Lead.key)).one()
    key = grant_key()
    file = press(client, key).location
    before = fingerprint()
    links = [thanks, f"/get/{key}", file, f"/confirm/{key}", f"/u/{lead}", f"/u/{lead}.advice", f"/preferences/{lead}",
             f"/preferences/{lead}/data", f"/preferences/{lead}/data.json", f"/preferences/{lead}/erase",
             "/get/nonsense", "/u/nonsense", "/offers/guide/", "/offers/guide/thanks/nonsense"]
    for link in links:
        for method in ("GET", "HEAD", "OPTIONS"):
            client.open(link, method=method, headers={"User-Agent": "Barracuda Sentinel (EE)"})
    assert fingerprint() == before


def test_no_public_page_sets_a_cookie(client: FlaskClient) -> None:
    answer = send(client)
    lead = db.session.scalars(select(Lead.key)).one()
    for link in (answer.location, f"/get/{grant_key()}", f"/u/{lead}", f"/preferences/{lead}", "/offers/guide/"):
        assert "Set-Cookie" not in client.get(link).headers, link
    assert "Set-Cookie" not in answer.headers


def test_fifty_equal_posts_all_see_the_same_thank_you_page(app: Flask, client: FlaskClient) -> None:
    token = land(client)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: send(app.test_client(), token=token), range(50)))
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, answers[0].location)}
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Capture)) == 1
    assert db.session.scalar(select(func.count()).select_from(Message)) == 1
    app.extensions["handsel.traffic"].flush()


def test_a_missed_field_is_told_and_every_value_kept(client: FlaskClient) -> None:
    answer = send(client, "not an address", "demo", name="Ann", team_size="small", consent__advice="yes")
    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    assert "There is a problem" in answer.text
    assert "An e-mail address has an @ in it" in text(answer)
    assert 'value="not an address"' in answer.text
    assert 'value="Ann"' in answer.text
    assert re.search(r'value="small"[^>]* selected', answer.text)
    assert re.search(r'name="consent-advice"[^>]* checked', answer.text)
    assert db.session.scalar(select(func.count()).select_from(Lead)) == 0


def test_mending_a_mistake_is_still_the_same_submission(client: FlaskClient) -> None:
    token = land(client)
    wrong = send(client, "", token=token)
    assert token in wrong.text
    assert send(client, token=token).location == send(client, token=token).location


@pytest.mark.parametrize("token", ["", "forged", "A" * 200])
def test_a_form_without_a_genuine_token_comes_back_with_a_new_one(client: FlaskClient, token: str) -> None:
    answer = send(client, token=token, first_name="Ann")
    assert answer.status_code == 422
    assert "Your answers are still here: check them and press the button again." in text(answer)
    fresh = re.search(r'name="form-token"[^>]*value="([^"]+)"', answer.text)
    assert fresh
    assert 'value="Ann"' in answer.text
    assert send(client, token=fresh[1]).status_code == 303


def test_a_form_left_open_over_a_day_runs_out_and_goes_on(client: FlaskClient, clock: Any) -> None:
    token = land(client)
    clock.move(hours=24)
    answer = send(client, token=token)
    assert "This page was open for a long time" in text(answer)
    fresh = re.search(r'name="form-token"[^>]*value="([^"]+)"', answer.text)
    assert fresh
    assert fresh[1] != token
    assert send(client, token=fresh[1]).status_code == 303


def test_a_token_of_one_offer_opens_no_other(client: FlaskClient) -> None:
    assert send(client, slug="demo", token=land(client), name="Ann", team_size="small").status_code == 422


def test_nobody_types_that_fast(client: FlaskClient, clock: Any, project: Path) -> None:
    form = project / "forms" / "short.yml"
    form.write_text(form.read_text().replace("min_seconds: 0", "min_seconds: 2"))
    token = land(client)
    clock.move(seconds=1)
    answer = send(client, token=token)
    assert (answer.status_code, "faster than people usually type" in text(answer)) == (422, True)
    clock.move(seconds=1)
    assert send(client, token=token).status_code == 303


def test_a_filled_honeypot_waits_for_a_person(client: FlaskClient) -> None:
    answer = send(client, **{"your-website": "http://spam.example"})
    assert "a person here looks at your request" in text(client.get(answer.location))
    assert db.session.scalars(select(Capture.quarantine)).one() == "honeypot"
    assert db.session.scalar(select(func.count()).select_from(Message)) == 0


def test_a_throw_away_address_is_quarantined_as_the_form_says(client: FlaskClient) -> None:
    send(client, "ann@mailinator.com")
    assert db.session.scalars(select(Capture.quarantine)).one() == "disposable"


def test_a_crowd_behind_one_address_is_asked_to_wait_with_its_values_kept(make_app: Any) -> None:
    app = make_app(RATE_LIMITS="on")
    client = app.test_client()
    tokens = [land(client) for _ in range(42)]
    answers = [send(client, f"p{number}@example.org", token=token) for number, token in enumerate(tokens)]
    assert [answer.status_code for answer in answers[:40]] == [303] * 40
    assert (answers[41].status_code, answers[41].headers["Retry-After"]) == (429, "60")
    assert "please wait a minute, then press the button again" in text(answers[41])
    assert 'value="p41@example.org"' in answers[41].text


@pytest.mark.parametrize("email", ["ann@example.org", "ann+guide@example.org"])
def test_fifty_equal_forms_at_once_are_one_however_strict_the_limits(make_app: Any, email: str) -> None:
    app = make_app(RATE_LIMITS="on")
    token = land(app.test_client())
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: send(app.test_client(), email, token=token), range(50)))
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, answers[0].location)}
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Capture)) == 1


def test_a_newsletter_with_a_box_needs_it_ticked(client: FlaskClient, project: Path) -> None:
    form = project / "forms" / "newsletter.yml"
    form.write_text(form.read_text().replace("wording/newsletter-button.md, by: button", "wording/newsletter.md"))
    answer = send(client, slug="newsletter")
    assert (answer.status_code, "Tick the box if you want the letter" in text(answer)) == (422, True)
    send(client, slug="newsletter", consent__newsletter="yes")
    assert [message.kind for message in db.session.scalars(select(Message))] == ["confirm"]


def test_the_newsletter_needs_a_proven_mailbox(client: FlaskClient, clock: Any) -> None:
    send(client, slug="newsletter")
    key = grant_key()
    page = client.get(f"/confirm/{key}")
    assert "Is this your address?" in text(page)
    assert db.session.scalars(select(Lead.consent_text)).one() == ""
    done = client.get(client.post(f"/confirm/{key}").location)
    assert "Your address is confirmed" in text(done)
    lead = db.session.scalars(select(Lead)).one()
    assert (lead.consent_text, lead.confirmed_at) == ("newsletter", clock.now)


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


def test_a_question_for_some_says_whom_it_is_for_and_takes_no_answer_of_others(client: FlaskClient) -> None:
    page = client.get("/offers/demo/", headers=PERSON)
    assert "Only if “How many readers?” is “More than 10”. Optional." in text(page)
    send(client, "small@example.org", slug="demo", name="Ann", team_size="small", seats="20", company="Real Books")
    send(client, "large@example.org", slug="demo", name="Bea", team_size="large", seats="20", company="Real Books")
    seats = {capture.email: capture.answers.get("seats") for capture in db.session.scalars(select(Capture))}
    assert seats == {"small@example.org": None, "large@example.org": 20}


def test_a_proven_answer_is_never_overwritten_by_a_claim(client: FlaskClient, clock: Any) -> None:
    send(client, slug="demo", name="Ann", team_size="small", company="Real Books")
    client.post(f"/confirm/{grant_key()}")
    clock.move(minutes=11)
    send(client, slug="demo", name="Mallory", team_size="small", company="Fake Books", phone="0113 496 0000")
    lead = db.session.scalars(select(Lead)).one()
    assert (lead.name, lead.company, lead.phone) == ("Ann", "Real Books", "")
    first = db.session.scalars(select(Grant.key).order_by(Grant.id)).first()
    client.post(f"/confirm/{first}")
    db.session.rollback()
    assert (lead.name, lead.company) == ("Ann", "Real Books")
    client.post(f"/confirm/{grant_key()}")
    db.session.rollback()
    assert (lead.name, lead.company, lead.phone) == ("Mallory", "Fake Books", "0113 496 0000")


def test_a_likely_slip_is_offered_and_one_press_mends_it(client: FlaskClient) -> None:
    thanks = send(client, "ann@gmial.com").location
    page = client.get(thanks)
    assert "Did you mean ann@gmail.com" in text(page)
    client.post(f"{thanks}/address", data={"email": "ann@gmail.com"})
    assert list(db.session.scalars(select(Lead.email))) == ["ann@gmail.com"]
    assert "Did you mean" not in text(client.get(thanks))


def test_a_worn_out_link_says_when_it_can_be_renewed(client: FlaskClient, clock: Any) -> None:
    for _ in range(3):
        send(client, first_name=f"Ann {_}")
        clock.move(minutes=11)
    deliver(at=clock.now)
    key = grant_key()
    for _ in range(6):
        press(client, key)
        clock.move(minutes=2)
    page = text(client.get(f"/get/{key}"))
    assert "Three e-mails went to that mailbox within a day" in page
    assert "You can ask for a new link tomorrow at 12:00." in page
    assert "Send me a new link" not in page


@pytest.mark.parametrize("key", [
    "%00", "x" * 5000, "%ff%fe", "'; DROP TABLE lead; --", "../../etc/passwd", "a" * 22, "..%2f..",
    "%F0%9F%8E%81", "\u202e",
])
def test_whatever_stands_in_the_place_of_a_key_is_nobodys(client: FlaskClient, key: str) -> None:
    for link in (f"/get/{key}", f"/confirm/{key}", f"/preferences/{key}", f"/offers/guide/thanks/{key}",
                 f"/get/{key}/{key}/x.pdf", f"/get/{'a' * 22}/{key}/x.pdf"):
        assert client.get(link).status_code in {404, 308}, link
        assert client.post(link).status_code in {404, 405}, link
    assert client.post(f"/u/{key}", data={"List-Unsubscribe": "One-Click"}).status_code in {200, 405}


def test_a_quarantined_capture_goes_on_its_way_when_a_person_lets_it(client: FlaskClient, clock: Any) -> None:
    from handsel.db import writing
    from handsel.leads.held import release

    send(client, consent__advice="yes", **{"your-website": "x"})
    clock.move(hours=2)
    for expected in (True, False):
        with writing() as session:
            assert release(session, session.scalars(select(Capture)).one(), clock.now) is expected
    due = {message.step: message.due_at for message in db.session.scalars(select(Message))}
    assert due["00-delivery"] == clock.now
    press(client, grant_key())
    assert db.session.scalars(select(Lead.consent_text)).one() == "advice"


def test_correcting_a_throw_away_address_sends_the_mail(client: FlaskClient) -> None:
    thanks = send(client, "ann@mailinator.com").location
    client.post(f"{thanks}/address", data={"email": "ann@example.org"})
    assert "We are sending an e-mail to ann@example.org" in text(client.get(thanks))
