"""Segments at the desk: the list, and the builder that shows a rule as a sentence with its count."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from handsel import clock
from handsel.accounts.models import Account
from handsel.db import db
from handsel.desk import DeskBlueprint, person
from handsel.errors import HandselError
from handsel.leads import finding
from handsel.leads.segments import acts
from handsel.leads.segments.counting import PATIENCE, Size, sampled, size
from handsel.offers.live import Live, current
from handsel.rules.builder import MOST, OPS, TEXT_OPS, kind_of, rows_of
from handsel.rules.catalogue import ACTS, Vocabulary
from handsel.rules.segments import FILE, Segment
from handsel.rules.sentence import sentence
from handsel.sales import segment_sheet as sheets
from handsel.sales.segment_sheet import Meaning, Sheet

bp = DeskBlueprint("segments", __name__, roles=("sales", "marketer", "owner"))

TOGETHER = 1.5  # seconds for all counts of the list: beyond, they are guesses
_CHOSEN_OPS = ("any_of", "none_of", "known", "not known")


def _live() -> Live:
    found: Live = current_app.extensions["handsel.offers"]
    return found


@bp.get("/segments")
def index() -> ResponseReturnValue:
    """The list: each rule as a sentence, with its count."""
    known, now = current().rules.segments, clock.now()
    until = time.monotonic() + TOGETHER
    rows = [(one, sentence(one.condition), _count(one, until)) for one in known.by_name.values()]
    wrong = [fault for fault in current().faults if fault.where == FILE]
    return render_template("desk/segments.html", rows=rows, faulty=known.faulty, wrong=wrong, now=now,
                           edits=acts.recent(db.session(), now), asked=request.args.get("done", type=int))


def _count(one: Segment, until: float) -> Size:
    left = min(PATIENCE, until - time.monotonic())
    if left <= 0:
        return sampled(db.session(), one.condition, clock.now())
    return size(db.session(), one.condition, clock.now(), seconds=left)


@bp.route("/segments/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """The builder of a new segment."""
    if request.method != "POST":
        return _page("", Sheet(), "")
    return _changed("")


@bp.route("/segments/<name>", methods=["GET", "POST"])
def segment(name: str) -> ResponseReturnValue:
    """The builder of a segment that is there."""
    block, seen = acts.written(_live(), name)
    if block is None:
        abort(404)
    if request.method != "POST":
        return _page(name, sheets.filed(block, _words(name)), seen)
    return _changed(name)


def _words(name: str) -> Vocabulary:
    """The names that the rule can use: of segments, all but itself."""
    words = current().rules.words
    return replace(words, segments=tuple(pair for pair in words.segments if pair[0] != name))


def _changed(name: str) -> ResponseReturnValue:
    sheet, words = sheets.typed(request.form), _words(name)
    act, seen = request.form.get("act", "look"), request.form.get("seen", "")
    if act == "save":
        return _saved(name, sheet, seen)
    if act == "add":
        row = sheets.fresh_row(request.form.get("about", ""), words)
        if row is not None and len(sheet.rows) < MOST:
            sheet = replace(sheet, rows=(*sheet.rows, row))
        return _page(name, sheet, seen, focus=f"r{len(sheet.rows) - 1}-op")
    if act.startswith("remove-"):
        kept = tuple(row for place, row in enumerate(sheet.rows) if act != f"remove-{place}")
        return _page(name, replace(sheet, rows=kept), seen, focus="about")
    if act == "text" and sheet.text is None:
        sheet = replace(sheet, text=sheets.text_of(sheet.rule(words)))
    elif act == "rows" and sheet.text is not None:
        return _as_rows(name, sheet, seen)
    return _page(name, sheet, seen)


def _as_rows(name: str, sheet: Sheet, seen: str) -> ResponseReturnValue:
    words = _words(name)
    found = rows_of(sheet.rule(words), words)
    if found is None:
        return _page(name, sheet, seen, conflict="This rule says more than rows can show. Go on with the text.")
    return _page(name, replace(sheet, rows=tuple(found[0]), match=found[1], text=None), seen)


def _saved(name: str, sheet: Sheet, seen: str) -> ResponseReturnValue:
    _live().refresh()
    words = _words(name)
    meant = sheets.meaning(sheet, words)
    if meant.wrong:
        return _page(name, sheet, seen, meant=meant, show=True, code=422)
    try:
        edit = acts.save(_live(), name or _slug(sheet.label), sheets.draft(sheet, words), seen=seen,
                         actor=person().actor)
    except acts.Conflict as error:
        theirs = acts.written(_live(), name)[1] if name else seen
        return _page(name, sheet, theirs, conflict=f"{error.what} {error.do}", code=409)
    except HandselError as error:
        return _page(name, sheet, seen, conflict=f"{error.what} {error.do}".strip(), code=422)
    flash(f"Saved “{sheet.label}”: {meant.size} now.", "good")
    return redirect(url_for("segments.index", done=edit.id), 303)


def _slug(label: str) -> str:
    """The name in the file that a label makes."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))[:60].strip("-") or "segment"


