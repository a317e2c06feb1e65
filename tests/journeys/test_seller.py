"""A seller's morning: let in by the owner, a lead is found and read, and all leads go home as a file."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, expect

from support.people import Hands
from support.running import Site
from support.smtp import FaultyServer
from support.web import Web

PASSWORD = "quiet harbour seven lanterns"
DEMO = {"email": "bea@library.example", "name": "Bea Marsh", "company": "Leeds Library", "job_title": "Librarian",
        "phone": "+44 113 496 0000", "country": "United Kingdom", "team_size": "large", "seats": "40",
        "wishes": "The shelf for “small” books", "consent-advice": "yes"}
COLUMNS = ["email", "name", "company", "job_title", "phone", "country", "stage", "score", "owner", "tags", "offers",
           "source", "captured_at", "confirmed_at", "consent"]
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture(scope="module")
def leads(site: Site, mailbox: FaultyServer) -> None:
    """Two people have asked: one for a demo, from a campaign, and one for the guide."""
    for path, typed in (("/offers/demo/?utm_source=post&utm_campaign=spring", DEMO),
                        ("/offers/guide/", {"email": "carl@example.org"})):
        web = Web(site.url)
        landing = web.get(path)
        assert web.send(landing, landing.form("form-token"), **typed).status == 303
        mailbox.wait(1, to=typed["email"])


@pytest.fixture(scope="module")
def accounts(site: Site, mailbox: FaultyServer, browser: Browser) -> None:
    """The owner comes in by the link from the console and sends a seller and a marketer theirs; they set passwords."""
    owner = Hands(browser.new_context(java_script_enabled=False).new_page())
    page = owner.page
    page.goto(site.sign_in)
    owner.sees("It works once.")
    owner.press("Sign in")
    owner.fill("Your e-mail address", "olga@press.example")
    owner.fill("New password", "short")
    owner.press("Set password")
    expect(page.get_by_role("alert")).to_be_focused()
    owner.sees("Use 12 characters or more.")
    owner.fill("New password", PASSWORD)
    owner.press("Set password")
    owner.sees_heading("Home")
    page.goto(site.sign_in)
    owner.sees_heading("This link is used up")

    for role in ("sales", "marketer"):
        email = f"{role}@press.example"
        page.goto(f"{site.url}/desk/accounts")
        owner.fill("E-mail address", email)
        page.get_by_role("radio", name=role).check()
        owner.press("Add and send link")
        (mail,) = mailbox.wait(1, to=email)
        (link,) = set(re.findall(r"http\S+/desk/enter/[\w-]+", mail.text))
        person = Hands(browser.new_context().new_page())
        person.page.goto(link)
        person.press("Sign in")
        person.fill("New password", PASSWORD)
        person.press("Set password")
        person.sees_heading("Home")
        person.press("Sign out")
        person.sees_heading("Sign in")
        person.page.context.close()
    page.context.close()


def signs_in(person: Hands, role: str) -> None:
    """With address and password, on the page where the desk sends those who are not signed in."""
    person.fill("E-mail address", f"{role}@press.example")
    person.fill("Password", PASSWORD)
    person.press("Sign in")


def places(person: Hands) -> set[str]:
    """Where the rail says that one can go."""
    return set(person.page.get_by_role("navigation", name="Desk").get_by_role("link").all_inner_texts())


def rows_of_sheet(path: Path) -> list[dict[str, str]]:
    """The rows of the first sheet of a workbook, by the words in its first row."""
    with zipfile.ZipFile(path) as book:
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
        assert not sheet.findall(f".//{SHEET}f"), "a cell is a formula"
    rows = []
    for row in sheet.iter(f"{SHEET}row"):
        rows.append({re.sub(r"\d", "", cell.get("r", "")): "".join(cell.itertext()) for cell in row})
    head = rows[0]
    return [{name: row.get(column, "") for column, name in head.items()} for row in rows[1:]]


@pytest.mark.parametrize("way", ["scripts", "no scripts"])
def test_a_seller_finds_a_lead_reads_its_story_and_takes_the_leads_home(
        way: str, site: Site, leads: None, accounts: None, come: Callable[..., Hands]) -> None:
    seller = come(way)
    page = seller.page
    page.goto(f"{site.url}/desk/leads")
    signs_in(seller, "sales")
    seller.sees_heading("Leads")

    seller.fill("Search", "marsh")
    seller.press("Show")
    expect(page.locator("tbody tr")).to_have_count(1)
    seller.open("Bea Marsh")
    for words in ("Leeds Library", "bea@library.example", "+44 113 496 0000", "Librarian", "Not proven"):
        seller.sees(words)
    story = page.get_by_role("region", name="What happened")
    expect(story).to_contain_text("A demo of the reading room")
    story.get_by_text("What was said").click()
    expect(story).to_contain_text("How many readers?")
    expect(story).to_contain_text("The shelf for “small” books")
    expect(story).to_contain_text("spring")
    story.get_by_text("The words agreed to").click()
    expect(story).to_contain_text("Yes, send me three letters with tips on finishing books.")

    page.goto(f"{site.url}/desk/leads")
    seller.open("Export and more")
    file, answer = seller.take("CSV")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(Path(file.path()).read_text(encoding="utf-8"))))
    assert list(rows[0])[:15] == COLUMNS
    assert [row["email"] for row in rows] == ["bea@library.example", "carl@example.org"]
    bea = rows[0]
    assert (bea["name"], bea["company"], bea["phone"].lstrip("'"), bea["offers"], bea["stage"], bea["source"]) == (
        "Bea Marsh", "Leeds Library", "+44 113 496 0000", "demo", "iql", "post")
    assert (bea["seats"], bea["wishes"]) == ("40", "The shelf for “small” books")

    book, _ = seller.take("XLSX")
    cells = rows_of_sheet(Path(book.path()))
    assert list(cells[0]) == list(rows[0])
    assert [row["email"] for row in cells] == ["bea@library.example", "carl@example.org"]
    assert (cells[0]["wishes"], cells[0]["company"]) == (bea["wishes"], bea["company"])

    page.goto(f"{site.url}/desk/leads?offer=guide")
    seller.open("Export and more")
    file, _ = seller.take("CSV")
    rows = list(csv.DictReader(io.StringIO(Path(file.path()).read_text(encoding="utf-8"))))
    assert [row["email"] for row in rows] == ["carl@example.org"]


def test_each_role_sees_its_own_places_and_is_kept_out_of_the_others(
        site: Site, leads: None, accounts: None, come: Callable[..., Hands]) -> None:
    marketer = come("no scripts")
    marketer.page.goto(f"{site.url}/desk/")
    signs_in(marketer, "marketer")
    marketer.sees_heading("Home")
    assert places(marketer) == {"Home", "Leads", "Pipeline", "Segments", "Offers", "Tests", "Scoring", "Messages",
                                "Files"}
    marketer.page.goto(f"{site.url}/desk/leads")
    expect(marketer.page.get_by_role("button", name="CSV")).to_have_count(0)
    for place in ("accounts", "log", "inbox"):
        assert marketer.page.goto(f"{site.url}/desk/{place}").status == 403
    marketer.page.goto(f"{site.url}/desk/offers")
    marketer.sees("A demo of the reading room")

    seller = come("no scripts")
    seller.page.goto(f"{site.url}/desk/")
    signs_in(seller, "sales")
    seller.sees_heading("Home")
    assert places(seller) == {"Home", "Leads", "Pipeline", "Tasks", "Segments", "Scoring"}
    for place in ("offers", "offers/guide", "tests", "messages", "files", "accounts", "log", "inbox"):
        answer = seller.page.goto(f"{site.url}/desk/{place}")
        assert answer.status == 403
        assert "Your role does not include it" in answer.text()
