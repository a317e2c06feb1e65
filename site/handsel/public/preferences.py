"""A person's own doors: leaving, choosing topics, seeing, mending, taking along and erasing what we hold."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, request, url_for

from handsel import clock
from handsel.db import db, writing
from handsel.forms.schema import RECOGNITION
from handsel.leads import answers, forget, preferences
from handsel.leads.models import Lead
from handsel.leads.pause import DAYS, by_event, go_on, pause, paused
from handsel.leads.privacy import parcel
from handsel.leads.unsubscribe import find, split_token, unsubscribe
from handsel.public import bp, doors
from handsel.public.history import RECOGNISE, history

FIELDS = {
    "name": ("Name", "name"), "first_name": ("First name", "given-name"), "last_name": ("Last name", "family-name"),
    "company": ("Company", "company"), "job_title": ("Job title", "job-title"), "phone": ("Phone", "phone"),
    "country": ("Country", "country"),
}
"""The columns that a person may mend, with their label and type of field."""

@bp.get("/u/<token>")
def leave(token: str) -> Response:
    """Two buttons: this topic, or everything. Nothing is pressed for anybody, and nothing tells whose link it is."""
    _, topic = split_token(token)
    return doors.page("unsubscribe.html", token=token, topic=doors.project().site.topics.get(topic, ""), done="")


@bp.post("/u/<token>")
def left(token: str) -> Response:
    """The buttons, and the one-click request of mail programs (RFC 8058). The same answer for every token."""
    key, topic = split_token(token)
    scope = request.form.get("scope", "")
    one_click = scope not in {"topic", "all"}
    leaving = "" if scope == "all" else topic
    way = doors.way("one-click" if one_click else "unsubscribe page")
    with writing() as session:
        lead = find(session, key)
        if lead is not None:
            unsubscribe(session, lead, leaving, way, clock.now())
    if one_click:
        return doors.private(("You are unsubscribed.\n", {"Content-Type": "text/plain; charset=utf-8"}))
    words = doors.project().site.topics.get(leaving, "") if leaving else ""
    return doors.page("unsubscribe.html", token=token, topic=words, done=scope, key=key)


@bp.get("/preferences/<key>")
def choose(key: str) -> Response:
    """Topics as boxes, and leaving all with equal weight."""
    lead = find(db.session(), key)
    if lead is None:
        return doors.lost()
    agreed, until = preferences.chosen(db.session(), lead), paused(lead, clock.now())
    return doors.page("preferences.html", lead=lead, topics=doors.project().site.topics, chosen=agreed,
                      recognised=RECOGNISE if RECOGNITION in agreed else "", pauses=DAYS,
                      paused=doors.on_day(until) if until else "", saved="saved" in request.args)


@bp.post("/preferences/<key>")
def chosen(key: str) -> Response:
    """Keep what was chosen."""
    site, way = doors.project().site, doors.way("preferences")
    with writing() as session:
        lead = find(session, key)
        if lead is None:
            return doors.lost()
        if request.form.get("leave") == "all":
            unsubscribe(session, lead, "", way, clock.now())
        else:
            wanted = set(request.form.getlist("topic")) & {*site.topics, RECOGNITION}
            preferences.choose(session, lead, wanted, topics=site.topics, language=site.language, way=way,
                               at=clock.now())
    return doors.private(redirect(url_for("public.choose", key=key, saved=1), 303))


@bp.post("/preferences/<key>/pause")
def rest(key: str) -> Response:
    """No letters for a while, or letters again."""
    days, tied = request.form.get("days", ""), by_event(doors.project().offers.values())
    with writing() as session:
        lead = find(session, key)
        if lead is None:
            return doors.lost()
        if days in map(str, DAYS):
            pause(session, lead, int(days), clock.now(), tied)
        elif days == "0":
            go_on(session, lead, clock.now(), tied)
    return doors.private(redirect(url_for("public.choose", key=key, saved=1), 303))


@bp.get("/preferences/<key>/data")
def data(key: str) -> Response:
    """What we hold, to read and to mend."""
    lead = find(db.session(), key)
    return _data(lead) if lead else doors.lost()


def _data(lead: Lead, status: int = 200, typed: dict[str, str] | None = None,
          mistakes: dict[str, str] | None = None) -> Response:
    told = parcel.everything(db.session(), lead, of_person=False)
    fields = {name: (label, (typed or {}).get(name, told["lead"][name])) for name, (label, _) in FIELDS.items()}
    return doors.page("data.html", status, lead=lead, told=told, fields=fields, mistakes=mistakes or {},
                      saved="saved" in request.args, history=history(told, doors.project()),
                      visits=len(told["page_visit"]), others=_others(lead))


@bp.post("/preferences/<key>/data")
def mend(key: str) -> Response:
    """Take the person's own word for their own data."""
    read: dict[str, Any] = {}
    typed = {name: answers.tidy(request.form.get(name, "")) for name in FIELDS}
    mistakes: dict[str, str] = {}
    for name, text in typed.items():
        try:
            read[name] = answers.read_as(FIELDS[name][1], text) if text else None
        except ValueError as mistake:
            mistakes[name] = str(mistake)
    way = doors.way("preferences")
    with writing() as session:
        lead = find(session, key)
        if lead is None:
            return doors.lost()
        if not mistakes:
            preferences.mend(session, lead, read, way, clock.now())
    if mistakes:
        lead = find(db.session(), key)
        return _data(lead, 422, typed, mistakes) if lead else doors.lost()
    return doors.private(redirect(url_for("public.data", key=key, saved=1), 303))


@bp.get("/preferences/<key>/data.json")
def take_along(key: str) -> Response:
    """What we hold, as a file."""
    lead = find(db.session(), key)
    if lead is None:
        return doors.lost()
    text = parcel.as_json(parcel.everything(db.session(), lead, of_person=False))
    return doors.private((text, {"Content-Type": "application/json; charset=utf-8",
                                 "Content-Disposition": 'attachment; filename="my-data.json"'}))


@bp.get("/preferences/<key>/data.zip")
def take_tables(key: str) -> Response:
    """What we hold, as tables for a spreadsheet."""
    lead = find(db.session(), key)
    if lead is None:
        return doors.lost()
    packed = parcel.as_zip(parcel.everything(db.session(), lead, of_person=False))
    return doors.private((packed, {"Content-Type": "application/zip",
                                   "Content-Disposition": 'attachment; filename="my-data.zip"'}))


def _others(lead: Lead) -> list[str]:
    """The person's other mailboxes, so that only their owner knows them again."""
    return [parcel.masked(box.address) for box in parcel.mailboxes(db.session(), lead) if box.id != lead.id]


@bp.get("/preferences/<key>/erase")
def ask_erase(key: str) -> Response:
    """What erasing means, and the button."""
    lead = find(db.session(), key)
    return doors.page("erase.html", lead=lead, done=False, others=_others(lead)) if lead else doors.lost()


@bp.post("/preferences/<key>/erase")
def erase(key: str) -> Response:
    """Erase the person, with each mailbox that we know as theirs."""
    at = clock.now()
    with writing() as session:
        lead = find(session, key)
        if lead is None:
            return doors.lost()
        addresses = forget.forget_person(session, lead, at, "the person")
    forget.finish(addresses, at)
    return doors.page("erase.html", lead=None, done=True)
