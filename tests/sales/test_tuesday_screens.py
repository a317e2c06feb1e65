"""The desk of sales in a browser, as sellers and owners meet it: at three widths, in two schemes, with long words."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from factories import NOON, make_account, make_capture, make_consent, make_lead, make_message
from handsel.accounts import links
from handsel.accounts.audit import Actor
from handsel.accounts.models import Account
from handsel.db import db, writing
from handsel.leads.handoff import activities, tasks
from handsel.leads.handoff.activities import Entry
from handsel.leads.models import Lead
from handsel.leads.qualify.looking import look
from handsel.leads.stages import bant, moving
from handsel.mail.queue import PARKED, WITH_SALES
from handsel.offers.live import current
from support import on_sqlite
from support.clock import Clock
from support.desk import AtDesk
from support.handoff import hand_over

pytestmark = on_sqlite
LONG = "Donaudampfschifffahrtsgesellschaftswohnungsbaugenossenschaft"
PATHS = ("/desk/", "/desk/leads", "/desk/leads?owner=me", "/desk/leads/1", "/desk/leads/2", "/desk/leads/3",
         "/desk/leads/1?show=mails", "/desk/pipeline", "/desk/pipeline?owner=none", "/desk/tasks", "/desk/segments",
         "/desk/leads/export", "/desk/imports", "/desk/scoring", "/desk/worth", "/desk/companies", "/desk/more")
LONGER = """() => {
  document.documentElement.dir = 'rtl';
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const text = words.currentNode;
    if (text.data.trim() && !text.parentElement.closest('style, script, option, textarea, svg'))
      text.data = text.data.replace(/(\\p{L}{2,})/gu, word => word + word.slice(0, Math.ceil(word.length * .4)));
  }
}"""
UNFOLD = "document.querySelectorAll('details:not(.menu)').forEach(one => { one.name = ''; one.open = true })"
TOUCHING = """() => {
  const words = [...document.querySelectorAll('.rail__places span')].filter(e => e.checkVisibility())
    .map(e => e.getBoundingClientRect()).sort((a, b) => a.left - b.left);
  return words.filter((e, i) => i && e.left - words[i - 1].right < 4).length;
}"""


@pytest.fixture
def sara(app: Flask, clock: Clock) -> Account:
    return make_account("sales", email="sara@example.org", name="Sara Seller")


@pytest.fixture
def worked(app: Flask, sara: Account) -> Account:
    """Lead 1 is handed over and open, with a long story; 2 is worked on; 3 is a customer; 4 to 40 fill the list."""
    actor = Actor(sara.email, sara.id)
    hand_over(app, name=f"Ada {LONG}", company=LONG, job_title=LONG)
    hand_over(app, name="Bea Hill", company="Hill & Daughters")
    hand_over(app, name="Cem Oak", phone="")
    with writing() as session:
        first, second, third = (session.get_one(Lead, number) for number in (1, 2, 3))
        for lead, stage in ((second, "sql"), (third, "customer")):
            moving.move(session, lead, stage, way="accepted", at=NOON, reason=LONG, actor=actor)
        activities.put_down(session, second, Entry("note", "n" * 22, f"{LONG}\n\nand more"), actor=actor, at=NOON)
        tasks.add(session, second, f"Ring {LONG}", NOON - timedelta(hours=3), once="t" * 22, actor=actor, at=NOON,
                  owner_id=sara.id)
        bant.answer(session, second, "need", met=True, value=f"Yes, {LONG}", evidence="Said on the telephone",
                    actor=actor, at=NOON)
        look(session, current(), [2], NOON)
    db.session.rollback()
    first = db.session.get_one(Lead, 1)
    for day in range(12):
        make_message(first, state="sent", sent_at=NOON - timedelta(days=day), due_at=NOON - timedelta(days=day))
    make_message(first, state="queued", due_at=PARKED, reason=WITH_SALES)
    for purpose in ("advice", "recognition"):
        make_consent(first, purpose=purpose)
    for number in range(37):
        make_capture(make_lead(name=f"Dee {LONG} {number}" if number % 5 == 0 else f"Dee Brook {number}",
                               company="Brook and Sons of the Lower Valley", phone="+44 20 7946 0000"))
    return sara


@pytest.fixture
def site(app: Flask, worked: Account) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def seen(browser: Browser, site: str) -> Iterator[Callable[..., Page]]:
    """A page of a browser that looks as the options say, signed in."""
    contexts = []

    def open_(account: Account, width: int, **options: Any) -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": 740}, **options))
        page: Page = contexts[-1].new_page()
        with writing() as session:
            secret, _ = links.make(session, account.id, NOON, links.BY_MAIL)
        page.goto(f"{site}/desk/enter/{secret}")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/desk/password")
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (320, "dark"), (360, "dark"), (1280, "light"),
                                               (1280, "dark")])
def test_axe_finds_nothing_and_nothing_sticks_out(site: str, seen: Callable[..., Page], axe: Callable[[Page], None],
                                                  width: int, scheme: str) -> None:
    page = seen(make_account("owner"), width, color_scheme=scheme)
    for path in PATHS:
        assert page.goto(site + path).status == 200, path
        page.evaluate(UNFOLD)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_words_longer_by_two_fifths_from_right_to_left_neither_stick_out_nor_touch_in_the_bar(
        site: str, seen: Callable[..., Page], worked: Account, width: int) -> None:
    page = seen(worked, width)
    for path in PATHS:
        if path == "/desk/worth":
            continue  # no seller's
        page.goto(site + path)
        page.evaluate(LONGER)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        if width < 700:
            assert page.evaluate(TOUCHING) == 0, path


def test_the_bar_of_a_sellers_phone_has_what_a_seller_needs(site: str, seen: Callable[..., Page],
                                                            worked: Account) -> None:
    page = seen(worked, 360)
    page.goto(f"{site}/desk/")
    bar = page.get_by_role("navigation", name="Desk").get_by_role("link")
    assert bar.all_inner_texts() == ["Home", "Leads", "Tasks", "Pipeline", "More"]


def test_a_lead_on_a_phone_is_in_the_order_of_a_call(site: str, seen: Callable[..., Page], worked: Account) -> None:
    page = seen(worked, 360, java_script_enabled=False)
    page.goto(f"{site}/desk/leads/1")
    parts = page.locator("main").get_by_role("heading", level=2).all_inner_texts()
    assert parts[:5] == [f"Handed over to {worked.name}", "Tasks", "Why this score", "What happened", "What is held"]
    assert page.get_by_role("region", name="How to reach them").bounding_box()["y"] < 740

    story = page.get_by_role("region", name="What happened")
    expect(story).to_contain_text("When sales is through")
    expect(story).not_to_contain_text("9500")
    assert story.locator(".timeline > li").filter(visible=True).count() <= 7
    page.get_by_role("link", name="Forms and consent").click()
    expect(story).to_contain_text("Being recognised")
    expect(story.get_by_role("heading", name="Planned")).to_have_count(0)


def test_colleagues_stand_by_name_and_their_address_can_be_asked_for(app: Flask, worked: Account) -> None:
    page = AtDesk(app, account=worked).get("/desk/leads/2").text
    assert '<span title="sara@example.org">Sara Seller</span>' in page
    assert "noted by sara@example.org" not in page
    assert re.search(r"Yes, \w+</p><p class=\"muted\">Said on the telephone; noted by", page)


def test_a_row_of_the_list_takes_two_lines_and_the_pipeline_fits(site: str, seen: Callable[..., Page],
                                                                 worked: Account) -> None:
    page = seen(worked, 1280)
    page.goto(f"{site}/desk/leads")
    heights = page.evaluate("[...document.querySelectorAll('.list--leads tbody tr')].map(row => row.offsetHeight)")
    assert len(heights) == 40
    assert max(heights) <= 64
    page.goto(f"{site}/desk/pipeline")
    board = page.get_by_role("group", name="Stages")
    assert board.get_by_role("heading", level=2).all_inner_texts() == [
        "Information\n37", "Marketing\n1", "Product\n0", "Service\n0", "Sales\n1", "Customer\n1"]
    assert board.evaluate("board => board.scrollWidth <= board.clientWidth")
    widths = page.evaluate("[...document.querySelectorAll('.board__column')].map(column => column.offsetWidth)")
    assert max(widths[2:4]) < min(widths[:2] + widths[4:])


def test_the_list_and_a_record_weigh_little(app: Flask, worked: Account) -> None:
    desk = AtDesk(app, account=worked)
    for path in ("/desk/", "/desk/leads", "/desk/leads/1", "/desk/leads/2", "/desk/pipeline", "/desk/tasks"):
        answer = desk.get(path, headers={"Accept-Encoding": "gzip"})
        files = re.findall(r'(?:href|src)="(/static/[^"]+)"', gzip.decompress(answer.data).decode())
        cold = len(answer.data) + sum(len(gzip.compress(desk.get(name).data)) for name in files)
        assert len(answer.data) <= 12_000, path
        assert cold <= 45_000, path
