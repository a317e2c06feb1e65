"""Scores at the desk: why a lead has its points, what sales is likely to say of it, and trying rules on the past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from handsel import clock
from handsel.db import db
from handsel.desk import DeskBlueprint, only, person
from handsel.desk.charts import Bar, Table, intervals
from handsel.desk.shell import site_zone
from handsel.errors import HandselError
from handsel.leads.models import Lead
from handsel.leads.qualify.people import people
from handsel.leads.quality import learning
from handsel.leads.quality.learning import Learned, Missing, restored
from handsel.leads.quality.measures import Figures
from handsel.leads.quality.models import QualityModel
from handsel.leads.quality.predicting import learned_of, newest, predicted
from handsel.leads.quality.properties import PROPERTIES, Seen, named
from handsel.leads.scoring import saving
from handsel.leads.scoring import simulate as simulating
from handsel.leads.scoring.points import Points, points
from handsel.leads.scoring.reasons import Line, lines
from handsel.leads.scoring.simulate import Simulation
from handsel.offers.live import Live, current
from handsel.rules.conditions import Did
from handsel.rules.scoring import FILE, ONCE, ONCE_EACH, Rule, Scoring, scoring_of
from handsel.rules.sentence import said

bp = DeskBlueprint("scoring", __name__, roles=("sales", "marketer", "owner"))
AT_THE_DESK = 1000  # leads that a page looks at while somebody waits for it; the command looks at all
LARGEST = 100_000  # points, beyond which somebody slipped
USUAL = 50  # points to begin with
TIMES = {"quarter": "last quarter", "90": "the last 90 days", "365": "the last 365 days"}


# --- on the page of a lead --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Why:
    """The score of a lead now, with its reasons by part; ``parts`` are triples of a word, the points, and the lines."""

    points: Points
    parts: tuple[tuple[str, int, tuple[Line, ...]], ...]


@dataclass(frozen=True)
class Expected:
    """What sales is likely to say: the chance from 0 to 1 with its reasons, or in ``off`` why there is none."""

    chance: float | None
    average: float = 0.0
    parts: tuple[learning.Part, ...] = ()
    off: str = ""


def panel(lead: Lead) -> Mapping[str, Any]:
    """For _score: why this score, and what sales is likely to say."""
    session, at, scoring = db.session(), clock.now(), current().rules.scoring
    head = session.get_one(Lead, lead.merged_into_id) if lead.merged_into_id is not None else lead
    somebody = people(session, [head], at)[head.id]
    found = points(scoring, somebody, at)
    titles = {slug: offer.title for offer in current().offers.values() for slug in (offer.slug, *offer.former_slugs)}
    told = lines(scoring, somebody, found, at, titles)
    parts = tuple((word, number, tuple(line for line in told if line.part == part)) for word, part, number in (
        ("Fit", "fit", found.fit), ("Interest", "interest", found.interest)))
    return {"why": Why(found, parts), "expected": _expected(Seen(somebody, found, at), lead.stage)}


def _expected(seen: Seen, stage: str) -> Expected | None:
    if stage in ("sql", "customer"):
        return None  # sales has said it
    model, scoring = newest(db.session()), current().rules.scoring
    learned = learned_of(model, scoring)
    if learned is None:
        return Expected(None, off=_off(model, scoring))
    number, _ = predicted(learned, seen)
    if number is None:
        return Expected(None, off="Nothing is predicted of who has not proven the mailbox, or did nothing for half a "
                                  "year.")
    return Expected(number / 1000, learned.average, tuple(learned.parts(seen)))


def _off(model: QualityModel | None, scoring: Scoring) -> str:
    """Why nothing is predicted, in a sentence."""
    if model is None:
        return "It is off: the worker has not looked at the outcomes yet, which it does once a day."
    missing = Missing(model.accepted, model.rejected)
    if missing.total:
        return f"It is off: {missing.words}"
    if not model.shown:
        return "It is off: on leads that it had not seen, it was no better than guessing."
    return "It is off for a minute: the rules have changed, and the worker learns anew."


# --- the screen -------------------------------------------------------------------------------------------------------


@bp.get("/scoring")
def index() -> ResponseReturnValue:
    """The rules, the form to try others, and how well the prediction does. With a threshold, what it comes to."""
    text, seen = saving.written(_live())
    if "threshold" in request.args:
        asked = {"threshold": request.args["threshold"], "time": request.args.get("time", "quarter")}
        return _page(text, seen, asked)
    return _page(text, seen, {})


@bp.post("/scoring")
def trial() -> ResponseReturnValue:
    """What the rules in the box would have said, beside the present ones. Nothing is changed."""
    return _page(_typed(), request.form.get("seen", ""), _asked())


@bp.post("/scoring/rules")
@only("marketer", "owner")
def save() -> ResponseReturnValue:
    """Let the rules in the box hold from now on."""
    try:
        edit = saving.save(_live(), _typed(), seen=request.form.get("seen", ""), actor=person().actor)
    except HandselError as error:
        return _page(_typed(), request.form.get("seen", ""), {}, f"{error.what} {error.do}")
    return redirect(url_for("scoring.index", done=edit.id), 303)


@bp.post("/scoring/edits/<int:edit_id>/undo")
@only("marketer", "owner")
def undo(edit_id: int) -> ResponseReturnValue:
    """Put the rules back as they were before a change."""
    try:
        saving.undo(_live(), edit_id, actor=person().actor)
    except HandselError as error:
        flash(f"{error.what} {error.do}", "bad")
    else:
        flash("Undone: the rules are as they were.", "good")
    return redirect(url_for("scoring.index"), 303)


def _live() -> Live:
    found: Live = current_app.extensions["handsel.offers"]
    return found


def _typed() -> str:
    return request.form.get("rules", "").replace("\r\n", "\n")


def _asked() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in ("threshold", "time")}


def _page(text: str, seen: str, asked: Mapping[str, str], problem: str = "") -> ResponseReturnValue:
    """The page with ``text`` in the box, which was made of the rules with the mark ``seen``."""
    rulebook = current().rules
    same = text == saving.written(_live())[0]
    tried, faults = (rulebook.scoring, []) if same else scoring_of(FILE, text.encode(), rulebook.words)
    values: dict[str, Any] = {"tried": None, "problem": problem}
    if asked and tried is not None:
        try:
            values = _tried(tried, asked)
        except HandselError as error:
            values["problem"] = f"{error.what} {error.do}"
    code = 422 if faults or values["problem"] else 200
    page = render_template(
        "desk/scoring.html", text=text, faults=faults, rules=rulebook.scoring, asks=asks, counts=counts, times=TIMES,
        file=FILE, threshold=asked.get("threshold", USUAL), time=asked.get("time", "quarter"), told=_learned(),
        seen=seen, changed=not same, edits=saving.recent(db.session()), done=request.args.get("done", type=int),
        now=clock.now(), wrong=[fault for fault in current().faults if fault.where == FILE], **values)
    return page, code


def asks(rule: Rule) -> str:
    """Whom or what a rule gives points for, in words."""
    condition = rule.when if rule.when is not None else Did(rule.on) if rule.on is not None else None
    return said(condition) if condition is not None else ""


def counts(rule: Rule) -> str:
    """How the acts of a rule count, in words; empty for a rule on what holds or not."""
    if rule.on is None:
        return ""
    found = [{"": "each time", ONCE: "the newest alone", ONCE_EACH: "the newest of each"}[rule.once]]
    if rule.cap is not None:
        found.append(f"{rule.cap} points at most")
    found.append(f"half of it after {rule.half_life.days} days" if rule.half_life else "it stays")
    return ", ".join(found)


def _tried(scoring: Scoring, asked: Mapping[str, str]) -> dict[str, Any]:
    typed = asked["threshold"].strip()
    if not (typed.isascii() and typed.isdigit() and 0 < int(typed[:9]) <= LARGEST):
        raise HandselError("threshold", "That is not a number of points.", "Write a whole number, such as 60.")
    begin, end, name = _time(asked["time"])
    threshold, present = int(typed), current().rules.scoring
    before = None if scoring is present else _run(present, threshold, begin, end)
    found = _run(scoring, threshold, begin, end)
    return {"tried": found, "outcome": found.of(threshold), "sentence": simulating.sentence(found.of(threshold), name),
            "others": simulating.others(found.of(threshold)), "before": before, "problem": "",
            "before_says": simulating.sentence(before.of(threshold), name) if before else "",
            "days": simulating.period_name(begin, end, site_zone())}


def _time(name: str) -> tuple[datetime, datetime, str]:
    now, zone = clock.now(), site_zone()
    if name not in TIMES:
        raise HandselError("time", "There is no such time to choose.", "Choose one of those in the list.")
    if name == "quarter":
        return simulating.period("", "", now, zone)
    begin, end, _ = simulating.period((now - int(name) * simulating.DAY).astimezone(zone).date().isoformat(), "", now,
                                      zone)
    return begin, end, f"In {TIMES[name]}"


def _run(scoring: Scoring, threshold: int, since: datetime, until: datetime) -> Simulation:
    *_, last = simulating.simulate(db.session(), scoring, threshold, since=since, until=until, most=AT_THE_DESK)
    return last


# --- how well the prediction does -------------------------------------------------------------------------------------


def _learned() -> dict[str, Any]:
    """What there is to say of the prediction: why it is off, or its figures."""
    model = newest(db.session())
    found: dict[str, Any] = {"model": model, "off": "", "figures": None, "least": learning.LEAST,
                             "least_each": learning.LEAST_EACH}
    if model is None or learned_of(model, current().rules.scoring) is None:
        found["off"] = _off(model, current().rules.scoring)
    if model is not None and model.learned:
        learned = _restored(model)
        if learned is not None:
            found |= {"figures": learned.figures, "chart": _chart(learned.figures),
                      "looks_at": [each.words for each in named(learned.properties)],
                      "more": len(PROPERTIES) - len(learned.properties)}
    return found


def _restored(model: QualityModel) -> Learned | None:
    try:
        return restored(model.learned)
    except KeyError:
        return None


def _chart(figures: Figures) -> Any:
    """The calibration: what was predicted for each fifth of the leads, and which share of it sales accepted."""
    bars = [Bar(f"Predicted {group.predicted:.0%}", group.low, group.share, group.high,
                f"{group.accepted} of {group.number} accepted: {group.share:.0%}") for group in figures.groups]
    agree = sum(group.low <= group.predicted <= group.high for group in figures.groups)
    rows = [(f"{group.predicted:.0%}", str(group.number), str(group.accepted), f"{group.share:.0%}",
             f"{group.low:.0%} to {group.high:.0%}") for group in figures.groups]
    return intervals("calibration", bars, lambda value: f"{value:.0%}", finding=(
        f"In {agree} of {len(figures.groups)} groups what was predicted lies within what can be told from the "
        "outcomes."), table=Table("Predictions and outcomes in groups of equal size", (
            "Predicted", "Leads", "Accepted", "Share", "May be"), rows))
