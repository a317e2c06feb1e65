"""A visitor's whole way: a form that is mended, the mail, the file, the letters, and leaving."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import expect

from support.ledger import Ledger
from support.people import Hands
from support.running import Site, wait_until
from support.smtp import FaultyServer, Received
from support.web import Web

GUIDE = "/offers/guide/"
_number = count(1)


def fresh_address() -> str:
    return f"visitor{next(_number)}@example.org"


def link(mail: Received, path: str) -> str:
    """The address below ``path`` that both parts of a mail have."""
    (found,) = set(re.findall(rf"http://[^\s<>\"]+{path}[\w.-]+", mail.text))
    assert f'href="{found}"' in mail.html, f"{found} is not in the HTML part"
    return found


def fill_in(person: Hands, email: str) -> None:
    """Ask for the guide and for the letters that follow it."""
    person.fill("E-mail", email)
    person.fill("First name", "Ann")
    person.tick("Yes, send me three letters")
    person.press("E-mail me the guide")
    person.sees_heading("Your guide is on its way")


def ask(web: Web, email: str, **typed: str | None) -> Web:
    """The same without a browser."""
    landing, typed = web.get(GUIDE), {"email": email, "consent-advice": "yes"} | typed
    thanks = web.follow(web.send(landing, landing.form("form-token"), **typed))
    assert thanks.status == 200, thanks.text
    return web


def is_one_mail_to(mail: Received, email: str, subject: str) -> None:
    """One recipient, in the envelope and in the one To header; two parts, text first; nothing broken."""
    message = mail.message
    assert (mail.recipient, message.get_all("To")) == (email, [email])
    assert message["Subject"] == subject
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert [defect for part in message.walk() for defect in part.defects] == []
    assert all(len(line) <= 998 for line in mail.data.split(b"\r\n"))


@pytest.mark.parametrize("way", ["scripts", "no scripts", "phone", "keyboard"])
def test_a_visitor_mends_the_form_gets_the_guide_and_letters_and_leaves(
        way: str, site: Site, mailbox: FaultyServer, ledger: Ledger, come: Callable[..., Hands]) -> None:
    person, email = come(way), fresh_address()
    page = person.page

    page.goto(site.url + GUIDE)
    shown = page.get_by_role("heading", level=1).inner_text()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(shown)

    person.fill("First name", "Ann")
    person.press("E-mail me the guide")
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.get_by_role("heading", level=1)).to_have_text(shown)
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("There is a problem")
    expect(summary).to_be_focused()
    expect(page.get_by_label("First name", exact=True).first).to_have_value("Ann")
    field = page.get_by_label("E-mail", exact=True).first
    expect(field).to_have_attribute("aria-invalid", "true")
    words = summary.get_by_role("link").inner_text()
    expect(page.locator(f"#{field.get_attribute('aria-describedby').split()[-1]}")).to_have_text(words)
    person.open(words)
    expect(field).to_be_focused()

    fill_in(person, email)
    person.sees(email)
    (mail,) = mailbox.wait(1, to=email)
    is_one_mail_to(mail, email, "Your guide to finishing books")
    assert "Hello Ann," in mail.text
    assert "Hello Ann," in mail.html
    assert "List-Unsubscribe" not in mail.message

    page.goto(link(mail, "/get/"))
    person.sees("PDF")
    file, answer = person.take("Get your e-book")
    assert Path(file.path()).read_bytes() == (site.project / "offers/guide/guide.pdf").read_bytes()
    assert file.suggested_filename == "The small guide to finishing books.pdf"
    headers = answer.all_headers()
    assert headers["content-type"] == "application/pdf"
    assert headers["content-disposition"] == 'attachment; filename="The small guide to finishing books.pdf"'
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert "noindex" in headers["x-robots-tag"]
    assert "no-store" in headers["cache-control"]

    site.move_clock(days=2)
    first = mailbox.wait(2, to=email)[-1]
    is_one_mail_to(first, email, "Ann, have you begun?")
    site.move_clock(days=3)
    second = mailbox.wait(3, to=email)[-1]
    is_one_mail_to(second, email, "Stop at a full stop")

    page.goto(link(second, "/u/"))
    assert ledger.letters(email)["03-leave"] == "queued"
    person.press("Stop all letters" if way == "keyboard" else "Stop “Tips that follow a download”")
    person.sees_heading("You are unsubscribed")
    ledger.become(email, {"00-delivery": "sent", "01-begin": "sent", "02-stop": "sent", "03-leave": "cancelled"})


@pytest.mark.parametrize("multipart", [False, True], ids=["urlencoded", "multipart"])
def test_one_click_ends_the_letters_at_once(multipart: bool, site: Site, mailbox: FaultyServer, ledger: Ledger) -> None:
    leaves, stays = fresh_address(), fresh_address()
    for email in (leaves, stays):
        web = ask(Web(site.url), email)
        web.post(link(mailbox.wait(1, to=email)[0], "/get/"))
    site.move_clock(days=2)
    letter = mailbox.wait(2, to=leaves)[-1]
    mailbox.wait(2, to=stays)
    assert letter.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = re.fullmatch(r"<(http\S+)>", letter.message["List-Unsubscribe"])
    assert address
    assert address[1] == link(letter, "/u/")

    program = Web(site.url, User_Agent="Mail program")
    looked = [program.get(address[1]), program.head(address[1])]
    assert [answer.status for answer in looked] == [200, 200]
    assert ledger.letters(leaves)["02-stop"] == "queued"
    for _ in range(2):
        answer = program.post(address[1], [("List-Unsubscribe", "One-Click")], multipart)
        assert (answer.status, answer.headers["Set-Cookie"], answer.headers["Location"]) == (200, None, None)

    ledger.become(leaves, {"00-delivery": "sent", "01-begin": "sent", "02-stop": "cancelled", "03-leave": "cancelled"})
    site.move_clock(days=3)
    assert mailbox.wait(3, to=stays)[-1].message["Subject"] == "Stop at a full stop"
    site.move_clock(days=4)
    assert mailbox.wait(4, to=stays)[-1].message["Subject"] == "Leave the dull ones"
    assert len(mailbox.to(leaves)) == 2


def test_without_the_button_no_letter_comes(site: Site, mailbox: FaultyServer, ledger: Ledger) -> None:
    proven, unproven = fresh_address(), fresh_address()
    web = ask(Web(site.url), unproven)
    ask(web, proven)
    web.get(link(mailbox.wait(1, to=unproven)[0], "/get/"))
    web.post(link(mailbox.wait(1, to=proven)[0], "/get/"))

    site.move_clock(days=2)

    mailbox.wait(2, to=proven)
    wait_until(lambda: ledger.value("SELECT reason FROM message JOIN lead ON lead.id = lead_id WHERE email = ? "
                                    "AND step = '01-begin'", unproven), why="the letter was looked at")
    assert len(mailbox.to(unproven)) == 1


def test_without_the_box_no_letter_is_even_queued(site: Site, mailbox: FaultyServer, ledger: Ledger) -> None:
    email = fresh_address()
    ask(Web(site.url), email, **{"consent-advice": None})
    mailbox.wait(1, to=email)
    ledger.become(email, {"00-delivery": "sent"})


def test_a_person_sees_takes_along_and_erases_what_is_held(
        site: Site, mailbox: FaultyServer, ledger: Ledger, come: Callable[..., Hands]) -> None:
    person, email = come("no scripts"), fresh_address()
    page = person.page
    page.goto(site.url + GUIDE)
    fill_in(person, email)
    token = link(mailbox.wait(1, to=email)[0], "/get/")
    Web(site.url).post(token)
    site.move_clock(days=2)
    letter = mailbox.wait(2, to=email)[-1]

    page.goto(link(letter, "/preferences/"))
    expect(page.get_by_label("Tips that follow a download")).to_be_checked()
    expect(page.get_by_label("The monthly letter")).not_to_be_checked()
    person.open("See and correct what we hold about you")
    person.sees(email)
    expect(page.get_by_label("First name")).to_have_value("Ann")
    file, _ = person.take("as JSON")
    told = json.loads(Path(file.path()).read_text())
    assert told["lead"]["email"] == email
    assert {row["purpose"] for row in told["consent"]} == {"advice"}
    assert [len(told[table]) for table in ("capture", "download", "message")] == [1, 1, 4]

    person.open("Back")
    person.open("Erase everything about you")
    person.press("Erase everything")
    person.sees_heading("Everything about you is erased")
    assert ledger.count("lead", "email = ?", email) == 0
    assert Web(site.url).get(link(letter, "/preferences/")).status == 404
    assert Web(site.url).post(token).status == 404
    assert Web(site.url).post(link(letter, "/u/")).status == 200
    for part in (site.project / "instance").rglob("*"):
        assert not part.is_file() or email.encode() not in part.read_bytes(), f"{part} still holds the address"


def test_leaving_by_the_preferences_page_holds_too(
        site: Site, mailbox: FaultyServer, ledger: Ledger, come: Callable[..., Hands]) -> None:
    person, email = come("keyboard"), fresh_address()
    ask(Web(site.url), email)
    token = link(mailbox.wait(1, to=email)[0], "/get/")
    Web(site.url).post(token)
    site.move_clock(days=2)
    person.page.goto(link(mailbox.wait(2, to=email)[-1], "/preferences/"))

    person.press("Unsubscribe from all")

    person.sees("Saved.")
    assert ledger.letters(email)["02-stop"] == ledger.letters(email)["03-leave"] == "cancelled"
