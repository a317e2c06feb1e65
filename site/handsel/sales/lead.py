"""One lead: its page, tags by hand, held captures, stage and sales."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from handsel import clock
from handsel.accounts import audit
from handsel.db import db, writing
from handsel.desk import only, person
from handsel.errors import HandselError
from handsel.leads import goals, held, profile
from handsel.leads.confirm import locked
from handsel.leads.models import Capture, Lead
from handsel.offers.live import current
from handsel.sales import lead_page
from handsel.sales.leads import bp

_TAG = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


@bp.get("/leads/<int:lead_id>")
def lead(lead_id: int) -> ResponseReturnValue:
    """One lead: what is held of it, and what happened day by day."""
    return render_template("desk/lead.html", **lead_page.values(db.get_or_404(Lead, lead_id)))


@bp.post("/leads/<int:lead_id>/tags")
def add_tag(lead_id: int) -> ResponseReturnValue:
    """Put a tag on by hand."""
    db.get_or_404(Lead, lead_id)
    tag = "-".join(request.form.get("tag", "").strip().lower().split())
    if not _TAG.fullmatch(tag):
        flash("A tag is made of letters a to z, digits and dashes, such as 'site-visit'.", "bad")
        return redirect(url_for("leads.lead", lead_id=lead_id), 303)
    with writing() as write:
        found = locked(write, lead_id)
        profile.add_tag(write, found, tag, clock.now(), f"by hand: {person().email}"[:120])
        _log(write, "added a tag", found, {"tag": tag})
    return redirect(url_for("leads.lead", lead_id=lead_id), 303)


@bp.post("/leads/<int:lead_id>/tags/<tag>/removal")
def remove_tag(lead_id: int, tag: str) -> ResponseReturnValue:
    """Take a tag off by hand."""
    db.get_or_404(Lead, lead_id)
    with writing() as write:
        found = locked(write, lead_id)
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
