"""Leads: the list, one lead with its timeline, tags by hand, and the export."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from handsel import clock
from handsel.accounts import audit
from handsel.db import db, writing
from handsel.desk import DeskBlueprint, only, person
from handsel.desk.shell import day_name, site_zone
from handsel.desk.turning import Turn
from handsel.errors import HandselError
from handsel.leads import export as leads_export
from handsel.leads import finding, goals, held, profile
from handsel.leads.models import STAGES, Capture, Lead
from handsel.leads.pause import paused
from handsel.leads.timeline import Event, timeline
from handsel.offers.live import current

bp = DeskBlueprint("leads", __name__, roles=("sales", "marketer", "owner"))

FORMATS = {"csv": "text/csv; charset=utf-8", "csv-excel": "text/csv; charset=utf-8",
           "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
_TAG = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


@bp.get("/leads")
def index() -> ResponseReturnValue:
    """The list: searched, filtered, 50 a page, the latest first."""
    try:
        asked = _asked(request.args)
    except finding.FilterError as error:
        return render_template("desk/leads.html", page=None, problem=error, **_choices(request.args)), 400
    session = db.session()
    first = finding.first_number(session, asked)
    found = finding.find([Lead], asked, first)
    turn = Turn.asked(request.args)
    page = turn.take(session, found.query, found.number)
    whole = page.older is None and page.newer is None
    count = len(page.rows) if whole else finding.count(session, asked, first, most=finding.COUNTED)
    return render_template("desk/leads.html", page=page, count=count, most=finding.COUNTED, asked=asked,
                           now=clock.now(), **_choices(asked.shown))


def _asked(given: Any) -> finding.Wanted:
    return finding.wanted(db.session(), given, current().offers, site_zone())


def _choices(shown: Any) -> dict[str, Any]:
    session = db.session()
    offers = sorted({*current().offers, *finding.offers_asked_for(session)})
    return {"shown": shown, "offers": offers, "tags": finding.tags_in_use(session), "stages": STAGES}


@bp.get("/leads/<int:lead_id>")
def lead(lead_id: int) -> ResponseReturnValue:
    """One lead: what is held of it, and what happened day by day."""
    found = db.get_or_404(Lead, lead_id)
    now = clock.now()
    events = timeline(db.session(), found)
    ahead = [event for event in events if event.at > now]
    past = [event for event in events if event.at <= now]
    waiting = [event.row for event in events if event.kind == "capture" and event.row.quarantine]
    return render_template("desk/lead.html", lead=found, pause_ends=paused(found, now), ahead=ahead[::-1],
                           days=list(_by_day(past, now)), now=now, waiting=waiting, labels=_labels(events),
                           known_tags=finding.tags_in_use(db.session()), currency=current().site.currency)


def _by_day(events: list[Event], now: datetime) -> Iterator[tuple[str, list[Event]]]:
    for day, of_day in groupby(events, lambda event: day_name(event.at, now)):
        yield day, list(of_day)


def _labels(events: list[Event]) -> dict[str, dict[str, str]]:
    """By form: how it words its fields, so that answers read as they were asked."""
    forms = {event.row.form for event in events if event.kind == "capture"}
    known = current().forms
    return {name: {field.name: field.label for field in known[name].fields} for name in forms if name in known}


@bp.post("/leads/<int:lead_id>/tags")
def add_tag(lead_id: int) -> ResponseReturnValue:
    """Put a tag on by hand."""
    db.get_or_404(Lead, lead_id)
    tag = "-".join(request.form.get("tag", "").strip().lower().split())
    if not _TAG.fullmatch(tag):
        flash("A tag is made of letters a to z, digits and dashes, such as 'site-visit'.", "bad")
        return redirect(url_for("leads.lead", lead_id=lead_id), 303)
    with writing() as write:
        found = write.get_one(Lead, lead_id)
        profile.add_tag(write, found, tag, clock.now(), f"by hand: {person().email}"[:120])
        _log(write, "added a tag", found, {"tag": tag})
    return redirect(url_for("leads.lead", lead_id=lead_id), 303)


@bp.post("/leads/<int:lead_id>/tags/<tag>/removal")
def remove_tag(lead_id: int, tag: str) -> ResponseReturnValue:
    """Take a tag off by hand."""
    db.get_or_404(Lead, lead_id)
    with writing() as write:
        found = write.get_one(Lead, lead_id)
        if tag in found.tags_text.split(", "):
            profile.remove_tag(write, found, tag)
            _log(write, "removed a tag", found, {"tag": tag})
    return redirect(url_for("leads.lead", lead_id=lead_id), 303)


@bp.post("/leads/<int:lead_id>/captures/<int:capture_id>/release")
def release(lead_id: int, capture_id: int) -> ResponseReturnValue:
    """Let a held capture go its way: a person looked at it and took it for a person's."""
    capture = db.get_or_404(Capture, capture_id)
    if capture.lead_id != lead_id:
        abort(404)
    reason = capture.quarantine
    if current().offer(capture.offer) is None:
        flash(f"The offer '{capture.offer}' is gone, so there is nothing to send.", "bad")
        return redirect(url_for("leads.lead", lead_id=lead_id), 303)
    with writing() as write:
        if held.release(write, write.get_one(Capture, capture_id), clock.now()):
            _log(write, "released a held capture", write.get_one(Lead, lead_id), {"reason": reason})
    flash("Released. What was asked for is on its way.", "good")
    return redirect(url_for("leads.lead", lead_id=lead_id), 303)


