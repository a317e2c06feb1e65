"""The scoring of leads at the desk: why a score, what sales is likely to say, and rules tried on the past."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from itertools import count as numbers
from pathlib import Path
from random import Random
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser
from werkzeug.serving import make_server

from factories import NOON, make_account, make_capture, make_lead
from handsel.accounts import links
from handsel.db import db, writing
from handsel.leads.handoff.models import Handoff
from handsel.leads.models import Capture, Lead
from handsel.leads.tracking.models import PageVisit
from handsel.worker.learning import learn_now
from handsel.worker.qualifying import qualify_now
from support import on_sqlite
from support.clock import Clock
from support.desk import AtDesk

DAY = timedelta(days=1)
RULES = """
fit:
  rules:
    Runs things: {when: {job_title: {contains: manager}}, points: 20}
interest:
  rules:
    Asked for the guide: {on: {asked: guide}, points: 10, once: true}
    Came back: {on: {visited: true}, points: 4, cap: 6}
    Was late: {when: {job_title: {contains: late}}, points: -7}
"""
_number = numbers(1)


@pytest.fixture
def project(project: Path) -> Path:
    (project / "content" / "_scoring.yml").write_text(RULES)
    return project


def text_of(page: str) -> str:
    main = page[page.index("<main"):page.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


def section(page: str, name: str) -> str:
    """What a person reads under a heading."""
    begin = page.index(f'aria-labelledby="{name}"')
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page[begin:page.index("</section>", begin)])))


def manager(days_ago: int = 5, job_title: str = "Facilities manager") -> Lead:
    at = NOON - days_ago * DAY
    lead = make_lead(captured_at=at, look_at=NOON)
    make_capture(lead, at=at, proven_at=at, answers={"email": lead.email, "job_title": job_title})
    return lead


def handed(lead: Lead, at: object, state: str) -> None:
    number = next(_number)
    with writing() as session:
        session.add(Handoff(key=f"hand{number}", once=f"test:{number}", lead_id=lead.id, at=at, stage="mql",
                            state=state, decided_at=at))


def crowd(number: int = 120) -> None:
    """Leads that were handed over; sales takes managers, mostly."""
    random, at = Random(5), NOON - 100 * DAY
    with writing() as session:
        for n in range(number):
            is_manager = random.random() < 0.5
            email = f"past{n}@example.org"
            lead = Lead(key=f"past{n}", email=email, address=email, captured_at=at, last_capture_at=at, confirmed_at=at,
                        look_at=NOON)
            session.add(lead)
            session.flush()
            session.add(Capture(key=f"past{n}", once=f"past{n}", lead_id=lead.id, offer="guide", form="short",
                                answers={"job_title": "Manager" if is_manager else "Late"}, email=email, at=at,
                                proven_at=at))
            taken = random.random() < (0.9 if is_manager else 0.1)
            session.add(Handoff(key=f"past{n}", once=f"past{n}", lead_id=lead.id, at=at + 10 * DAY, stage="mql",
                                state="accepted" if taken else "rejected", decided_at=at + 10 * DAY))


def test_the_page_of_a_lead_says_why_it_has_its_score(app: Flask, clock: Clock) -> None:
    lead = manager()
    with writing() as session:
        session.add_all(PageVisit(lead_id=lead.id, path=f"/page-{n}/", at=NOON - n * DAY, offer="") for n in (1, 2))
    qualify_now(app)
    assert db.session.get_one(Lead, lead.id).score == 35
    said = section(AtDesk(app, "sales").get(f"/desk/leads/{lead.id}").text, "why")
    assert "35 points: fit 20 and interest 15" in said
    assert "+20 Runs things job title: Facilities manager, 25 Feb 2026, 12:00" in said
    assert "+9 Asked for the guide asked for The small guide to finishing books, 25 Feb 2026, 12:00" in said
    assert "+6 Came back 2 times" in said
    assert "+4 visited /page-1/ 1 Mar 2026, 12:00" in said
    assert "+2 visited /page-2/ 28 Feb 2026, 12:00 ; +4 without a cap" in said
    assert "2 more kept back by a cap" in said


def test_points_that_are_taken_away_have_a_minus(app: Flask, clock: Clock) -> None:
    lead = manager(job_title="Late riser")
    qualify_now(app)
    said = section(AtDesk(app, "sales").get(f"/desk/leads/{lead.id}").text, "why")
    assert "−7 Was late job title: Late riser" in said
    assert "2 points: fit 0 and interest 2" in said


def test_without_outcomes_the_prediction_says_what_is_missing(app: Flask, clock: Clock) -> None:
    lead = manager()
    desk = AtDesk(app, "sales")
    assert "the worker has not looked" in section(desk.get(f"/desk/leads/{lead.id}").text, "expected")
    learn_now(app)
    said = section(desk.get(f"/desk/leads/{lead.id}").text, "expected")
    assert said.endswith("It is off: 100 more outcomes of hand-overs are missing, at least 30 accepted and 30 rejected "
                         "among them. ")
    said = section(desk.get("/desk/scoring").text, "quality")
    assert "100 more outcomes of hand-overs are missing" in said
    assert "So far: 0 accepted, 0 rejected." in said


@on_sqlite
def test_with_outcomes_there_is_a_prediction_with_reasons_and_the_figures_of_its_check(
        app: Flask, clock: Clock) -> None:
    crowd()
    lead = manager()
    learn_now(app)
    qualify_now(app)
    kept = db.session.get_one(Lead, lead.id).quality
    assert kept is not None
    desk = AtDesk(app, "sales")
    said = section(desk.get(f"/desk/leads/{lead.id}").text, "expected")
    assert f"{round(kept / 10)} % likely to be accepted by sales" in said
    assert re.search(r"× \d\.\d\d fit of 20 points", said.replace("\N{NO-BREAK SPACE}", " "))
    said = section(desk.get("/desk/scoring").text, "quality")
    assert "from 120 hand-overs" in said
    assert "guessing has 50 %" in said
    assert "always saying the average has" in said
    assert "Predictions and outcomes in groups of equal size" in said
    with writing() as session:
        session.get_one(Lead, lead.id).stage = "sql"
    assert 'id="expected"' not in desk.get(f"/desk/leads/{lead.id}").text


def test_rules_are_tried_on_the_past_beside_the_present_ones(app: Flask, clock: Clock, project: Path) -> None:
    for number, state in enumerate(("accepted", "rejected", "accepted", "")):
        lead = manager(40 + number)
        if state:
            handed(lead, NOON - 20 * DAY, state)
    before = (project / "content" / "_scoring.yml").read_text()
    desk = AtDesk(app, "marketer")
    page = desk.get("/desk/scoring?threshold=25&time=90")
    assert page.status_code == 200
    assert "In the last 90 days 4 leads would have passed 25 points; sales accepted 2 of them and rejected 1." in (
        text_of(page.text))
    page = desk.post("/desk/scoring", rules=RULES.replace("points: 20", "points: 5"), threshold="25", time="90")
    said = text_of(page.text)
    assert "In the last 90 days no lead would have passed 25 points." in said
    assert "The rules as they are: In the last 90 days 4 leads would have passed 25 points;" in said
    assert "all 4 leads, each by what was known at the time" in said
    assert (project / "content" / "_scoring.yml").read_text() == before


def test_faulty_rules_and_numbers_are_named_and_what_was_typed_is_kept(app: Flask, clock: Clock) -> None:
    desk = AtDesk(app, "marketer")
    page = desk.post("/desk/scoring", rules=RULES.replace("job_title", "job_titel", 1), threshold="25", time="90")
    assert page.status_code == 422
    assert "Line 4: There is nothing called 'job_titel' to ask about. Did you mean 'job_title'?" in text_of(page.text)
    assert "job_titel" in page.text[page.text.index("<textarea"):]
    for asked in ("?threshold=x", "?threshold=0", "?threshold=5&time=never", "?threshold=99999999999999999999"):
        assert desk.get(f"/desk/scoring{asked}").status_code == 422


@pytest.fixture
def site(app: Flask, clock: Clock) -> Iterator[str]:
    """The address of a server with a desk that has something to show."""
    crowd()
    lead = manager()
    with writing() as session:
        session.add_all(PageVisit(lead_id=lead.id, path=f"/page-{n}/", at=NOON - n * DAY, offer="") for n in (1, 2))
    learn_now(app)
    qualify_now(app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@on_sqlite
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_person_tries_rules_with_the_keyboard_and_without_scripts(
        site: str, browser: Browser, axe, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme,
                                  java_script_enabled=width == 1280)
    page = context.new_page()
    account = make_account("owner")
    with writing() as session:
        secret, _ = links.make(session, account.id, NOON, links.BY_MAIL)
    page.goto(f"{site}/desk/enter/{secret}")
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{site}/desk/scoring")
    page.fill("#threshold", "25")
    page.select_option("#time", "365")
    page.focus("summary:has-text('Change the rules')")
    page.keyboard.press("Enter")
    page.fill("#rules", RULES.replace("points: 20", "points: 30"))
    page.focus("button:has-text('Try them')")
    page.keyboard.press("Enter")
    page.wait_for_selector("#outcome")
    assert "would have passed 25 points; sales accepted" in page.inner_text("#outcome")
    assert page.inner_text(".figures").count("%") >= 2
    if width == 1280:
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.goto(f"{site}/desk/leads/121")
        page.click("summary:has-text('2 times')")
        assert page.is_visible("text=visited /page-2/")
        axe(page)
    context.close()
