"""The first page after signing in, and the two small ones that everybody has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, Integer, Select, func, literal_column, select
from sqlalchemy.orm import Session

from handsel import clock
from handsel.accounts.models import ROLES
from handsel.db import db
from handsel.desk import DeskBlueprint, figures, person
from handsel.desk.shell import may, offer_title, site_zone
from handsel.experiments.results import briefly, running
from handsel.experiments.sentences import tell
from handsel.experiments.verdict import VERDICTS
from handsel.leads.handoff.owners import strangers
from handsel.leads.handoff.worklist import Call, Step, calls, late, steps
from handsel.leads.models import Capture, Lead
from handsel.mail.models import Message
from handsel.offers.live import current

bp = DeskBlueprint("home", __name__, roles=ROLES)

LATEST = 8
CALLS = 3
STEPS = 5
ENOUGH = 1000  # of what needs a person: nobody needs to know how many more


@dataclass(frozen=True)
class Need:
    """Something that needs a person: what, and where to do it."""

    text: str
    link: str
    act: str


@bp.get("/")
def home() -> ResponseReturnValue:
    """Four figures, what needs a person, and the latest leads."""
    session = db.session()
    now = clock.now()
    leads = session.scalars(select(Lead).where(Lead.merged_into_id.is_(None)).order_by(Lead.id.desc())
                            .limit(LATEST)).all()
    return render_template("desk/home.html", figures=figures.week(session, now), needs=_needs(session), leads=leads,
                           now=now, calls=_calls(session), steps=_steps(session, now),
                           open_offers=[offer for offer in current().offers.values() if offer.is_open(now)])


def _calls(session: Session) -> list[Call]:
    """Whom the person at the desk should call first, if they call anybody."""
    return calls(session, current(), person().account_id, CALLS) if may("tasks.index") else []


def _steps(session: Session, now: datetime) -> list[Step]:
    """The tasks of the person at the desk that are late or due today, the first few."""
    if not may("tasks.index"):
        return []
    today = now.astimezone(site_zone()).date()
    due = steps(session, person().account_id, STEPS)
    return [step for step in due if step.task.due_at.astimezone(site_zone()).date() <= today]


def _needs(session: Session) -> list[Need]:
    """What needs the person at the desk, as far as their role reaches."""
    found: list[Need] = []
    if person().has_password is False:
        found.append(Need("You have no password yet: without a sign-in link you cannot come back.",
                          url_for("sign_in.password"), "Choose one"))
    if may("files.index") and (faults := len(current().faults)):
        files = len({fault.where for fault in current().faults})
        found.append(Need(f"{_some(faults, 'fault')} in {_some(files, 'file')} of the project.",
                          url_for("files.index"), "See where"))
    if may("messages.index"):
        found += _mail_needs(session)
    if may("tests.index"):
        found += _test_needs(session)
    if person().role == "owner" and (unknown := strangers(session, current().rules.handoff)):
        found.append(Need(f"content/_handoff.yml gives leads to {unknown[0]}, who has no account that can work.",
                          url_for("accounts.index"), "See the accounts"))
    if person().role == "owner" and (waiting := late(session, clock.now(), ENOUGH)):
        found.append(Need(f"{_some(waiting, 'lead')} waited too long for a first word from sales.",
                          url_for("tasks.index", of="all"), "See which"))
    held = _count(session, Capture.quarantine != "")
    if held:
        found.append(Need(f"{_some(held, 'form')} held: a robot's, or a person's?",
                          url_for("leads.index", held="yes"), "Have a look"))
    if may("inbox.inbox") and not current_app.config["MAIL_URL"]:
        found.append(Need("No mail server is set, so all mail is caught in the inbox here.",
                          url_for("inbox.inbox"), "Open the inbox"))
    return found


def _mail_needs(session: Session) -> list[Need]:
    since = clock.now() - timedelta(days=30)
    found = []
    for state, text, act in (("failed", "could not be delivered in the last 30 days.", "See why"),
                             ("unknown", "may or may not have arrived in the last 30 days.", "See which")):
        count = _count(session, Message.state == state, Message.due_at > since)
        if count:
            found.append(Need(f"{_some(count, 'message')} {text}", url_for("messages.index", state=state), act))
    return found


def _test_needs(session: Session) -> list[Need]:
    """Tests with a verdict that nobody has acted on, a wrong split, or a pause."""
    connection = session.connection()
    found = []
    for test in briefly(connection, running(connection)):
        if test.alarm or test.paused_at is not None or test.verdict in VERDICTS:
            act = "See why" if test.alarm or test.paused_at is not None else "Decide"
            found.append(Need(f"{offer_title(test.offer)}: {tell(test, clock.now(), site_zone()).headline}",
                              url_for("tests.test", experiment_id=test.id), act))
    return found


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    some: Select[Any] = select(literal_column("1", Integer)).where(*conditions).limit(ENOUGH)
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def _some(count: int, noun: str) -> str:
    return f"{count:,}{'+' if count >= ENOUGH else ''} {noun}{'' if count == 1 else 's'}"


@bp.get("/more")
def more() -> ResponseReturnValue:
    """The places that the bottom bar of phones has no room for."""
    return render_template("desk/more.html")


@bp.get("/keys")
def keys() -> ResponseReturnValue:
    """Which keys do what, and how to switch them off."""
    return render_template("desk/keys.html")