@bp.post("/leads/<int:lead_id>/stage")
@only("sales", "owner")
def stage(lead_id: int) -> ResponseReturnValue:
    """Write down how far the lead is, and why."""
    db.get_or_404(Lead, lead_id)
    reason = request.form.get("reason", "")
    return _act(lead_id, lambda write: goals.decide(write, lead_id, request.form.get("stage", ""), reason,
                                                    actor=person().actor, at=clock.now()))


@bp.post("/leads/<int:lead_id>/sales")
@only("sales", "owner")
def sale(lead_id: int) -> ResponseReturnValue:
    """Write down what the lead brought."""
    db.get_or_404(Lead, lead_id)
    typed, currency = request.form.get("amount", ""), current().site.currency
    return _act(lead_id, lambda write: goals.sell(write, lead_id, goals.money(typed), currency,
                                                  actor=person().actor, at=clock.now()))


def _act(lead_id: int, act: Callable[[Any], object]) -> ResponseReturnValue:
    try:
        with writing() as write:
            act(write)
    except HandselError as error:
        flash(f"{error.what} {error.do}", "bad")
    return redirect(url_for("leads.lead", lead_id=lead_id), 303)


def _log(write: Any, action: str, lead: Lead, detail: dict[str, Any]) -> None:
    audit.record(write, action, person().actor, audit.of_lead(lead.key), detail)


@bp.post("/leads/export")
@only("sales", "owner")
def export() -> ResponseReturnValue:
    """The leads of the filter as a file. A POST, because it is logged who took which leads."""
    kind = request.form.get("format", "")
    if kind not in FORMATS:
        abort(400, f"Choose a format: {', '.join(FORMATS)}.")
    try:
        asked = _asked(request.form)
    except finding.FilterError as error:
        return render_template("desk/leads.html", page=None, problem=error, **_choices(request.form)), 400
    first = finding.first_number(db.session(), asked)
    rows = finding.count(db.session(), asked, first)
    with writing() as write:
        audit.record(write, "exported leads", person().actor, "leads",
                     {"rows": rows, "format": kind, **asked.shown})
    answer = Response(_file(kind, asked, first), content_type=FORMATS[kind])
    name = "-".join(["leads", *(asked.shown[part] for part in ("offer", "tag", "stage") if part in asked.shown),
                     f"{clock.now():%Y-%m-%d}"])
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind.partition("-")[0]}"'
    return answer


def _file(kind: str, asked: finding.Wanted, first: int) -> Iterator[bytes]:
    engine = db.engine  # the answer is sent after the request's own session has gone

    def parts() -> Iterator[bytes]:
        with engine.connect() as connection:
            if kind != "xlsx":
                yield from leads_export.csv_parts(connection, asked, first=first, bom=kind == "csv-excel")
                return
            with tempfile.TemporaryFile() as file:
                leads_export.xlsx(connection, asked, file, first=first)
                file.seek(0)
                while part := file.read(65536):
                    yield part

    return parts()
