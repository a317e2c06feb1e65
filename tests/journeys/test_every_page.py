"""Every kind of page there is: nothing in a visitor's way, nothing kept, nothing from elsewhere, nothing broken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urldefrag, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from support.tour import WORDS, Stop, Tour
from support.web import Answer, Web

LOOKING = {"hit", "tally", "exposure", "visitor", "day_secret", "enrolment", "arm", "exclusion", "experiment"}
"""What may be written because somebody looked at a page: that they did, and what the worker counts of it."""
COLOURS = ("color-contrast", "link-in-text-block")
"""The rules of axe to which a dark scheme makes a difference."""
KEPT = """async () => ({
    cookies: document.cookie, local: {...localStorage}, session: {...sessionStorage},
    databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length,
    workers: (await navigator.serviceWorker.getRegistrations()).length,
})"""
NOTHING = {"cookies": "", "local": {}, "session": {}, "databases": 0, "caches": 0, "workers": 0}


@pytest.fixture(scope="module")
def owner(tour: Tour, browser: Browser) -> Iterator[BrowserContext]:
    """The owner's browser, signed in."""
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(tour.sign_in())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/desk/**")
    page.close()
    yield context
    context.close()


@pytest.fixture
def go(tour: Tour, owner: BrowserContext, new_context: Callable[..., BrowserContext]) -> Iterator[Callable[..., Page]]:
    """Opens a stop of the tour in a browser that is told of everything that goes wrong there."""
    pages: list[Page] = []
    wrong: list[str] = []

    def go(stop: Stop) -> Page:
        context = owner if stop.desk else new_context(user_agent=stop.browser, reduced_motion="reduce")
        page = context.new_page()
        pages.append(page)
        page.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: wrong.append(f"asked {asked.url}")
                if not asked.url.startswith((tour.site.url + "/", "data:", "about:")) else None)
        answer: Any = page.goto(tour.site.url + stop.path)
        if stop.press:
            with page.expect_navigation() as coming:
                page.get_by_role("button", name=stop.press).first.click()
            answer = coming.value
        assert answer.status == stop.status, f"{page.url}: {answer.status}"
        return page

    yield go
    for page in pages:
        page.close()
    # Chromium itself notes answers of 404 and 422 as errors; those are what we meant.
    assert [text for text in wrong if "status of 4" not in text] == []


@pytest.mark.parametrize("word", WORDS)
def test_nothing_stands_in_anybodys_way(
        word: str, tour: Tour, go: Callable[..., Page], axe: Callable[..., None]) -> None:
    stop = tour.stops[word]
    page = go(stop)
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme="light")
        axe(page)
        page.emulate_media(color_scheme="dark")
        axe(page, *COLOURS)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{page.url} is {wide} px wider than a screen of {width} px"
    if not stop.desk:
        assert page.evaluate(KEPT) == NOTHING
        assert page.context.cookies() == [] or word.startswith("sign-in")


def test_the_tour_goes_everywhere(tour: Tour) -> None:
    assert set(WORDS) == set(tour.stops)


class Walk:
    """All pages that can be reached from the front page and the site map by links, each asked for once."""

    def __init__(self, web: Web) -> None:
        self.answers: dict[str, Answer] = {}
        self.dead: list[str] = []
        waiting = [("", web.base + "/"), *(("/sitemap.xml", to) for to in self._mapped(web))]
        while waiting:
            origin, to = waiting.pop()
            if not to.startswith(web.base + "/") or urlsplit(to).path.startswith("/desk"):
                continue
            if to not in self.answers:
                self.answers[to] = web.get(to)
                if self.answers[to].is_html:
                    waiting += [(to, target) for tag, target in self.answers[to].links if tag != "form"]
            if self.answers[to].status != 200:
                self.dead.append(f"{origin} -> {to}: {self.answers[to].status}")

    @staticmethod
    def _mapped(web: Web) -> list[str]:
        return re.findall(r"<loc>(.*?)</loc>", web.get("/sitemap.xml").text)


def test_every_link_leads_to_a_page_and_every_anchor_to_a_place(tour: Tour) -> None:
    walk = Walk(Web(tour.site.url))
    assert walk.dead == []
    assert len(walk.answers) > 25
    for url, answer in walk.answers.items():
        if answer.is_html:
            for target in re.findall(r'href="([^"]*#[^"]+)"', answer.text):
                page, place = urldefrag(target)
                text = walk.answers[tour.site.url + page].text if page else answer.text
                assert f'id="{place}"' in text, f"{url} -> {target}"


def test_no_public_answer_sets_a_cookie_or_may_be_kept_when_it_is_personal(tour: Tour) -> None:
    for stop in tour.stops.values():
        if stop.desk or stop.path.startswith("/desk"):
            continue
        for method in ("GET", "HEAD"):
            answer = Web(tour.site.url, User_Agent=stop.browser).ask(method, stop.path)
            assert answer.headers["Set-Cookie"] is None, stop.path
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            policy = answer.headers["Content-Security-Policy"]
            assert "unsafe" not in policy, policy
            assert {"object-src 'none'", "base-uri 'none'", "form-action 'self'"} <= set(policy.split("; ")), policy
            if stop.path.startswith(("/get/", "/u/", "/preferences/", "/confirm/")) or "/thanks/" in stop.path:
                assert "no-store" in answer.headers["Cache-Control"], stop.path
                assert answer.headers["Referrer-Policy"] == "no-referrer", stop.path
                assert "noindex" in answer.headers["X-Robots-Tag"], stop.path


def test_looking_at_everything_changes_nothing(tour: Tour, owner: BrowserContext) -> None:
    visitor, desk = Web(tour.site.url), Web(tour.site.url)
    desk.cookies = {cookie["name"]: cookie["value"] for cookie in owner.cookies()}
    tour.ledger.settled()
    walked = list(Walk(visitor).answers)
    before = tour.ledger.state(but=LOOKING)

    for stop in tour.stops.values():
        for who in (visitor, desk):
            for method in ("GET", "HEAD", "OPTIONS"):
                assert who.ask(method, stop.path).status < 500, (method, stop.path)
    for url in walked:
        visitor.head(url)
    for tag_and_target in desk.get("/desk/leads").links:
        desk.get(tag_and_target[1]) if tag_and_target[1].startswith(tour.site.url) else None

    assert tour.ledger.state(but=LOOKING) == before
