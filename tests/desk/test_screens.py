"""Every screen of the desk in a browser: nothing for axe to find, nothing too heavy, all by keyboard and by phone."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import insert
from werkzeug.serving import make_server

from factories import NOON, make_account, make_capture, make_consent, make_experiment, make_lead, make_message
from handsel.accounts import links
from handsel.db import db, writing
from handsel.leads.models import Lead
from support import on_sqlite
from support.desk import AtDesk

pytestmark = on_sqlite

LONG = "Donaudampfschifffahrtsgesellschaftswohnungsbaugenossenschaft"


@pytest.fixture
def site(app: Flask, clock) -> Iterator[str]:
    """The address of a server with a desk full of believable rows."""
    _fill()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def _fill() -> None:
    with writing() as session:
        session.execute(insert(Lead), [
            {"key": f"key{n:019}", "email": f"person{n}@example.org", "address": f"person{n}@example.org",
             "name": f"Person {n}", "company": "Lindqvist & Co", "tags_text": "energy, landlord",
             "offers_text": "guide", "source": "newsletter", "captured_at": NOON, "last_capture_at": NOON}
            for n in range(60)])
    lead = make_lead(name=f"Ada {LONG}", company=LONG, tags=("energy", "site-visit"), offers=("guide",),
                     phone="+44 20 7946 0958",
                     custom={"team_size": LONG}, consent_text="advice")
    make_consent(lead, capture_id=make_capture(lead, answers={"first_name": "Ada"}, source="google").id)
    make_capture(lead, quarantine="disposable")
    for state in ("sent", "failed", "unknown", "suppressed", "queued"):
        make_message(lead, state=state, reason=f"550 5.1.1 said {LONG}.example" if state == "failed" else "")
    make_message(lead, due_at=NOON + timedelta(days=3))
    _fill_tests()


def _fill_tests() -> None:
    """One test of eight weeks with a plan, which has a winner and much that happened; one that was stopped."""
    plan = {"baseline": .03, "mde": .2, "alpha": .05, "power": .8, "weights": [34, 33, 33], "value_cap": None}
    looks = tuple({"day": (NOON - timedelta(days=55 - day)).date(),
                   "arms": {"a": (600 * day, 18 * day), "b": (600 * day, 24 * day), "c": (600 * day, 19 * day)}}
                  for day in range(1, 56))
    make_experiment({"a": (33_000, 990), "b": (33_000, 1320), "c": (33_000, 1040)}, plan=plan, looks=looks,
                    started_at=NOON - timedelta(days=56), excluded={"bot": 1234, "crossed over": 7},
                    hypothesis=f"{LONG} brings more.",
                    events=tuple({"kind": "version", "detail": f"landing.b.md {LONG}"} for _ in range(12)))
    make_experiment(offer="newsletter", ended_at=NOON, ending="stopped", learned=f"{LONG} " * 20)


PAGES = (
    "/desk/", "/desk/leads", "/desk/leads?search=nobody", "/desk/tasks", "/desk/leads?tag=nope", "/desk/leads/61",
    "/desk/leads/61/privacy", "/desk/leads/61/answers", "/desk/leads/new", "/desk/leads/export", "/desk/leads/acts",
    "/desk/pipeline", "/desk/segments", "/desk/segments/new", "/desk/scoring", "/desk/worth",
    "/desk/imports", "/desk/companies", "/desk/offers", "/desk/offers/guide", "/desk/messages",
    "/desk/messages?state=failed", "/desk/tests", "/desk/tests?search=nobody", "/desk/tests/1", "/desk/tests/2",
    "/desk/tests/start", "/desk/tests/start/newsletter", "/desk/tests/1/stop", "/desk/tests/1/ship", "/desk/files",
    "/desk/accounts", "/desk/accounts/1", "/desk/log", "/desk/more", "/desk/keys", "/desk/password", "/desk/inbox",
    "/desk/leads/9999")


def come_in(page: Page, site: str, role: str = "owner") -> None:
    account = make_account(role)
    with writing() as session:
        secret, _ = links.make(session, account.id, NOON, links.BY_MAIL)
    page.goto(f"{site}/desk/enter/{secret}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/desk/password")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_and_nothing_sticks_out(site, look, axe, scheme, width):
    page = look(viewport={"width": width, "height": 800}, color_scheme=scheme)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
    page.goto(f"{site}/desk/sign-in")
    axe(page)
    page.get_by_role("button", name="Sign in").click()
    axe(page)
    come_in(page, site)
    for path in PAGES:
        page.goto(site + path)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert wrong == []


def test_a_list_weighs_little_the_first_time_and_less_after(site, app):
    owner = AtDesk(app, "owner")
    for path in ("/desk/", "/desk/leads", "/desk/leads/61", "/desk/offers/guide", "/desk/messages", "/desk/tests",
                 "/desk/tests/1", "/desk/tests/1/ship", "/desk/tests/start/newsletter"):
        answer = owner.get(path, headers={"Accept-Encoding": "gzip"})
        warm = len(answer.data)
        page = gzip.decompress(answer.data).decode()
        files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
        cold = warm + sum(len(owner.get(name, headers={"Accept-Encoding": "identity"}).data) for name in files)
        assert warm <= 12_000, f"{path}: {warm} bytes warm"
        assert cold <= 45_000, f"{path}: {cold} bytes cold"


def test_a_page_of_the_same_secret_never_has_the_same_length_twice_for_long(site, app):
    owner = AtDesk(app, "owner")
    lengths = {len(owner.get("/desk/keys", headers={"Accept-Encoding": "gzip"}).data) for _ in range(20)}
    assert len(lengths) > 3


def test_every_control_is_reached_by_tab_and_is_seen_uncovered(site, look):
    for width in (360, 1280):
        page = look(viewport={"width": width, "height": 700})
        come_in(page, site)
        for path in ("/desk/", "/desk/leads/61", "/desk/messages?state=failed", "/desk/accounts", "/desk/tests/1",
                     "/desk/tests/1/ship", "/desk/tests/start/newsletter"):
            page.goto(site + path)
            expected = page.evaluate("""() => [
                ...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
                .filter(e => e.checkVisibility() && !e.ariaHidden && e.type !== 'hidden' && e.tabIndex >= 0).length""")
            seen, radios = set(), set()
            for _ in range(expected + 5):
                page.keyboard.press("Tab")
                found = page.evaluate("""() => {
                    const e = document.activeElement; if (!e || e === document.body) return null;
                    const r = e.getBoundingClientRect(), s = getComputedStyle(e);
                    const x = r.left + Math.min(r.width / 2, 20), y = r.top + r.height / 2;
                    const top = document.elementFromPoint(x, y);
                    window.number ??= new Map(); if (!number.has(e)) number.set(e, number.size);
                    return {id: number.get(e), radio: e.type === 'radio' ? e.name : '', what: e.outerHTML.slice(0, 90),
                            uncovered: !!top && (e.contains(top) || top.contains(e) || !!top.closest('label')),
                            ring: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 3}; }""")
                if found is None:
                    continue
                seen.add(found["id"])
                radios |= {found["radio"]} - {""}
                assert found["uncovered"], f"{path} at {width}: covered: {found['what']}"
                assert found["ring"], f"{path} at {width}: no ring: {found['what']}"
            others = page.evaluate("() => [...document.querySelectorAll('input[type=radio]')].length") - len(radios)
            assert len(seen) >= expected - others, f"{path} at {width}: {len(seen)} of {expected}"


def test_the_keys_go_where_they_say_and_leave_fields_alone(site, look):
    page = look(viewport={"width": 1280, "height": 800})
    come_in(page, site)
    page.goto(f"{site}/desk/")
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.wait_for_url("**/desk/leads")
    page.keyboard.press("/")
    page.keyboard.type("gj?k")
    assert page.locator("#search").input_value() == "gj?k"
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/leads/61")
    page.keyboard.press("?")
    page.wait_for_url("**/desk/keys")
    page.get_by_label("Switch these keys off").check()
    page.keyboard.press("g")
    page.keyboard.press("h")
    assert page.url.endswith("/desk/keys")


def test_all_of_it_works_without_a_script(site, look):
    page = look(java_script_enabled=False, viewport={"width": 360, "height": 740})
    come_in(page, site)
    page.goto(f"{site}/desk/leads")
    page.get_by_label("Search").fill("Ada")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Ada Donau").click()
    page.get_by_label("Add a tag").fill("called")
    page.get_by_role("button", name="Add", exact=True).click()
    assert page.get_by_role("link", name="called").is_visible()
    page.get_by_role("button", name="Remove the tag called").click()
    assert not page.get_by_role("link", name="called").is_visible()
    page.goto(f"{site}/desk/leads")
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    assert Path(download.value.path()).read_text(encoding="utf-8").count("\n") == 62
    page.get_by_role("link", name="More").click()
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    assert page.url.endswith("/desk/sign-in")


def test_targets_are_large_enough_for_a_finger(site, look):
    page = look(viewport={"width": 360, "height": 740}, has_touch=True)
    come_in(page, site)
    for path in PAGES[:22]:
        page.goto(site + path)
        small = page.evaluate("""() => [
            ...document.querySelectorAll('button, select, summary, nav a, input:not([type=hidden])')]
            .filter(e => e.checkVisibility() && !e.ariaHidden && !['radio', 'checkbox'].includes(e.type))
            .map(e => [e.getBoundingClientRect().height, e.outerHTML.slice(0, 80)]).filter(([h]) => h < 43.5)""")
        assert small == [], path


OFTEN = {"/desk/leads": 30, "/desk/leads/61": 60, "/desk/pipeline": 40}
"""The list has five filters to fill and three columns of its own, the pipeline six columns with a count each, and each
of a dozen panels of a lead asks a few."""


def test_no_page_asks_the_database_too_often(site, app):
    from sqlalchemy import event

    owner = AtDesk(app, "owner")
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    often = {}
    for path in PAGES:
        asked.clear()
        owner.get(path)
        if len(asked) > OFTEN.get(path, 22):
            often[path] = len(asked)
    event.remove(db.engine, "before_cursor_execute", note)
    assert often == {}


LONGER = """() => {
  document.documentElement.dir = 'rtl';
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const text = words.currentNode, said = text.data.trim();
    if (said && !text.parentElement.closest('style, script, option, textarea, svg'))
      text.data = text.data.replace(/(\\p{L}{2,})/gu, word => word + word.slice(0, Math.ceil(word.length * .4)));
  }
}"""


@pytest.mark.parametrize("width", [360, 1024, 1440])
def test_from_right_to_left_with_words_that_are_longer_by_two_fifths_nothing_sticks_out(site, look, width):
    page = look(viewport={"width": width, "height": 800})
    come_in(page, site)
    wide = {}
    for path in PAGES:
        page.goto(site + path)
        page.evaluate(LONGER)
        over = page.evaluate("document.documentElement.scrollWidth") - width
        if over > 0:
            wide[path] = over
    assert wide == {}
