"""Messages: every mail, what came of it and why, and sending failed ones again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, func, literal_column, select
from sqlalchemy.orm import Session

from handsel import clock
from handsel.accounts import audit
from handsel.accounts.models import Account
from handsel.db import db, writing
from handsel.desk import DeskBlueprint, person
from handsel.desk.door import safe_next
from handsel.desk.turning import Turn
from handsel.leads.models import Lead
from handsel.mail import queue
from handsel.mail.models import KINDS, STATES, Message
from handsel.offers.live import current

bp = DeskBlueprint("messages", __name__, roles=("marketer", "owner"))

COUNTED = 10_000  # rows of a state counted one by one; above, the number is "more than"


@dataclass(frozen=True)
class Addressee:
    """Whom a message goes to: the address to show, and the lead if it is one."""

    address: str
    lead_id: int | None


@bp.get("/messages")
def index() -> ResponseReturnValue:
    """All messages, the latest first, by state, kind and offer."""
    state, kind, offer = (request.args.get(name, "") for name in ("state", "kind", "offer"))
    for name, value, known in (("state", state, STATES), ("kind", kind, KINDS)):
        if value and value not in known:
            abort(400, f"There is no {name} '{value[:40]}'. Use one of: {', '.join(known)}.")
    session = db.session()
    counts = {name: _count(session, name) for name in STATES}
    query = select(Message)
    if state:
        # A rare state is found by its index and sorted; a common one is met soon on the way back through all messages.
        query = query.where(Message.state == state if counts[state] <= COUNTED
                            else Message.state + literal_column("''") == state)
    if kind:
        query = query.where(Message.kind == kind)
    if offer:
        query = query.where(Message.offer == offer)
    page = Turn.asked(request.args).take(session, query, Message.id)
    return render_template("desk/messages.html", page=page, counts=counts, most=COUNTED, state=state, kind=kind,
                           offer=offer, offers=sorted({*current().offers, *([offer] if offer else [])}), kinds=KINDS,
                           people=_people(session, page.rows), now=clock.now(), here=request.full_path.rstrip("?"))


def _count(session: Session, state: str) -> int:
    some: Select[tuple[int]] = select(literal_column("1")).select_from(Message).where(Message.state == state)
    return session.scalar(select(func.count()).select_from(some.limit(COUNTED + 1).subquery())) or 0


def _people(session: Session, rows: list[Message]) -> dict[int, Addressee]:
    """By the messages' numbers: whom they go to."""
    leads = _addresses(session, select(Lead.id, Lead.address).where(
        Lead.id.in_({row.lead_id for row in rows if row.lead_id})))
    accounts = _addresses(session, select(Account.id, Account.email).where(
        Account.id.in_({row.account_id for row in rows if row.account_id})))
    return {row.id: Addressee(leads.get(row.lead_id or 0, ""), row.lead_id) if row.lead_id
            else Addressee(accounts.get(row.account_id or 0, ""), None) for row in rows}


def _addresses(session: Session, query: Any) -> dict[int, str]:
    return {number: address for number, address in session.execute(query)}


@bp.post("/messages/<int:message_id>/retry")
def retry(message_id: int) -> ResponseReturnValue:
    """Queue a failed message once more."""
    message = db.get_or_404(Message, message_id)
    if message.kind == "account":
        flash("The link in it is gone. Send a new one from the account's page.", "bad")
        return redirect(safe_next(request.form.get("next", "")), 303)
    with writing() as write:
        done = queue.retry(write, message_id, clock.now())
        if done:
            audit.record(write, "sent a message again", person().actor, f"message:{message_id}")
    if done:
        flash("It is in the queue again and goes out within a minute.", "good")
    else:
        flash("Only failed messages can be sent again; this one is not failed any more.", "bad")
    return redirect(safe_next(request.form.get("next", "")), 303)
