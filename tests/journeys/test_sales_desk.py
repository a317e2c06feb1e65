"""An ordinary Tuesday: a seller on a phone goes from the alert to the next step, a marketer sees which offer was worth
it, and the person sees what all of them wrote down, and erases it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from support.ledger import Ledger
from support.people import Hands
from support.running import COMMAND, Site
from support.smtp import FaultyServer
from support.web import Web

ASKED = {"name": "Bea Marsh", "company": "Leeds Library", "job_title": "Librarian", "phone": "+44 113 496 0000",
         "country": "United Kingdom", "team_size": "large", "seats": "40", "consent-advice": "yes"}
NAMES = {"sales": "Sara Seller", "marketer": "Mara Market"}


@pytest.fixture(scope="module")
def entries(site: Site) -> dict[str, str]:
    """The sign-in links of a seller and a marketer, by role."""
    return {role: _add(site, role, name) for role, name in NAMES.items()}


def _add(site: Site, role: str, name: str) -> str:
    told = subprocess.run([sys.executable, "-c", COMMAND, "--project", str(site.project), "user", "add",
                           f"{role}@press.example", "--role", role, "--name", name],
                          env=site.environ, capture_output=True, text=True, check=True).stdout
    found = re.search(r"https?://\S+/desk/enter/\S+", told)
    assert found, told
    return found.group()


def ask_for_a_demo(site: Site, mailbox: FaultyServer, email: str) -> None:
    """Somebody asks for a demo and proves the mailbox."""
    web = Web(site.url)
    landing = web.get("/offers/demo/")
    assert web.send(landing, landing.form("form-token"), email=email, **ASKED).status == 303
    web.post(link(mailbox.wait(1, to=email)[0].text, "/confirm/"))


def link(text: str, path: str, among: str = r"[\w.-]+") -> str:
    """The one address below ``path`` in a mail."""
    (found,) = set(re.findall(rf"http://[^\s<>\"]+{path}{among}", text))
    return str(found)


def enter(person: Hands, address: str) -> None:
    """Come into the desk by a sign-in link."""
    person.page.goto(address)
    person.press("Sign in")
    person.page.wait_for_url("**/desk/password")


def test_from_the_alert_on_a_phone_to_the_next_step_the_sale_and_the_erasure(
        site: Site, mailbox: FaultyServer, ledger: Ledger, entries: dict[str, str],
        come: Callable[..., Hands]) -> None:
    email = "bea@library.example"
    ask_for_a_demo(site, mailbox, email)
    alert = mailbox.wait(1, to="sales@press.example")[0]
    assert "Bea Marsh" in alert.message["Subject"]
    assert "asked for “A demo of the reading room”" in alert.text

    seller = come("phone")
    accepts(seller, link(alert.text, "/hand-off/", r"[\w-]+\.\d+\.a\.[\w.-]+"), ledger)
    enter(seller, entries["sales"])
    finds_whom_to_call(seller)
    calls_and_sets_the_next_step(seller)
    writes(seller)
    mail = mailbox.wait(2, to=email)[-1]
    assert (mail.message["Subject"], mail.message["Reply-To"]) == (
        "Forty seats", "sales@press.example")
    sells(seller, f"{site.url}/desk/leads/{ledger.value('SELECT id FROM lead WHERE email = ?', email)}")

    marketer = come("phone")
    enter(marketer, entries["marketer"])
    marketer.page.goto(f"{site.url}/desk/offers")
    marketer.open("Which were worth it")
    marketer.sees_heading("Which offers were worth it")
    demo = marketer.page.get_by_role("row").filter(has_text="A demo of the reading room")
    expect(demo.locator("td").filter(visible=True)).to_contain_text(["1", "1", "1", "1", "0", "100", "1", "1,200.00"])

    sees_and_erases(come("no scripts"), link(mail.text, "/preferences/"), email)
    assert [ledger.count(table) for table in ("lead", "handoff", "activity", "task", "stage_change")] == [0] * 5
    seller.page.goto(f"{site.url}/desk/")
    seller.sees("Nobody waits for a call from you.")
    expect(seller.page.get_by_role("main")).not_to_contain_text("Bea Marsh")


def accepts(seller: Hands, address: str, ledger: Ledger) -> None:
    """Without signing in, on the page behind the mail's link, which decides nothing by being looked at."""
    seller.page.goto(address)
    seller.sees("Bea Marsh")
    assert ledger.value("SELECT state FROM handoff") == "open"
    seller.press("Accept this lead")
    seller.sees_heading("This lead is yours")


def finds_whom_to_call(seller: Hands) -> None:
    """On Home, with the reason and the number; then the lead's page, which begins with them."""
    page = seller.page
    page.get_by_role("navigation", name="Desk").get_by_role("link", name="Home").click()
    call = page.get_by_role("article").filter(has_text="Bea Marsh")
    expect(call).to_contain_text("Asked for “A demo of the reading room”.")
    expect(call).to_contain_text("Accepted")
    expect(call.get_by_role("link", name="Call Bea Marsh")).to_have_attribute("href", "tel:+441134960000")
    call.get_by_role("link", name="Bea Marsh", exact=True).click()
    seller.sees("Sara Seller accepted the lead")
    expect(page.get_by_role("main")).not_to_contain_text("sales@press.example accepted")
    expect(page.get_by_role("link", name="Call +44 113 496 0000")).to_have_attribute("href", "tel:+441134960000")


def calls_and_sets_the_next_step(seller: Hands) -> None:
    """What was said is put down, what comes next is set, and the mails alone are asked for."""
    page = seller.page
    page.get_by_role("region", name="Put something down").get_by_text("Call", exact=True).click()
    page.get_by_label("We spoke").check()
    seller.fill("What was said?", "Wants forty seats before Easter.")
    seller.press("Put the call down")
    seller.sees("Wants forty seats before Easter.")
    seller.fill("What is to be done?", "Send the offer")
    seller.press("Set the task")
    seller.sees("Set. You are reminded by mail when it is due.")
    expect(page.get_by_role("main")).to_contain_text("Send the offer")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.get_by_role("link", name="Mails").click()
    story = page.get_by_role("region", name="What happened")
    expect(story).to_contain_text("Confirmation: Your demo of the reading room")
    expect(story).not_to_contain_text("Wants forty seats")


def writes(seller: Hands) -> None:
    """By the button at the top, which opens the form further down."""
    seller.open("Mail bea@library.example")
    seller.fill("Subject", "Forty seats")
    seller.fill("Text", "Hello Bea,\n\nhere is what we spoke about.")
    seller.press("Send")
    seller.sees("On its way.")


def sells(seller: Hands, address: str) -> None:
    seller.page.goto(address)
    seller.open("Move it, or put down a sale")
    seller.page.get_by_label("A sale, in").fill("1200")
    seller.press("Put it down")
    seller.sees("Customer")


def sees_and_erases(person: Hands, address: str, email: str) -> None:
    """By the link in the mail: all that is held, what sellers noted too, and then none of it."""
    person.page.goto(address)
    person.open("See and correct what we hold about you")
    file, _ = person.take("as JSON")
    told = json.loads(Path(file.path()).read_text())
    assert told["lead"]["email"] == email
    assert "Wants forty seats before Easter." in json.dumps(told)
    person.open("Back")
    person.open("Erase everything about you")
    person.press("Erase everything")
    person.sees_heading("Everything about you is erased")
