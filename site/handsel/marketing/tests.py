"""Tests of landing pages: those that run, those that ended with what was learned, and each one in full."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, or_, select

from handsel import clock
from handsel.accounts import audit
from handsel.db import db, writing
from handsel.desk import DeskBlueprint, person
from handsel.desk import experiments as shown
from handsel.desk.charts import progress
from handsel.desk.shell import offer_title, site_zone
from handsel.desk.turning import Turn
from handsel.experiments import journal
from handsel.experiments.models import Experiment
from handsel.experiments.results import Results, briefly, results, running
from handsel.experiments.sentences import GOALS, Told, split_rows, tell, where_to_look
from handsel.offers.library import Offer
from handsel.offers.live import current

bp = DeskBlueprint("tests", __name__, roles=("marketer", "owner"))

LONGEST = 4000  # letters of what was learned: a page of text
EVENT_WORDS = {
    "started": "Started", "split": "Split changed", "version": "Page changed", "paused": "Paused",
    "resumed": "Went on", "verdict": "Verdict", "alarm": "Wrong split", "stopped": "Stopped", "shipped": "Shipped",
    "learned": "Learned", "note": "Note",
}


@dataclass(frozen=True)
class Line:
    """One test in a list: how it stands, and the words for it."""

    results: Results
    told: Told


def load(experiment_id: int) -> Results:
    """That test; 404 if there is none."""
    found = results(db.session().connection(), experiment_id)
    if found is None:
        abort(404)
    return found


@bp.get("/tests")
def index() -> ResponseReturnValue:
    """The tests that run first, then the log of what was learned by those that ended."""
    search = request.args.get("search", "").strip()[:100]
    session, now, zone, project = db.session(), clock.now(), site_zone(), current()
    connection = session.connection()
    query = select(Experiment).where(Experiment.ended_at.is_not(None), *_matching(search))
    page = Turn.asked(request.args).take(session, query, Experiment.id)
    latest_first = sorted(page.rows, key=lambda row: (row.ended_at, row.id), reverse=True)
    ended = _lines(briefly(connection, [row.id for row in latest_first]), zone)
    open_ = [] if search else _lines(briefly(connection, running(connection), course=True), zone)
    at_it = {line.results.offer for line in open_}
    begins = [] if search else [offer for offer in project.offers.values() if offer.runs and offer.slug not in at_it]
    return render_template("desk/tests.html", running=open_, begins=begins, ended=ended, page=page, search=search,
                           ready=[offer for offer in project.offers.values() if is_ready(offer)], now=now, shown=shown)


def is_ready(offer: Offer) -> bool:
    """Whether a test of the offer could begin: it has a challenger, and no test yet."""
    return offer.meta.experiment is None and len(offer.shown) > 1


def _lines(found: list[Results], zone: ZoneInfo) -> list[Line]:
    return [Line(each, tell(each, clock.now(), zone)) for each in found]


def _matching(search: str) -> list[ColumnElement[bool]]:
    """Tests whose hypothesis, learning or offer holds the words."""
    if not search:
        return []
    slugs = [slug for slug, offer in current().offers.items() if search.lower() in offer.title.lower()]
    return [or_(Experiment.hypothesis.icontains(search, autoescape=True),
                Experiment.learned.icontains(search, autoescape=True),
                Experiment.offer.icontains(search, autoescape=True), Experiment.offer.in_(slugs))]


@bp.get("/tests/<int:experiment_id>")
def test(experiment_id: int) -> ResponseReturnValue:
    """One test: the verdict, the figures behind it, what happened, and what was learned."""
    return page_of(load(experiment_id))


def page_of(found: Results, learned: str | None = None, theirs: str | None = None, code: int = 200
            ) -> ResponseReturnValue:
    """The page of a test. ``learned`` is what somebody typed while ``theirs`` was written by somebody else."""
    now, zone, offer = clock.now(), site_zone(), current().offers.get(found.offer)
    text = found.learned if learned is None else learned
    page = render_template(
        "desk/test.html", test=found, told=tell(found, now, zone), offer=offer, now=now,
        arms=shown.arm_rows(found, shown.titles(offer)), rates=shown.rates_chart(found),
        meter=progress(found.visitors, found.planned or 0), lifts=shown.lifts_chart(found),
        courses=shown.course_charts(found, zone), goals=GOALS,
        split=split_rows(found), looks=where_to_look(found) if found.alarm else (), event_words=EVENT_WORDS,
        ends=found.is_running and offer is not None and offer.meta.experiment is None,
        learned=text, theirs=theirs, before=seal(found.learned), longest=LONGEST)
    return page, code


def seal(*texts: str) -> str:
    """A short word that changes with the texts: a form brings it back, so that we see what its reader saw."""
    return sha256("\0".join(texts).encode()).hexdigest()[:20]


@bp.post("/tests/<int:experiment_id>/learned")
def learn(experiment_id: int) -> ResponseReturnValue:
    """Keep what was learned; 409 with both texts if somebody else wrote in the meantime."""
    found = load(experiment_id)
    text = request.form.get("learned", "").replace("\r\n", "\n").strip()[:LONGEST]
    if text == found.learned:
        flash("It stands in the log as you wrote it.", "good")
        return redirect(url_for("tests.test", experiment_id=found.id), 303)
    if request.form.get("before") != seal(found.learned):
        return page_of(found, learned=text, theirs=found.learned, code=409)
    with writing() as write:
        journal.learn(write, found.id, text, actor=person().actor.name, at=clock.now())
        audit.record(write, "wrote what a test taught", person().actor, f"experiment:{found.id}")
    flash(f"It stands in the log of {offer_title(found.offer)}.", "good")
    return redirect(url_for("tests.test", experiment_id=found.id), 303)
