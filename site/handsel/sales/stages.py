"""On the page of a lead: how far it is and why, and the four answers of BANT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from handsel import clock
from handsel.db import db, writing
from handsel.desk import only, person
from handsel.errors import HandselError
from handsel.leads.confirm import locked
from handsel.leads.models import Lead
from handsel.leads.qualify.looking import look
from handsel.leads.stages import bant, moving
from handsel.leads.stages.models import QUESTIONS
from handsel.offers.live import current
from handsel.sales.leads import bp

ASKED = {"budget": "Is there money for it?", "authority": "Do they decide?", "need": "Do they need it?",
         "timeline": "Is there a time for it?"}
_MET = {"yes": True, "no": False, "": None}


def panel(lead: Lead) -> Mapping[str, Any]:
    """For _stage and _bant: the changes of stage, the newest first, and the answers by question."""
    return {"stage_changes": moving.changes(db.session(), lead.id)[::-1], "currency": current().site.currency,
            "bant": bant.answers_of(db.session(), lead.id), "bant_asked": {name: ASKED[name] for name in QUESTIONS}}


@bp.post("/leads/<int:lead_id>/bant", endpoint="bant")
@only("sales", "owner")
def answer_bant(lead_id: int) -> ResponseReturnValue:
    """Write down what was learned about one question; without a yes or no, take the answer back."""
    db.get_or_404(Lead, lead_id)
    form, now = request.form, clock.now()
    try:
        with writing() as session:
            lead = locked(session, lead_id)
            bant.answer(session, lead, form.get("question", ""), met=_MET.get(form.get("met", "")),
                        value=form.get("value", ""), evidence=form.get("evidence", ""), actor=person().actor, at=now)
            look(session, current(), [lead_id], now)
    except HandselError as error:
        flash(f"{error.what} {error.do}", "bad")
    return redirect(url_for("leads.lead", lead_id=lead_id, _anchor="bant"), 303)
