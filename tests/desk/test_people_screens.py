"""The screens of who a lead is (answers, a new lead, a merge, companies): in a browser, at the ends of what may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Page
from werkzeug.serving import make_server

from factories import NOON, make_account, make_capture, make_lead
from handsel.accounts import links
from handsel.accounts.audit import Actor
from handsel.db import db, writing
from handsel.leads import merging
from handsel.leads.models import Lead
from handsel.leads.qualify.looking import look
from handsel.offers.live import current
from support import on_sqlite
from support.clock import Clock

pytestmark = on_sqlite
LONG = "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft"
LONGER = """() => {
  document.documentElement.dir = 'rtl';
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const text = words.currentNode;
    if (text.data.trim() && !text.parentElement.closest('style, script, option, textarea, svg'))
      text.data = text.data.replace(/(\\p{L}{2,})/gu, word => word + word.slice(0, Math.ceil(word.length * .4)));
  }
}"""
SMALL = """() => [...document.querySelectorAll('button, select, summary, input:not([type=hidden])')]
  .filter(e => e.checkVisibility() && !['radio', 'checkbox'].includes(e.type))
  .map(e => [e.getBoundingClientRect().height, e.outerHTML.slice(0, 80)]).filter(([h]) => h < 43.5)"""


@pytest.fixture
def site(app: Flask, clock: Clock) -> Iterator[str]:
    """A server with a lead of two mailboxes, of whom everybody says something else, and a colleague."""
    ann, home, other, third = (make_lead(email=f"{name}@{LONG[:50].lower()}.example") for name in (
        "ann", "home", "other", "third"))
    for lead, answers in ((ann, {"company": LONG, "job_title": "Buyer"}), (home, {"company": "Works", "phone": "1"}),
                          (other, {"company": f"{LONG} & Co"}), (ann, {"job_title": LONG, "seats": 12})):
        make_capture(lead, answers={"email": lead.email} | answers)
    with writing() as session:
        merging.merge(session, current(), ann.id, home.id, actor=Actor("seller@example.org"), at=NOON)
        look(session, current(), [other.id, third.id], NOON)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


PATHS = ("leads/1", "leads/2", "leads/1/answers", "leads/new", "leads/1/merge", "leads/3/merge?with=third@{domain}",
         "leads/3/merge?with=nobody@x.example", "companies", "companies?search=nobody", "companies/1")


def come_in(page: Page, site: str) -> list[str]:
    account = make_account("sales")
    with writing() as session:
        secret, _ = links.make(session, account.id, NOON, links.BY_MAIL)
    page.goto(f"{site}/desk/enter/{secret}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/desk/password")
    return [f"{site}/desk/{path}".format(domain=f"{LONG[:50].lower()}.example") for path in PATHS]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_and_nothing_sticks_out(
        site: str, look: Callable[..., Page], axe: Callable[[Page], None], scheme: str, width: int) -> None:
    page = look(viewport={"width": width, "height": 800}, color_scheme=scheme)
    for path in come_in(page, site):
        page.goto(path)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(f"{site}/desk/leads/new")
    page.get_by_role("button", name="Put down the lead").click()
    axe(page)
    assert page.title().startswith("Error: ")


def test_from_right_to_left_with_longer_words_nothing_sticks_out(site: str, look: Callable[..., Page]) -> None:
    for width in (360, 1024):
        page = look(viewport={"width": width, "height": 800})
        for path in come_in(page, site):
            page.goto(path)
            page.evaluate(LONGER)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, path)


def test_targets_are_large_enough_for_a_finger(site: str, look: Callable[..., Page]) -> None:
    page = look(viewport={"width": 360, "height": 740}, has_touch=True)
    for path in come_in(page, site):
        page.goto(path)
        assert page.evaluate(SMALL) == [], path


def test_a_seller_merges_and_parts_with_the_keyboard_and_without_a_script(
        site: str, look: Callable[..., Page]) -> None:
    page = look(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    come_in(page, site)
    page.goto(f"{site}/desk/leads/3")

    page.get_by_role("link", name="Merge with another lead").press("Enter")
    page.get_by_label("Address of the other lead").fill(f"third@{LONG[:50].lower()}.example")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Merge the two").press("Enter")

    assert page.url == f"{site}/desk/leads/3"
    db.session.rollback()
    assert db.session.get_one(Lead, 4, populate_existing=True).merged_into_id == 3
    page.get_by_role("button", name="Part third@").press("Enter")
    assert "Parted." in page.inner_text("main")
    db.session.rollback()
    assert db.session.get_one(Lead, 4, populate_existing=True).merged_into_id is None
