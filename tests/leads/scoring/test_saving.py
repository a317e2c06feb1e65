"""Saving the scoring rules at the desk: whole or not at all, over nobody's head, and undone with one button."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from factories import make_capture, make_lead
from handsel.accounts.models import AuditEntry
from handsel.db import db
from handsel.leads.models import Lead
from handsel.leads.scoring import saving
from handsel.leads.scoring.models import ScoringEdit
from handsel.offers.live import current
from handsel.rules.settings import shipped
from handsel.worker.purge import purge
from handsel.worker.qualifying import qualify_now
from support.clock import Clock
from support.desk import AtDesk

RULES = "# ours\ninterest: {rules: {Asked: {on: {asked: guide}, points: 10}}}\n"
MORE = RULES.replace("10", "30")


@pytest.fixture
def desk(app: Flask, clock: Clock) -> AtDesk:
    return AtDesk(app, "marketer")


def file(project: Path) -> Path:
    return project / "content" / "_scoring.yml"


def seen(app: Flask) -> str:
    return saving.written(app.extensions["handsel.offers"])[1]


def test_saved_rules_hold_at_once_for_every_lead_and_stand_in_the_log(
        app: Flask, desk: AtDesk, clock: Clock, project: Path) -> None:
    file(project).write_text(RULES)
    app.extensions["handsel.offers"].refresh()
    lead = make_lead(look_at=clock.now)
    make_capture(lead)
    qualify_now(app)
    assert db.session.get_one(Lead, lead.id).score == 10
    answer = desk.post("/desk/scoring/rules", rules=MORE.replace("\n", "\r\n"), seen=seen(app))
    assert answer.status_code == 303
    assert file(project).read_text() == MORE
    assert current().rules.scoring.rules[0].points == 30
    clock.move(seconds=1)
    qualify_now(app)
    db.session.rollback()
    assert db.session.get_one(Lead, lead.id, populate_existing=True).score == 30
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.action, entry.subject, entry.actor) == ("changed the scoring rules", "content/_scoring.yml",
                                                          desk.email)
    page = desk.get(answer.headers["Location"]).text
    assert "The rules are saved" in page


def test_the_first_rules_take_the_place_of_the_shipped_ones_and_undo_brings_those_back(
        app: Flask, desk: AtDesk, project: Path) -> None:
    assert desk.get("/desk/scoring").text.count("Company of fifty or more") >= 1
    desk.post("/desk/scoring/rules", rules=RULES, seen=seen(app))
    edit = db.session.scalars(select(ScoringEdit)).one()
    assert (edit.before, edit.after) == (None, RULES)
    desk.post(f"/desk/scoring/edits/{edit.id}/undo")
    assert not file(project).exists()
    assert saving.written(app.extensions["handsel.offers"])[0] == shipped("content/_scoring.yml").decode()
    assert desk.post(f"/desk/scoring/edits/{edit.id}/undo").status_code == 303
    assert "cannot be undone any more" in desk.get("/desk/scoring").text


def test_a_fault_changes_nothing_and_what_was_typed_is_kept(app: Flask, desk: AtDesk, project: Path) -> None:
    file(project).write_text(RULES)
    answer = desk.post("/desk/scoring/rules", rules=RULES.replace("guide", "gide"), seen=seen(app))
    assert answer.status_code == 422
    assert "There is no offer &#39;gide&#39;" in answer.text
    assert "asked: gide" in answer.text[answer.text.index("<textarea"):]
    assert file(project).read_text() == RULES
    assert db.session.scalars(select(ScoringEdit)).all() == []


def test_who_saves_over_another_ones_change_is_told(app: Flask, desk: AtDesk, project: Path) -> None:
    file(project).write_text(RULES)
    mark = seen(app)
    file(project).write_text(RULES.replace("10", "20"))
    answer = desk.post("/desk/scoring/rules", rules=MORE, seen=mark)
    assert answer.status_code == 422
    assert "Somebody changed the rules meanwhile." in answer.text
    assert file(project).read_text() == RULES.replace("10", "20")


def test_an_undo_does_not_cover_a_later_change(app: Flask, desk: AtDesk, project: Path) -> None:
    file(project).write_text(RULES)
    desk.post("/desk/scoring/rules", rules=MORE, seen=seen(app))
    edit = db.session.scalars(select(ScoringEdit)).one()
    file(project).write_text(RULES.replace("10", "99"))
    desk.post(f"/desk/scoring/edits/{edit.id}/undo")
    assert file(project).read_text() == RULES.replace("10", "99")
    assert "The rules were changed again since." in desk.get("/desk/scoring").text


def test_a_change_is_remembered_for_thirty_days(app: Flask, desk: AtDesk, clock: Clock, project: Path) -> None:
    file(project).write_text(RULES)
    desk.post("/desk/scoring/rules", rules=MORE, seen=seen(app))
    clock.move(days=29)
    purge(app, clock.now)
    assert len(saving.recent(db.session())) == 1
    clock.move(days=2)
    assert purge(app, clock.now)["changes of the scoring that stand"] == 1
    assert db.session.scalars(select(ScoringEdit)).all() == []


def test_sellers_try_rules_and_save_none(app: Flask, clock: Clock, project: Path) -> None:
    file(project).write_text(RULES)
    desk = AtDesk(app, "sales")
    assert "Save these rules" not in desk.get("/desk/scoring").text
    assert desk.post("/desk/scoring/rules", rules=MORE, seen=seen(app)).status_code == 403
    assert file(project).read_text() == RULES
