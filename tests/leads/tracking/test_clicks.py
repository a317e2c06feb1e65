"""Links of letters: followed for those who agreed to it, and untouched for all others."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from factories import make_consent, make_lead, make_message
from handsel.db import db, writing
from handsel.leads.consents import Way
from handsel.leads.models import Lead
from handsel.leads.tracking.models import LetterClick
from handsel.leads.unsubscribe import unsubscribe
from handsel.mail.compose import Draft
from handsel.mail.models import Message
from handsel.merge import Merge
from handsel.traffic.models import Hit
from handsel.worker.deliver import deliver_due
from handsel.worker.following import followed
from support.clock import Clock
from support.funnel import CHROME
from support.letters import a_letter, lead_of

PERSON = {"User-Agent": CHROME}


def html_of(mail: Any) -> str:
    part = mail.message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def clicks(app: Flask) -> list[tuple[Any, ...]]:
    app.extensions["handsel.traffic"].flush()
    db.session.rollback()
    rows = db.session.execute(select(LetterClick.lead_id, LetterClick.offer, LetterClick.step, LetterClick.path))
    return [tuple(row) for row in rows]


def test_links_to_our_pages_are_followed_for_who_agreed_to_be_recognised(posting: Flask, smtp: Any) -> None:
    plain, agreed = a_letter("ada@example.org"), a_letter("bea@example.org")
    make_consent(lead_of(agreed), "recognition")

    deliver_due(posting)

    mails = {mail.recipient: mail for mail in smtp.wait(2)}
    links = {who: re.findall(r'href="([^"]+)"', html_of(mail)) for who, mail in mails.items()}
    assert "http://localhost/blog/first-post/" in links["ada@example.org"]
    assert not any("/go/" in link for link in links["ada@example.org"])
    assert f"http://localhost/go/{agreed.key}/blog/first-post/" in links["bea@example.org"]
    doors = [link for link in links["bea@example.org"] if "/u/" in link or "/preferences/" in link]
    assert len(doors) == 2
    assert not any("/go/" in link for link in doors)
    assert plain.key not in html_of(mails["ada@example.org"])
    assert "/go/" not in mails["bea@example.org"].message.get_body(("plain",)).get_content()


def test_a_click_leads_on_and_is_the_leads(posting: Flask) -> None:
    letter = a_letter()
    make_consent(lead_of(letter), "recognition")

    answer = posting.test_client().get(f"/go/{letter.key}/blog/first-post/?utm_source=letter", headers=PERSON)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/blog/first-post/?utm_source=letter")
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert clicks(posting) == [(letter.lead_id, "guide", "01-begin", "/blog/first-post/")]
    hit = db.session.scalars(select(Hit)).one()
    assert (hit.kind, hit.path, hit.source) == ("click", "/blog/first-post/", "letter")


@pytest.mark.parametrize("headers", [
    {"Sec-GPC": "1"}, {"DNT": "1"}, {"User-Agent": "Mozilla/5.0 (compatible; bingbot/2.0)"}, {"User-Agent": "curl/8"}])
def test_robots_and_who_asks_not_to_be_followed_are_led_on_and_not_noted(
        posting: Flask, headers: dict[str, str]) -> None:
    letter = a_letter()
    make_consent(lead_of(letter), "recognition")

    answer = posting.test_client().get(f"/go/{letter.key}/privacy/", headers=PERSON | headers)

    assert answer.headers["Location"] == "/privacy/"
    assert clicks(posting) == []


def test_a_head_is_no_click_and_two_at_once_are_one(posting: Flask) -> None:
    letter = a_letter()
    make_consent(lead_of(letter), "recognition")
    client = posting.test_client()

    client.head(f"/go/{letter.key}/privacy/", headers=PERSON)
    for _ in range(3):
        client.get(f"/go/{letter.key}/privacy/", headers=PERSON)

    assert len(clicks(posting)) == 1


def test_a_link_goes_on_working_when_the_consent_or_the_letter_is_gone(posting: Flask, clock: Clock) -> None:
    letter = a_letter()
    lead = lead_of(letter)
    make_consent(lead, "recognition")
    with writing() as session:
        unsubscribe(session, session.get_one(Lead, lead.id), "recognition", Way("preferences"), clock.now)
    client = posting.test_client()

    first = client.get(f"/go/{letter.key}/privacy/", headers=PERSON)
    with writing() as session:
        session.delete(session.get_one(Message, letter.id))
    second = client.get(f"/go/{letter.key}/privacy/", headers=PERSON)
    third = client.get("/go/nobody/privacy/", headers=PERSON)

    assert {answer.headers["Location"] for answer in (first, second, third)} == {"/privacy/"}
    assert clicks(posting) == []


def test_who_only_ticked_the_box_is_not_followed(posting: Flask) -> None:
    lead = make_lead()
    make_consent(lead, "recognition", state="given")
    letter = make_message(lead)

    posting.test_client().get(f"/go/{letter.key}/privacy/", headers=PERSON)

    assert clicks(posting) == []


@pytest.mark.parametrize("path", [
    "//evil.example/", "/%2F%2Fevil.example/", "/%5C%5Cevil.example/", "/%5Cevil.example", "/https://evil.example/",
    "/%0D%0ALocation:%20https://evil.example", "/@evil.example", "/.evil.example/?next=//evil.example", "/", "/ä/ö"])
def test_no_link_leads_to_another_site(posting: Flask, path: str) -> None:
    client = posting.test_client()
    answer = client.get(f"/go/{'k' * 22}{path}", headers=PERSON)
    while answer.headers.get("Location", "").startswith(("/go/", "http://localhost/go/")):
        answer = client.get(answer.headers["Location"], headers=PERSON)

    target = answer.headers.get("Location", "")
    assert answer.status_code == (302 if target else 404)
    assert re.match(r"(/(?![/\\])[!-~]*)?\Z", target), target


def test_what_people_read_stays_as_it_is() -> None:
    draft = Draft("letter", ("Hello",), (
        '<p>See <a href="', Merge("site_url"), '/blog/">', Merge("site_url"), '</a>, <a href="', Merge("landing_url"),
        '">the guide</a>, <a href="https://press.example/x/?a=1">x</a>, <a href="https://press.example.evil/">y</a> '
        'and <a href="', Merge("get_url"), '">get it</a> at https://press.example/.</p>'), ("text",))

    assert followed(draft, "https://press.example").html == (
        '<p>See <a href="', Merge("click_url"), '/blog/">', Merge("site_url"), '</a>, <a href="',
        Merge("click_landing_url"), '">the guide</a>, <a href="', Merge("click_url"),
        '/x/?a=1">x</a>, <a href="https://press.example.evil/">y</a> and <a href="', Merge("get_url"),
        '">get it</a> at https://press.example/.</p>')
