"""The worker looks at leads by itself: after what happens to them, when rules change, and whatever one of them does."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from factories import make_capture, make_lead
from handsel import clock as handsel_clock
from handsel.db import db, writing
from handsel.leads.models import Lead
from handsel.leads.qualify.looking import ask
from handsel.leads.stages.models import RuleVersion, StageChange
from handsel.worker.qualifying import TROUBLE, Qualifying, qualify_now, round_
from support.clock import Clock

RULES = """rules:
  - name: Asked for a guide
    stage: mql
    when: {asked: guide}
"""


def ask_for(*leads: Lead) -> None:
    with writing() as session:
        for lead in leads:
            ask(session, lead.id, handsel_clock.now())


def stages() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Lead.stage).order_by(Lead.id)))


def test_the_thread_of_the_worker_looks_at_whoever_waits_and_ends_when_told(app: Flask) -> None:
    lead = make_lead()
    make_capture(lead, offer="demo")
    ask_for(lead)
    thread = Qualifying(app)
    thread.start()
    try:
        while stages() != ["mql"]:
            assert thread.is_alive()
    finally:
        thread.close()
    assert not thread.is_alive()


def test_changed_rules_judge_everybody_anew_and_each_version_is_kept(
        project: Path, app: Flask, clock: Clock) -> None:
    people = [make_lead() for _ in range(3)]
    for lead in people[:2]:
        make_capture(lead)
    ask_for(*people)
    qualify_now(app)
    assert stages() == ["iql"] * 3
    assert qualify_now(app) == 0
    clock.move(hours=1)
    file = project / "content/_stages.yml"
    file.write_text(RULES)
    app.extensions["handsel.offers"].refresh()
    assert qualify_now(app) == 3
    assert stages() == ["mql", "mql", "iql"]
    clock.move(hours=1)
    file.unlink()
    app.extensions["handsel.offers"].refresh()
    assert qualify_now(app) == 3
    assert stages() == ["mql", "mql", "iql"]  # rules never lead back
    rows = db.session.execute(select(RuleVersion.at, RuleVersion.done_at).order_by(RuleVersion.at)).all()
    assert [row.at for row in rows] == [row.done_at for row in rows]
    assert len(rows) == 2  # the shipped rules came back


def test_whoever_acts_now_comes_before_those_who_wait(app: Flask, clock: Clock) -> None:
    qualify_now(app)
    waiting = make_lead()
    make_capture(waiting, offer="demo")
    ask_for(waiting)
    clock.move(minutes=10)
    fresh = make_lead()
    make_capture(fresh, offer="demo")
    ask_for(fresh)
    assert round_(app, clock.now, 1) == 1
    assert stages() == ["iql", "mql"]


def test_a_lead_that_cannot_be_looked_at_keeps_nobody_waiting(
        app: Flask, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    good, bad, other = make_lead(), make_lead(), make_lead()
    for lead in (good, bad, other):
        make_capture(lead, offer="demo")
    with writing() as session:
        session.get_one(Lead, bad.id).custom = ["no", "answers"]  # type: ignore[assignment]  what a broken import left
        for capture in session.get_one(Lead, bad.id).captures:
            capture.answers = ["no", "answers"]  # type: ignore[assignment]
    ask_for(good, bad, other)
    with caplog.at_level(logging.CRITICAL):
        qualify_now(app)
    assert stages() == ["mql", "iql", "mql"]
    assert db.session.get_one(Lead, bad.id).look_at == clock.now + TROUBLE
    assert len(db.session.scalars(select(StageChange)).all()) == 2
