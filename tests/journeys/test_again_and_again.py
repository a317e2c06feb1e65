"""The same form many times: twice, reloaded, fifty at once, with another address, and asked for again."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from playwright.sync_api import expect

from support.ledger import Ledger
from support.people import Hands
from support.running import Site
from support.smtp import FaultyServer
from support.web import Answer, Web

GUIDE = "/offers/guide/"
_number = count(1)


def fresh_address() -> str:
    return f"again{next(_number)}@example.org"


def is_one_of_each(ledger: Ledger, mailbox: FaultyServer, email: str) -> None:
    """One lead, one capture, one mail, and nothing that would become a second one."""
    mailbox.wait(1, to=email)
    ledger.become(email, {"00-delivery": "sent"})
    assert ledger.count("lead", "email = ?", email) == 1
    assert ledger.count("capture", "email = ?", email) == 1
    assert ledger.count("message", "lead_id = (SELECT id FROM lead WHERE email = ?)", email) == 1
    assert len(mailbox.to(email)) == 1


def test_a_double_click_and_reloads_are_one_capture(
        site: Site, mailbox: FaultyServer, ledger: Ledger, come: Callable[..., Hands]) -> None:
    person, email = come("no scripts"), fresh_address()
    page = person.page
    page.goto(site.url + GUIDE)
    person.fill("E-mail", email)

    page.get_by_role("button", name="E-mail me the guide").first.dblclick()
    person.sees_heading("Your guide is on its way")
    page.reload()
    is_one_of_each(ledger, mailbox, email)

    page.go_back()  # a fresh page with a fresh form: a second capture, and still one lead with one mail
    person.fill("E-mail", email)
    person.press("E-mail me the guide")
    person.sees("An e-mail went out")
    assert ledger.count("lead", "email = ?", email) == 1
    assert ledger.letters(email) == {"00-delivery": "sent"}
    assert len(mailbox.to(email)) == 1


def test_fifty_at_once_are_one_capture_and_everyone_is_thanked(
        site: Site, mailbox: FaultyServer, ledger: Ledger) -> None:
    email = fresh_address()
    landing = Web(site.url).get(GUIDE)
    fields = landing.form("form-token").filled(email=email)

    def send(_: int) -> tuple[Answer, Answer]:
        web = Web(site.url)
        answer = web.post(GUIDE, fields)
        return answer, web.follow(answer)

    with ThreadPoolExecutor(50) as crowd:
        answers = list(crowd.map(send, range(50)))

    assert {answer.status for answer, _ in answers} == {303}
    assert len({answer.location for answer, _ in answers}) == 1
    assert {thanks.status for _, thanks in answers} == {200}
    assert all("Your guide is on its way" in thanks.text for _, thanks in answers)
    is_one_of_each(ledger, mailbox, email)


def test_fifty_people_at_once_are_fifty(site: Site, mailbox: FaultyServer, ledger: Ledger) -> None:
    emails = [fresh_address() for _ in range(50)]
    landing = Web(site.url).get(GUIDE)

    def send(email: str) -> int:
        web = Web(site.url)
        return web.send(landing, web.get(GUIDE).form("form-token"), email=email).status

    with ThreadPoolExecutor(50) as crowd:
        assert set(crowd.map(send, emails)) == {303}

    for email in emails:
        is_one_of_each(ledger, mailbox, email)


def test_a_wrong_address_is_mended_without_a_second_lead(
        site: Site, mailbox: FaultyServer, ledger: Ledger, come: Callable[..., Hands]) -> None:
    person, wrong, right = come("phone"), fresh_address(), fresh_address()
    page = person.page
    page.goto(site.url + GUIDE)
    person.fill("E-mail", wrong)
    person.fill("First name", "Ann")
    person.tick("Yes, send me three letters")
    person.press("E-mail me the guide")
    (first,) = mailbox.wait(1, to=wrong)

    person.open("Wrong address?")
    person.fill("Your e-mail address", "not an address")
    person.press("Send it there instead")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Your e-mail address")).to_have_value("not an address")
    person.fill("Your e-mail address", right)
    person.press("Send it there instead")
    person.sees(right)

    (second,) = mailbox.wait(1, to=right)
    assert ledger.rows("SELECT lead.email, capture.email FROM capture JOIN lead ON lead.id = lead_id "
                       "WHERE capture.email IN (?, ?)", wrong, right) == [(right, right)]
    assert ledger.count("lead", "email = ?", wrong) == 0
    web = Web(site.url)
    old, new = (re.findall(r"http\S+/get/\S+", mail.text)[0] for mail in (first, second))
    web.post(old)
    assert "was corrected" in web.get(old).text
    assert ledger.count("capture", "email = ? AND proven_at IS NULL", right) == 1
    assert web.follow(web.post(new)).headers.get_content_type() == "application/pdf"
    assert ledger.count("capture", "email = ? AND proven_at IS NOT NULL", right) == 1


def test_the_mail_can_be_asked_for_again_after_a_minute(
        site: Site, mailbox: FaultyServer, ledger: Ledger, come: Callable[..., Hands]) -> None:
    person, email = come("no scripts"), fresh_address()
    page = person.page
    page.goto(site.url + GUIDE)
    person.fill("E-mail", email)
    person.press("E-mail me the guide")
    mailbox.wait(1, to=email)
    ledger.become(email, {"00-delivery": "sent"})
    page.reload()
    expect(page.get_by_role("button", name="Send it again")).to_have_count(0)
    web = Web(site.url)
    web.post(page.url + "/again")
    assert ledger.count("message", "lead_id = (SELECT id FROM lead WHERE email = ?)", email) == 1

    site.move_clock(seconds=61)
    page.reload()
    person.press("Send it again")
    site.move_clock(minutes=10)

    first, second = mailbox.wait(2, to=email)
    assert first.id != second.id
    for mail in (first, second):
        (address,) = re.findall(r"http\S+/get/\S+", mail.text)
        assert web.get(address).status == 200
    assert ledger.count("capture", "email = ?", email) == 1
