"""Acts on many leads at once from the list, Recent actions with their undo, and saved views."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from handsel import clock
from handsel.accounts.models import Account
from handsel.db import db, writing
from handsel.desk import only, person
from handsel.desk.door import safe_next
from handsel.desk.shell import site_zone
from handsel.desk.words import STAGE_WORDS
from handsel.errors import HandselError
from handsel.leads import finding
from handsel.leads.listing import acts, views
from handsel.leads.listing import page as listing
from handsel.leads.listing.acts import Wish
from handsel.leads.listing.models import LeadAct, SavedView
from handsel.leads.listing.order import Order
from handsel.offers.live import current
from handsel.sales.leads import bp

OWN = {"csrf_token", "act", "which", "lead", "next", "reason", "due", "sort"}
"""What the form of an act says beside the filter."""
EVENING = time(17)
"""When a task is due whose day alone was chosen."""


@bp.get("/leads/acts")
@only("sales", "owner")
def recent() -> ResponseReturnValue:
    """What was done to leads from lists within thirty days, with a way back."""
    session, now = db.session(), clock.now()
    everybody = request.args.get("of") == "all"
    found = acts.recent(session, now, None if everybody else person().account_id)
    return render_template("desk/recent.html", acts=found, everybody=everybody, now=now, said=said)


@bp.post("/leads/acts")
@only("sales", "owner")
def act() -> ResponseReturnValue:
    """Do something to the ticked leads, or to all of the filter."""
    return do(wished(request.form.get("act", "")), _chosen, safe_next(request.form.get("next", "")))


def do(wish: Wish, chosen: Any, back: str) -> ResponseReturnValue:
    """Do it to the leads that ``chosen`` gives, say so with a way back, and return."""
    try:
        with writing() as write:
            made = acts.do(write, chosen(), wish, actor=person().actor, at=clock.now())
            told = (made.id, said(made)) if made else None
    except HandselError as error:
        flash(f"{error.what} {error.do}", "bad")
        return redirect(back, 303)
    if told:
        flash(f"{told[1]}.", f"undo:{told[0]}")
    else:
        flash("Nothing changed: all of them were so already.", "good")
    return redirect(back, 303)


def wished(kind: str) -> Wish:
    """What the form asks to be done. Its own fields are called ``to-tag`` and so on, as filters are called ``tag``."""
    value = request.form.get("to-tag" if kind == "untag" else f"to-{kind}", "").strip()
    if kind in {"tag", "untag"}:
        value = "-".join(value.lower().split())
    return Wish(kind, value, request.form.get("reason", "").strip(), _due(request.form.get("due", "")))


def _due(typed: str) -> datetime | None:
    try:
        return datetime.combine(datetime.fromisoformat(typed[:10]), EVENING, site_zone())
    except ValueError:
        return None


def _chosen() -> list[int]:
    """The numbers of the leads to act on. Raises HandselError for a filter that means nothing or is too wide."""
    if request.form.get("which") != "all":
        typed = request.form.getlist("lead")
        if not all(number.isascii() and number.isdigit() and len(number) < 19 for number in typed):
            abort(400)
        return [int(number) for number in typed]
    finding.only_known(name for name in request.form if name not in OWN and not name.startswith("to-"))
    project = current()
    asked = finding.wanted(db.session(), request.form, project.offers, site_zone(), segments=project.rules.segments,
                           me=person().account_id)
    found = listing.numbers(db.session(), asked, Order(), acts.MOST + 1)
    if len(found) > acts.MOST:
        raise HandselError("leads", f"The filter has more than {acts.MOST:,} leads.", "Narrow it down, then try again.")
    return found


def said(made: LeadAct) -> str:
    """What an act did, as a sentence without its full stop."""
    leads = f"{made.number:,} lead{'' if made.number == 1 else 's'}"
    if made.kind == "owner":
        owner = db.session.get(Account, int(made.value)) if made.value else None
        return f"Gave {leads} to {owner.name or owner.email}" if owner else f"Took {leads} from their owners"
    return {"tag": f"Put the tag {made.value} on {leads}", "untag": f"Took the tag {made.value} off {leads}",
            "stage": f"Moved {leads} to {STAGE_WORDS.get(made.value, made.value)}",
            "task": f"Set a task for {leads}: {made.value}"}[made.kind]


@bp.post("/leads/acts/<int:act_id>/undoing")
@only("sales", "owner")
def undo(act_id: int) -> ResponseReturnValue:
    """Take an act back."""
    with writing() as write:
        back = acts.undo(write, act_id, actor=person().actor, at=clock.now())
    if back is None:
        flash("That was taken back before, or is too old.", "bad")
    else:
        flash(f"Taken back for {back:,} lead{'' if back == 1 else 's'}.", "good")
    return redirect(safe_next(request.form.get("next", "")), 303)


@bp.post("/leads/views")
def save_view() -> ResponseReturnValue:
    """Keep the filter and the order under a name."""
    query = views.query_of(request.form)
    try:
        with writing() as write:
            views.save(write, _account(), request.form.get("name", ""), query, clock.now(),
                       shared=request.form.get("shared") == "yes")
    except HandselError as error:
        flash(f"{error.what} {error.do}", "bad")
    return redirect(f"{url_for('leads.index')}?{query}", 303)


@bp.post("/leads/views/<int:view_id>/removal")
def remove_view(view_id: int) -> ResponseReturnValue:
    """Remove a view of one's own."""
    view = db.get_or_404(SavedView, view_id)
    if view.account_id != _account():
        abort(404)
    with writing() as write:
        write.delete(write.get_one(SavedView, view_id))
    return redirect(url_for("leads.index"), 303)


def _account() -> int:
    account_id = person().account_id
    if account_id is None:
        abort(403)
    return account_id
