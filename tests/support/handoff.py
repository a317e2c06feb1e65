"""Leads that were handed over, and the mails and links that tell of them."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from factories import make_capture, make_lead
from handsel import clock
from handsel.accounts.audit import Actor
from handsel.db import db, writing
from handsel.leads.handoff.models import Handoff
from handsel.leads.models import Lead
from handsel.leads.qualify.looking import ask
from handsel.leads.stages.moving import move
from handsel.worker.qualifying import qualify_now
from handsel.worker.watching import watch_now

MARKETER = Actor("mara@example.org")


def write_rules(project: Path, text: str) -> None:
    """Give the project a content/_handoff.yml of its own, with a reason to reject unless it has some."""
    if "reject_reasons" not in text:
        text += "\nreject_reasons: {no-budget: They have no budget, no-need: They need nothing}\n"
    (project / "content/_handoff.yml").write_text(text)


def hand_over(app: Flask, lead: Lead | None = None, stage: str = "mql", **fields: Any) -> Handoff:
    """A lead that a marketer found ready for sales, and that the worker handed over."""
    said = {"name": "Ada Marsh", "company": "Marsh & Sons", "phone": "+44 20 7946 0018",
            "job_title": "Head of facilities"} | fields
    lead = lead or make_lead(**said)
    make_capture(lead, answers={"email": lead.email} | said)
    with writing() as session:
        move(session, session.get_one(Lead, lead.id), stage, way="person", reason="Wrote that they want to begin.",
             actor=MARKETER, at=clock.now())
        ask(session, lead.id, clock.now())
    work(app)
    return handoffs(lead)[-1]


def work(app: Flask) -> None:
    """What a worker does: look at leads and at the clock."""
    qualify_now(app)
    watch_now(app)
    db.session.rollback()


def handoffs(lead: Lead) -> list[Handoff]:
    """The hand-overs of a lead, the oldest first."""
    db.session.rollback()
    return list(db.session.scalars(select(Handoff).where(Handoff.lead_id == lead.id).order_by(Handoff.id)))


def links_in(text: str) -> dict[str, str]:
    """The paths of the two links of an alert, by their answer."""
    found = re.findall(r"https?://[^/\s\"<]+(/hand-off/[A-Za-z0-9_.-]+)", text)
    return {"accept" if ".a." in path else "reject": path for path in found}


def press_of(page: str) -> str:
    """What the form on the page of a link carries."""
    found = re.search(r'name="press" value="([^"]+)"', page)
    assert found is not None, page
    return found[1]


def london(text: str) -> datetime:
    """``2026-03-02 12:00`` on the clocks of London."""
    from zoneinfo import ZoneInfo

    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/London"))
