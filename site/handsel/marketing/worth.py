"""Which offer's leads were worth it: from the form to what sales made of them, and the money."""

from __future__ import annotations

from datetime import timedelta

from flask import render_template, request
from flask.typing import ResponseReturnValue

from handsel import clock
from handsel.db import db
from handsel.leads import finding
from handsel.leads.stages import worth
from handsel.marketing.offers import bp
from handsel.offers.live import current

SPANS = {28: "four weeks", 91: "quarter", 365: "year"}
USUAL = 91


@bp.get("/worth")
def report() -> ResponseReturnValue:
    """All offers, and what became of the people who asked for them."""
    asked = request.args.get("days", "")
    days = int(asked) if asked.isdecimal() and asked.isascii() and int(asked[:4]) in SPANS else USUAL
    now, rules = clock.now(), current().rules
    segment = request.args.get("segment", "")
    shown = {"days": days, "spans": SPANS, "segment": segment, "segments": rules.segments.by_name}
    try:
        among = finding.segment(rules.segments, segment)
    except finding.FilterError as error:
        return render_template("desk/worth.html", problem=error, whole=None, each=[], **shown), 400
    whole, *each = worth.worth(db.session(), now - timedelta(days=days), now + timedelta(seconds=1), among=among,
                               at=now)
    return render_template("desk/worth.html", problem=None, whole=whole, each=each, amount=worth.amount,
                           reasons=lambda one: worth.reasons(one, rules.handoff.reason),
                           best=max((one.accepted for one in each), default=0), **shown)
