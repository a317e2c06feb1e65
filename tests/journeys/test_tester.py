"""A tester's weeks in one sitting: a test runs, is stopped, planned anew, looked at and shipped, at the desk alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from support.ledger import Ledger
from support.people import Hands
from support.running import Site, wait_until
from support.web import CHROME, Web

GUIDE = "/offers/guide/"
SHORT = "Ten minutes from now you know how."


@pytest.fixture
def shop(start_site: Callable[..., Site]) -> Site:
    """A site of the test's own, whose guide is being tested from the start."""
    return start_site()


@pytest.fixture
def tester(shop: Site, come: Callable[..., Hands]) -> Callable[[str], Hands]:
    """Somebody at the tests of ``shop``'s desk; the way they use their browser is given."""

    def come_in(way: str) -> Hands:
        person = come(way)
        person.page.goto(shop.sign_in)
        person.press("Sign in")
        person.page.wait_for_url("**/desk/password")
        person.page.goto(f"{shop.url}/desk/tests")
        return person

    return come_in


def visit(site: Site, people: int) -> None:
    """Some people with browsers of their own, each third of whom asks for the guide, once the test has begun."""
    begins = "SELECT started_at FROM experiment"
    wait_until(lambda: Ledger(site.project).value(begins) < datetime.now(UTC).isoformat(), 10, "the test has begun")
    for number in range(people):
        web = Web(site.url, User_Agent=CHROME.replace("126", str(100 + number)))
        landing = web.get(GUIDE)
        if number % 3 == 0:
            sent = web.send(landing, landing.form("form-token"), email=f"reader{number}@example.org")
            assert sent.status == 303


def see_within(person: Hands, words: str, seconds: float = 10) -> None:
    """Reload until those words are there: the worker writes them down, not the page."""
    def there() -> bool:
        person.page.reload()
        return words in person.page.locator("main").inner_text()

    wait_until(there, seconds, f"{words!r} on {person.page.url}", lambda: person.page.locator("main").inner_text())


def test_a_test_is_watched_stopped_and_planned_anew_without_a_script(shop, tester) -> None:
    person = tester("no scripts")
    page = person.page
    see_within(person, "Running")
    visit(shop, 12)
    person.open("The small guide to finishing books")
    see_within(person, "There is no verdict yet.")
    expect(page.get_by_role("row", name="a (control)")).to_be_visible()

    person.open("Stop the test")
    person.sees("Everybody sees the control")
    person.fill("What was learned?", "Nobody minds the length.")
    person.press("Stop the test")
    see_within(person, "The test was stopped on")
    assert "experiment:" not in (shop.project / "offers/guide/offer.md").read_text()

    person.open("Tests")
    person.sees("Nobody minds the length.")
    person.fill("Search in what was tested and learned", "minds")
    person.press("Search")
    person.sees("Nobody minds the length.")

    person.open("Start a test")
    person.open("Plan the test of The small guide")
    person.sees("12 people saw the page")
    person.fill("What do you expect, and why?", "Short pages win.")
    person.fill("Smallest lift worth finding, in percent", "fifty")
    person.press("Recalculate")
    person.sees("That is not a number.")
    person.fill("Smallest lift worth finding, in percent", "50")
    person.press("Recalculate")
    person.sees("To find +50")
    person.press("Start the test")
    person.sees("The test has begun")
    see_within(person, "Short pages win.")


def test_a_challenger_is_shipped_by_keyboard_and_everybody_sees_it(shop, tester) -> None:
    person = tester("keyboard")
    page = person.page
    see_within(person, "Running")
    visit(shop, 9)
    see_within(person, "There is no verdict yet.")
    page.goto(page.url)
    person.open("The small guide to finishing books")
    person.sees_heading("The small guide")
    person.open("Ship variant b")
    person.sees("There is no verdict that b is better. It may be worse.")
    person.press("Ship variant b")
    person.sees("Nothing was shipped.")
    person.tick("I want variant b without a verdict for it")
    person.fill("What was learned?", "We like it better.")
    person.press("Ship variant b")
    person.sees("Variant b is shipped")
    see_within(person, "Variant b was shipped on")
    person.sees("There was no verdict by then.")
    assert page.get_by_label("What do you know now").input_value() == "We like it better."
    wait_until(lambda: all(SHORT in Web(shop.url, User_Agent=CHROME.replace("126", str(number))).get(GUIDE).text
                           for number in range(100, 110)), 3, "everybody sees the challenger")
    assert not (shop.project / "offers/guide/landing.b.md").exists()


def test_two_variants_stand_side_by_side(tester) -> None:
    person = tester("scripts")
    see_within(person, "Running")
    person.open("The small guide to finishing books")
    person.open("Ship variant b")
    person.open("Both pages side by side")
    for title, words in (("Variant b", SHORT), ("The page as it is", "Twelve short habits")):
        expect(person.page.frame_locator(f"iframe[title='{title}']").get_by_text(words).first).to_be_visible()
