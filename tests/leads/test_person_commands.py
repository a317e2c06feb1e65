"""``handsel leads show`` and ``forget``."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select, update

from handsel.accounts.models import AuditEntry
from handsel.cli import group
from handsel.db import db, writing
from handsel.leads.models import Lead
from handsel.mail.models import Message
from handsel.mail.queue import PARKED
from support.funnel import ADVICE, take


def run(project: Path, url: str, *words: str, answer: str = "") -> Result:
    return CliRunner().invoke(group, ["--project", str(project), "leads", *words], input=answer,
                              env={"HANDSEL_DATABASE_URL": url})


def test_showing_a_lead_tells_its_columns_and_what_happened(app: Flask, project: Path, engine_url: str) -> None:
    take(app, "ann@example.org", (ADVICE,), first_name="Ann")
    shown = run(project, engine_url, "show", "ANN@Example.org")
    assert shown.exit_code == 0, shown.output
    for words in ("first_name       Ann", "tags             reading", "form short of guide",
                  "consent advice: given (form)", "delivery 00-delivery: queued", "letter 01-first: queued"):
        assert words in shown.output
    told = json.loads(run(project, engine_url, "show", "ann@example.org", "--json").output)
    assert (told["lead"]["email"], len(told["message"])) == ("ann@example.org", 3)


def test_a_letter_that_waits_for_sales_is_shown_without_a_day(app: Flask, project: Path, engine_url: str) -> None:
    take(app, "ann@example.org", (ADVICE,))
    with writing() as session:
        session.execute(update(Message).where(Message.step == "01-first").values(due_at=PARKED))
    assert "\nwaits             letter 01-first: queued\n" in run(project, engine_url, "show", "ann@example.org").output


def test_forgetting_asks_first_and_is_in_the_log(app: Flask, project: Path, engine_url: str) -> None:
    take(app, "ann@example.org")
    assert run(project, engine_url, "forget", "ann@example.org", answer="n\n").exit_code == 1
    assert db.session.scalars(select(Lead.email)).all() == ["ann@example.org"]
    db.session.rollback()
    done = run(project, engine_url, "forget", "ann@example.org", answer="y\n")
    assert done.exit_code == 0, done.output
    assert db.session.scalars(select(Lead.email)).all() == []
    entry = db.session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.actor, "ann" in entry.subject) == ("erased a lead", "command line", False)


def test_an_unknown_address_is_told(app: Flask, project: Path, engine_url: str) -> None:
    answer = run(project, engine_url, "show", "nobody@example.org")
    assert (answer.exit_code, "There is no lead with the address" in answer.output) == (1, True)
