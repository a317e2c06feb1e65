"""Tags by rule come and go with what the rule says, and never touch a tag that somebody put on."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from sqlalchemy import select

from factories import make_capture, make_lead
from handsel.db import db, writing
from handsel.leads.models import Lead, LeadTag
from handsel.worker.qualifying import qualify_now
from support.clock import Clock

RULES = """
segments:
  warm:
    label: Warm
    tag: warm
    when: {tag: reader, country: GB}
  readers:
    label: Fresh readers
    tag: reader
    when:
      asked: {offer: guide, within: 10 days}
"""


def write(app: Flask, project: Path, text: str) -> None:
    (project / "content" / "_segments.yml").write_text(text)
    assert app.extensions["handsel.offers"].refresh().faults == ()


def look(app: Flask, clock: Clock) -> None:
    with writing() as session:
        for lead in session.scalars(select(Lead)):
            lead.look_at = clock.now
    qualify_now(app)


def tags(lead_id: int) -> dict[str, str]:
    db.session.rollback()
    rows = db.session.execute(select(LeadTag.tag, LeadTag.source).where(LeadTag.lead_id == lead_id))
    found = {tag: source for tag, source in rows}
    assert db.session.get_one(Lead, lead_id).tags_text == ", ".join(sorted(found))
    return found


def test_a_tag_comes_with_its_rule_and_goes_when_its_time_is_over(app: Flask, project: Path, clock: Clock) -> None:
    write(app, project, RULES)
    lead = make_lead()
    make_capture(lead, answers={"email": lead.email, "country": "GB"})
    with writing() as session:
        session.get_one(Lead, lead.id).country = "GB"
    look(app, clock)
    assert tags(lead.id) == {"reader": "rule:readers", "warm": "rule:warm"}

    clock.move(days=10)
    qualify_now(app)
    assert tags(lead.id) == {"reader": "rule:readers", "warm": "rule:warm"}
    clock.move(seconds=1)
    qualify_now(app)
    assert tags(lead.id) == {}


def test_a_tag_that_somebody_put_on_stays_when_the_rule_no_longer_holds(
        app: Flask, project: Path, clock: Clock) -> None:
    write(app, project, RULES)
    lead = make_lead(tags=("reader",))
    make_capture(lead)
    look(app, clock)
    clock.move(days=30)
    look(app, clock)
    assert tags(lead.id) == {"reader": ""}


def test_a_tag_goes_when_its_rule_is_taken_out_of_the_file(app: Flask, project: Path, clock: Clock) -> None:
    write(app, project, RULES)
    lead = make_lead()
    make_capture(lead)
    look(app, clock)
    assert tags(lead.id) == {"reader": "rule:readers"}
    write(app, project, "segments: {}")
    clock.move(hours=1)
    look(app, clock)
    assert tags(lead.id) == {}
