"""What sellers do with a lead: answer its hand-over, give it on, put down notes, calls and meetings, write to it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from handsel import clock
from handsel.accounts.models import Account
from handsel.db import db, writing
from handsel.desk import DeskBlueprint, person
from handsel.desk.shell import may, site_zone
from handsel.errors import HandselError
from handsel.leads.handoff import activities, correspondence, ending, owners, telling
from handsel.leads.handoff.activities import OUTCOMES, Entry
from handsel.leads.handoff.models import Handoff
from handsel.leads.mailboxes import mailboxes_of
from handsel.leads.models import Lead
from handsel.leads.qualify.looking import look
from handsel.offers.live import current

bp = DeskBlueprint("hand_off", __name__, roles=("sales", "owner"))
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,40}")


def nonce() -> str:
    """Made into each form, so that a double click does nothing twice."""
    return secrets.token_urlsafe(16)


def once() -> str:
    """The nonce of the form that was sent; one that holds none is refused."""
    found = request.form.get("once", "")
    if not _NONCE.fullmatch(found):
        abort(400)
    return found


def panel(lead: Lead) -> Mapping[str, Any]:
    """For _handoff, _doing and _mail: the hand-overs of the lead, whom it can be given to, whether it may be written
    to."""
    session, rules = db.session(), current().rules.handoff
    mailboxes = mailboxes_of(session, [lead.id])[lead.id]
    newest = session.scalars(select(Handoff).where(Handoff.lead_id.in_(mailboxes)).order_by(
        Handoff.ended_at.is_not(None), Handoff.id.desc()).limit(1)).first()
    mine = may("hand_off.accept")
    return {
        "handoff": newest, "owner": session.get(Account, lead.owner_id or 0),
        "candidates": owners.candidates(session) if mine else [], "reject_reasons": rules.reject_reasons,
        "reason_words": rules.reason(newest.reason) if newest else "",
        "handed_why": telling.why(newest.context, current()) if newest else "",
        "handed_points": telling.points(newest.context) if newest else [], "outcomes": OUTCOMES,
        "dial": telling.dial(lead.phone), "no_mail": correspondence.why_not(session, lead, clock.now()),
        "once": nonce}


def act(lead_id: int, do: Callable[[Any, Lead], object], said: str = "", back: str = "") -> ResponseReturnValue:
    """Do something with a lead in one write transaction, look at it in the same, and go back to where one was.

    What ``do`` refuses is told; what it gives None for was done before, and is not told twice.
    """
    db.get_or_404(Lead, lead_id)
    try:
        with writing() as write:
            lead = write.get_one(Lead, lead_id, with_for_update=True)
            done = do(write, lead)
            look(write, current(), [lead_id], clock.now())
        if said and done is not None:
            flash(said, "good")
    except HandselError as error:
        flash(f"{error.what} {error.do}", "bad")
    return redirect(back or url_for("leads.lead", lead_id=lead_id), 303)


@bp.post("/leads/<int:lead_id>/hand-off/acceptance")
def accept(lead_id: int) -> ResponseReturnValue:
    """Take a lead that was handed over."""
    return act(lead_id, lambda write, lead: ending.accept(
        write, _asked(write, lead), actor=person().actor, at=clock.now(), way="desk"),
        "This lead is yours. Speak with them, and put down what came of it.")


@bp.post("/leads/<int:lead_id>/hand-off/rejection")
def reject(lead_id: int) -> ResponseReturnValue:
    """Give a lead back to nurture, with the reason."""
    return act(lead_id, lambda write, lead: ending.reject(
        write, _asked(write, lead), current(), reason=request.form.get("reason", ""),
        note=request.form.get("note", ""), actor=person().actor, at=clock.now(), way="desk"),
        "Given back. Their letters go on, and the offer that brought them learns of it.")


def _asked(write: Any, lead: Lead) -> int:
    """The hand-over that the form was about, if it is one of this lead's."""
    typed = request.form.get("handoff", "")
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else 0
    mailboxes = mailboxes_of(write, [lead.id])[lead.id]
    found = write.scalar(select(Handoff.id).where(Handoff.id == number, Handoff.lead_id.in_(mailboxes)))
    if found is None:
        raise HandselError("hand-over", "This lead was not handed over.", "Reload the page.")
    return int(found)


@bp.post("/leads/<int:lead_id>/owner")
def owner(lead_id: int) -> ResponseReturnValue:
    """Give the lead to somebody, or to nobody."""
    typed = request.form.get("owner", "")

    def give(write: Any, lead: Lead) -> object:
        known = {str(account.id): account for account in owners.candidates(write)}
        if typed and typed not in known:
            raise HandselError("owner", "That is nobody who can be given leads.", "Choose a seller or an owner.")
        chosen = known.get(typed)
        return owners.assign(write, lead, chosen.id if chosen else None, actor=person().actor,
                             at=clock.now()) or None

    return act(lead_id, give, "Given." if typed else "Nobody's lead now.")


@bp.post("/leads/<int:lead_id>/activities")
def put_down(lead_id: int) -> ResponseReturnValue:
    """A note, a call or a meeting."""
    kind, key = request.form.get("kind", ""), once()

    def write_down(write: Any, lead: Lead) -> object:
        entry = Entry(kind, key, request.form.get("text", ""), request.form.get("outcome", ""), at=moment_typed("at"))
        return activities.put_down(write, lead, entry, actor=person().actor, at=clock.now())

    return act(lead_id, write_down, "Put down.")


@bp.post("/leads/<int:lead_id>/mails")
def mail(lead_id: int) -> ResponseReturnValue:
    """Write to the lead; answers go to whoever wrote."""
    key = once()
    return act(lead_id, lambda write, lead: correspondence.write(
        write, lead, request.form.get("subject", ""), request.form.get("text", ""), once=key,
        actor=person().actor, at=clock.now()), f"On its way. Answers come to {person().email}.")


def moment_typed(name: str) -> datetime | None:
    """The time that was typed into a field, on the site's clocks; None for none. Raises HandselError for nonsense."""
    typed = request.form.get(name, "").strip()
    if not typed:
        return None
    try:
        return datetime.fromisoformat(typed[:16]).replace(tzinfo=site_zone())
    except ValueError:
        raise HandselError(name, "That is no date with a time.", "Write it as 2026-11-22 09:00.") from None
