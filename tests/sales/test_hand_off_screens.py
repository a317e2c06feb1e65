"""The screens of a hand-over in a browser: nothing for axe to find, by phone, by keyboard and without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from werkzeug.serving import make_server

from factories import NOON, make_account
from handsel.accounts import links as sign_in
from handsel.accounts.audit import Actor
from handsel.accounts.models import Account
from handsel.db import db, writing
from handsel.leads.handoff import activities, links, tasks
from handsel.leads.handoff.activities import Entry
from handsel.leads.handoff.links import Link
from handsel.leads.handoff.models import Activity, Handoff, Task
from handsel.leads.models import Lead
from support import on_sqlite
from support.clock import Clock
from support.handoff import hand_over

pytestmark = on_sqlite
LONG = "Donaudampfschifffahrtsgesellschaftswohnungsbaugenossenschaft"


@pytest.fixture
def sara(app: Flask, clock: Clock) -> Account:
    return make_account("sales", email="sara@example.org", name="Sara Seller")


@pytest.fixture
def handed(app: Flask, sara: Account) -> Handoff:
    """A lead with a hand-over, tasks late and to come, a call and a note; and another lead."""
    actor = Actor(sara.email, sara.id)
    handoff = hand_over(app, name=f"Ada {LONG}", company=LONG, job_title=LONG)
    hand_over(app, name="Bea Hill", phone="")
    with writing() as session:
        lead = session.get_one(Lead, handoff.lead_id)
        for number, hours in enumerate((-3, 2, 30, 400)):
            tasks.add(session, lead, f"Step {number} {LONG}", NOON + timedelta(hours=hours), once=f"{number}" * 22,
                      actor=actor, at=NOON, owner_id=sara.id)
        activities.put_down(session, lead, Entry("note", "n" * 22, f"{LONG}\n\nand more"), actor=actor, at=NOON)
        activities.put_down(session, lead, Entry("call", "c" * 22, "", "no-answer"), actor=actor, at=NOON)
    return handoff


@pytest.fixture
def site(app: Flask, handed: Handoff) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def come_in(page: Page, site: str, account: Account) -> None:
    with writing() as session:
        secret, _ = sign_in.make(session, account.id, NOON, sign_in.BY_MAIL)
    page.goto(f"{site}/desk/enter/{secret}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/desk/password")


def link(app: Flask, handoff: Handoff, answer: Any) -> str:
    assert handoff.owner_id is not None
    return "/hand-off/" + links.mint(app.config["SECRET_KEY"],
                                     Link(handoff.key, handoff.owner_id, answer, NOON + timedelta(days=7)))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_and_nothing_sticks_out(app: Flask, site: str, handed: Handoff, sara: Account,
                                                  browser: Browser, axe: Callable[..., None], scheme: Any,
                                                  width: int) -> None:
    page = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme).new_page()
    come_in(page, site, sara)
    for path in ("/desk/", "/desk/tasks", "/desk/tasks?of=all", f"/desk/leads/{handed.lead_id}",
                 link(app, handed, "accept"), link(app, handed, "reject")):
        page.goto(site + path)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.name = ''; one.open = true })")
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.context.close()


def test_a_seller_on_a_phone_without_scripts_accepts_notes_and_sets_the_next_step(
        site: str, handed: Handoff, sara: Account, browser: Browser) -> None:
    page = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False).new_page()
    come_in(page, site, sara)
    page.goto(f"{site}/desk/")
    first = page.get_by_role("article").first
    expect(first).to_contain_text(f"Ada {LONG}")
    expect(first).to_contain_text("Wrote that they want to begin.")
    first.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("status")).to_contain_text("This lead is yours.")
    page.get_by_role("region", name="Put something down").get_by_text("Call", exact=True).click()
    page.get_by_label("We spoke").check()
    page.get_by_label("What was said?").fill("Three flats, in spring.")
    page.get_by_role("button", name="Put the call down").click()
    expect(page.get_by_role("main")).to_contain_text("Three flats, in spring.")
    page.get_by_text("Set the next step").click()
    page.get_by_label("What is to be done?").fill("Send the offer")
    page.get_by_role("button", name="Set the task").click()
    expect(page.get_by_role("status")).to_contain_text("Set. You are reminded by mail when it is due.")
    db.session.rollback()
    assert db.session.get_one(Handoff, handed.id).contact_at == NOON
    assert db.session.get_one(Lead, handed.lead_id).stage == "sql"
    assert [row.text for row in db.session.scalars(select(Activity).where(Activity.outcome == "spoke"))] == [
        "Three flats, in spring."]
    task = db.session.scalars(select(Task).where(Task.title == "Send the offer")).one()
    assert task.due_at == NOON + timedelta(hours=21)  # nine o'clock on Tuesday
    page.context.close()


def test_the_page_behind_a_link_is_answered_by_keyboard_without_scripts(app: Flask, site: str, handed: Handoff,
                                                                        browser: Browser) -> None:
    page = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False).new_page()
    page.goto(site + link(app, handed, "reject"))
    page.get_by_label("They have no budget for it").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Reject this lead").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("You rejected this lead at 12:00: They have no budget for it.")
    page.context.close()
