"""Merging two leads at the desk: what it would come to, doing it, and parting them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from handsel import clock
from handsel.db import db, writing
from handsel.desk import only, person
from handsel.errors import HandselError
from handsel.leads import merging
from handsel.leads.address import normalised
from handsel.leads.models import Lead
from handsel.leads.questions import PROFILE, custom, shown
from handsel.offers.live import current
from handsel.sales.leads import bp


def panel(lead: Lead) -> Mapping[str, Any]:
    """For _mailboxes: the other mailboxes of the person, and whom this one belongs to."""
    session = db.session()
    head = session.get(Lead, lead.merged_into_id) if lead.merged_into_id is not None else None
    others = session.scalars(select(Lead).where(Lead.merged_into_id == lead.id).order_by(Lead.id)).all()
    return {"head": head, "mailboxes": others}


@bp.get("/leads/<int:lead_id>/merge")
@only("sales", "owner")
def merge(lead_id: int) -> ResponseReturnValue:
    """Choose the other lead by its address, and see what would come of it."""
    lead = db.get_or_404(Lead, lead_id)
    typed = request.args.get("with", "").strip()[:254]
    if not typed:
        return render_template("desk/merge.html", lead=lead, typed="", preview=None, wrong="")
    other = db.session.scalars(select(Lead).where(Lead.email == normalised(typed))).first()
    if other is None:
        wrong = f"There is no lead with the address {typed}. Look it up in the list."
        return render_template("desk/merge.html", lead=lead, typed=typed, preview=None, wrong=wrong), 404
    kept, joins = (other, lead) if request.args.get("keep") == "other" else (lead, other)
    seen = merging.preview(db.session(), kept, joins)
    fields = PROFILE | custom(current())
    rows = [(fields[row.name].label if row.name in fields else row.name,
             *(shown(fields.get(row.name), value) for value in (row.kept, row.joins, row.stands)))
            for row in seen.differences]
    return render_template("desk/merge.html", lead=lead, typed=typed, preview=seen, rows=rows,
                           wrong=" ".join(seen.why_not or ()))


@bp.post("/leads/<int:lead_id>/merge/<int:other_id>")
@only("sales", "owner")
def join(lead_id: int, other_id: int) -> ResponseReturnValue:
    """Let the other lead's mailbox belong to this lead."""
    db.get_or_404(Lead, lead_id)
    joins = db.get_or_404(Lead, other_id)
    try:
        with writing() as write:
            merging.merge(write, current(), lead_id, other_id, actor=person().actor, at=clock.now())
    except HandselError as error:
        flash(f"{error.what} {error.do}", "bad")
        return redirect(url_for("leads.merge", lead_id=lead_id), 303)
    flash(f"{joins.address} belongs to this lead now. To undo it, part the two under Mailboxes.", "good")
    return redirect(url_for("leads.lead", lead_id=lead_id), 303)


@bp.post("/leads/<int:lead_id>/parting")
@only("sales", "owner")
def part(lead_id: int) -> ResponseReturnValue:
    """Undo a merge: the mailbox is a lead of its own again."""
    lead = db.get_or_404(Lead, lead_id)
    head_id = lead.merged_into_id
    with writing() as write:
        merging.part(write, current(), lead_id, actor=person().actor, at=clock.now())
    if head_id is not None:
        flash("Parted. Both leads are as they were before they were merged.", "good")
    return redirect(url_for("leads.lead", lead_id=head_id if request.form.get("back") == "head" and head_id else
                            lead_id), 303)
