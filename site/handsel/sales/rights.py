"""A person's rights at the desk: what proves their consents, everything that is held as a file, and erasing them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from handsel import clock
from handsel.accounts import audit
from handsel.db import db, writing
from handsel.desk import only, person
from handsel.desk.shell import moment
from handsel.desk.words import CONSENT_WORDS, WAY_WORDS
from handsel.leads import forget
from handsel.leads.address import normalised
from handsel.leads.ledger import proof
from handsel.leads.models import Lead
from handsel.leads.privacy import parcel
from handsel.sales.leads import bp

KINDS = {"json": "application/json; charset=utf-8", "zip": "application/zip"}


def panel(lead: Lead) -> Mapping[str, Any]:
    """For _privacy: how many events of consents there are, and whether each is as it was sealed."""
    return {"sealed": proof.summary(db.session(), lead)}


@bp.get("/leads/<int:lead_id>/privacy")
def privacy(lead_id: int) -> ResponseReturnValue:
    """Each consent with what proves it, and what can be done for a person who asks."""
    return _page(db.get_or_404(Lead, lead_id))


def _page(lead: Lead, typed: str = "", wrong: str = "") -> ResponseReturnValue:
    boxes = parcel.mailboxes(db.session(), lead)
    return render_template(
        "desk/privacy.html", lead=lead, told=proof.proof(db.session(), lead.email, lambda _key: ""), boxes=boxes,
        ways=WAY_WORDS, states=CONSENT_WORDS, when=lambda text: moment(datetime.fromisoformat(text)),
        exports=forget.exports_since(db.session(), min(box.captured_at for box in boxes)), typed=typed,
        wrong=wrong), 422 if wrong else 200


@bp.post("/leads/<int:lead_id>/privacy/file")
@only("sales", "owner")
def hand_out(lead_id: int) -> ResponseReturnValue:
    """Everything that is held about the person, as a file. A POST, because it is logged who took it."""
    kind = request.form.get("format", "")
    if kind not in KINDS:
        abort(400, f"Choose a format: {', '.join(KINDS)}.")
    lead = db.get_or_404(Lead, lead_id)
    with writing() as write:
        audit.record(write, "handed out a person's data", person().actor, audit.of_lead(lead.key), {"format": kind})
    told = parcel.everything(db.session(), db.get_or_404(Lead, lead_id))
    packed = parcel.as_zip(told) if kind == "zip" else parcel.as_json(told).encode()
    return Response(packed, content_type=KINDS[kind],
                    headers={"Content-Disposition": f'attachment; filename="their-data.{kind}"'})


@bp.post("/leads/<int:lead_id>/erasure")
@only("sales", "owner")
def erase(lead_id: int) -> ResponseReturnValue:
    """Erase the person, once the address is typed: no slip of the hand erases anybody."""
    lead = db.get_or_404(Lead, lead_id)
    typed = request.form.get("address", "").strip()[:254]
    if normalised(typed) not in {box.email for box in parcel.mailboxes(db.session(), lead)}:
        return _page(lead, typed, f"Type {lead.address} to erase this person. Nothing was erased.")
    at = clock.now()
    with writing() as write:
        addresses = forget.forget_person(write, write.get_one(Lead, lead_id), at, person().actor)
    forget.finish(addresses, at)
    which = "The person is erased" if len(addresses) == 1 else f"The person is erased, with {len(addresses)} mailboxes"
    flash(f"{which}. What stays are counts, and a hash that keeps our letters away.", "good")
    return redirect(url_for("leads.index"), 303)