@bp.post("/segments/<name>/removal")
def remove(name: str) -> ResponseReturnValue:
    """Delete a segment that nothing names."""
    return _done(lambda: acts.delete(_live(), name, seen=request.form.get("seen", ""), actor=person().actor),
                 f"Deleted “{name}”.")


@bp.post("/segments/edits/<int:edit_id>/undo")
def undo(edit_id: int) -> ResponseReturnValue:
    """Put a segment back as it was before a change."""
    return _done(lambda: acts.undo(_live(), edit_id, actor=person().actor), "Undone: the lines are as they were.")


def _done(act: Callable[[], Any], words: str) -> ResponseReturnValue:
    try:
        edit = act()
    except HandselError as error:
        flash(f"{error.what} {error.do}".strip(), "bad")
        return redirect(url_for("segments.index"), 303)
    flash(words, "good")
    undone = edit.undone_at is not None or edit.id is None
    return redirect(url_for("segments.index", **({} if undone else {"done": edit.id})), 303)


def _page(name: str, sheet: Sheet, seen: str, *, meant: Meaning | None = None,
          conflict: str = "", show: bool = False, focus: str = "", code: int = 200) -> ResponseReturnValue:
    """The builder. What is wrong with a field is shown once somebody pressed Save, or at the row itself."""
    words = _words(name)
    meant = meant or sheets.meaning(sheet, words)
    owners = list(db.session().scalars(select(Account.email).where(Account.active).order_by(Account.email)))
    page = render_template(
        "desk/segment.html", name=name, sheet=sheet, seen=seen, meant=meant, conflict=conflict, show=show, focus=focus,
        rows=[_row(row, words, owners) for row in sheet.rows], groups=sheets.offered(words),
        tags=finding.tags_in_use(db.session()), file=FILE)
    return page, code


def _row(row: Any, words: Vocabulary, owners: list[str]) -> dict[str, Any]:
    """What a template needs to draw one row."""
    attribute, act = words.by_name.get(row.about), ACTS.get(row.about)
    kind = kind_of(row.about, words)
    choices = sheets.choices(attribute, row.about, words, owners)
    ops = OPS.get(kind, TEXT_OPS)
    if kind == "text" and choices:
        ops = {op: ops[op] for op in _CHOSEN_OPS}
    picked = {f"kind:{value}" for value in row.values} if row.of == "offer_kind" else set(row.values)
    title = "In a segment" if row.about == "segment" else sheets.act_title(act) if act else (
        attribute.words if attribute else "")
    return {"row": row, "kind": kind, "what": act.what if act else "", "title": title[:1].upper() + title[1:],
            "ops": ops, "choices": choices, "picked": picked, "typed": ", ".join(row.values)}
