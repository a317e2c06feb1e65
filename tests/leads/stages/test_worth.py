"""Which offer's leads were worth it: counted by people, from the form to the money."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from click.testing import Result
from flask import Flask
from sqlalchemy import select

from factories import make_capture, make_lead
from handsel.db import db, writing
from handsel.leads.handoff.models import Handoff
from handsel.leads.models import Lead, LeadTag, Sale
from handsel.leads.stages.models import StageChange
from handsel.leads.stages.worth import Worth, worth
from support.clock import Clock
from support.desk import AtDesk

Handsel = Callable[..., Result]


def stage(lead: Lead, name: str, at: Any) -> None:
    with writing() as session:
        session.add(StageChange(lead_id=lead.id, at=at, was="iql", stage=name, way="rule"))


def hand_over(lead: Lead, offer: str, state: str, at: Any, reason: str = "") -> None:
    with writing() as session:
        number = f"t{lead.id}{offer}{at}"
        session.add(Handoff(key=secrets.token_urlsafe(16), once=number, lead_id=lead.id, at=at, stage="mql",
                            offer=offer, state=state, decided_at=at, reason=reason))


def sell(lead: Lead, cents: int, at: Any) -> None:
    with writing() as session:
        session.add(Sale(lead_id=lead.id, at=at, cents=cents, currency="GBP"))


def history(clock: Clock) -> None:
    """Ann asked for both and bought; Bob was rejected; Cy never proved it; Dee asked long ago; Eve came with a file."""
    ann, bob, cy, dee, eve, other = (make_lead() for _ in range(6))
    make_capture(ann)
    make_capture(ann, offer="demo")
    make_capture(bob)
    make_capture(cy, proven_at=None)
    make_capture(dee, at=clock.now - timedelta(days=400))
    make_capture(eve, form="import")
    make_capture(other, offer="guide")  # another mailbox of Ann's
    with writing() as session:
        session.get_one(Lead, other.id).merged_into_id = ann.id
    stage(bob, "mql", clock.now - timedelta(days=1))  # before he asked
    at = clock.move(days=1)
    stage(ann, "mql", at)
    hand_over(ann, "demo", "rejected", at, "too-early")
    hand_over(ann, "demo", "accepted", at + timedelta(hours=1))
    stage(other, "sql", at)
    hand_over(bob, "guide", "rejected", at, "no-budget")
    sell(other, 12_050, at)
    sell(ann, 10_000, at)
    clock.move(days=1)


def test_each_person_counts_once_for_each_offer_they_asked_for(app: Flask, clock: Clock) -> None:
    history(clock)
    found = worth(db.session(), clock.now - timedelta(days=365), clock.now)
    assert found == [
        Worth("", captured=3, proven=2, qualified=1, accepted=1, rejected=1, won=1, reasons={"no-budget": 1},
              cents={"GBP": 22_050}),
        Worth("demo", captured=1, proven=1, qualified=1, accepted=1, won=1, cents={"GBP": 22_050}),
        Worth("guide", captured=3, proven=2, qualified=1, rejected=1, won=1, reasons={"no-budget": 1},
              cents={"GBP": 22_050}),
    ]
    assert worth(db.session(), clock.now - timedelta(days=365), clock.now, "demo") == [found[1]]
    assert worth(db.session(), clock.now, clock.now) == [Worth("")]


def test_the_command_line_says_it_in_a_table_and_for_programs(app: Flask, handsel: Handsel, clock: Clock) -> None:
    assert handsel("leads", "report").output == "Nobody asked for anything in that time.\n"
    history(clock)
    lines = handsel("leads", "report").output.splitlines()
    assert [line.split() for line in lines[1:4]] == [
        ["all", "offers", "3", "2", "1", "1", "1", "1", "220.50", "GBP"],
        ["demo", "1", "1", "1", "1", "0", "1", "220.50", "GBP"],
        ["guide", "3", "2", "1", "0", "1", "1", "220.50", "GBP"]]
    assert lines[4].split(maxsplit=1) == ["1", "rejected: They have no budget for it"]
    told = json.loads(handsel("leads", "report", "--json", "--offer", "guide", "--since", "2026-01-01").output)
    assert told == [{"offer": "guide", "captured": 3, "proven": 2, "qualified": 1, "accepted": 0, "rejected": 1,
                     "reasons": {"no-budget": 1}, "won": 1, "revenue": {"GBP": "220.50"}}]
    wrong = handsel("leads", "report", "--since", "soon")
    assert (wrong.exit_code, "'soon' is no date." in wrong.output) == (1, True)
    wrong = handsel("leads", "report", "--offer", "giude")
    assert (wrong.exit_code, "Did you mean" in wrong.output) == (1, True)


def test_the_desk_shows_it_side_by_side_and_on_the_page_of_an_offer(app: Flask, clock: Clock) -> None:
    assert "Nobody asked yet" in AtDesk(app, "marketer").get("/desk/worth").text
    history(clock)
    desk = AtDesk(app, "marketer")
    page = desk.get("/desk/worth?days=365").text
    assert "Most accepted" in page
    assert "They have no budget for it" in page
    assert "220.50 GBP" in page
    assert "People who asked" in desk.get("/desk/offers/guide").text
    assert AtDesk(app, "sales").get("/desk/worth").status_code == 403


def test_sellers_note_the_four_answers_on_the_page_of_a_lead(app: Flask, clock: Clock) -> None:
    lead = make_lead()
    make_capture(lead)
    seller = AtDesk(app, "sales")
    for question in ("budget", "authority", "need", "timeline"):
        answer = seller.post(f"/desk/leads/{lead.id}/bant", question=question, met="yes", value=f"The {question}",
                             evidence="In a call")
        assert answer.status_code == 303
    page = seller.get(f"/desk/leads/{lead.id}").text
    assert "All four speak for a sale." in page
    assert "noted by" in page
    assert seller.email in page
    assert "All four BANT questions are answered" in page
    seller.post(f"/desk/leads/{lead.id}/bant", question="need", met="", value="")
    assert "3 of 4 speak for a sale." in seller.get(f"/desk/leads/{lead.id}").text
    seller.post(f"/desk/leads/{lead.id}/bant", question="need", met="yes", value="")
    assert "The answer says nothing." in seller.get(f"/desk/leads/{lead.id}").text
    marketer = AtDesk(app, "marketer")
    assert marketer.post(f"/desk/leads/{lead.id}/bant", question="need", met="yes", value="x").status_code == 403
    assert "Note an answer" not in marketer.get(f"/desk/leads/{lead.id}").text


def test_the_report_counts_only_who_is_in_the_segment_that_it_names(
        project: Path, make_app: Callable[..., Flask], handsel: Handsel, clock: Clock) -> None:
    """Ann is asked of as the person that she is, with the tags of her other mailbox."""
    (project / "content" / "_segments.yml").write_text(
        "segments:\n  readers:\n    label: Readers\n    when: {tag: reading}\n")
    app = make_app()
    with app.app_context():
        history(clock)
        with writing() as session:
            ann = session.scalars(select(Lead).order_by(Lead.id)).first()
            assert ann is not None
            session.add(LeadTag(lead_id=ann.id, tag="reading", at=clock.now))

        said = json.loads(handsel("leads", "report", "--segment", "readers", "--json").output)
        assert [(one["offer"], one["captured"], one["accepted"], one["won"]) for one in said] == [
            (None, 1, 1, 1), ("demo", 1, 1, 1), ("guide", 1, 0, 1)]

        wrong = handsel("leads", "report", "--segment", "reader")
        assert (wrong.exit_code, "Did you mean 'readers'?" in wrong.output) == (1, True)
        marketer = AtDesk(app, "marketer")
        assert "220.50 GBP" in marketer.get("/desk/worth?segment=readers").text
        page = marketer.get("/desk/worth?segment=reader")
    assert (page.status_code, "There is no segment" in page.text, "All offers" in page.text) == (400, True, False)
