"""What becomes of a lead after its capture, as sellers say: its stage and its sales."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from sqlalchemy.orm import Session

from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.errors import HandselError
from handsel.leads.confirm import locked
from handsel.leads.conversions import reached
from handsel.leads.models import Sale
from handsel.leads.qualify.looking import mailboxes_of, soonest
from handsel.leads.stages.moving import move

LARGEST = Decimal("1e9")  # in the currency's own unit; beyond, somebody slipped


def decide(session: Session, lead_id: int, stage: str, reason: str, *, actor: Actor, at: datetime) -> None:
    """Put a lead into the stage that somebody chose; going back needs a reason. Needs a write transaction."""
    lead = locked(session, lead_id)
    change = move(session, lead, stage, way="person", reason=reason, actor=actor, at=at)
    if change is not None:
        audit.record(session, f"set the stage to {stage}", actor, audit.of_lead(lead.key), {"from": change.was})


def sell(session: Session, lead_id: int, amount: Decimal, currency: str, *, actor: Actor, at: datetime) -> Sale:
    """Write down what a lead brought; it is a customer from now on. Needs a write transaction.

    It is also a conversion of the experiments that the lead came through, with the amount as its value: the first sale
    of a capture counts, a second one does not.
    """
    lead = locked(session, lead_id)
    sale = Sale(lead_id=lead.id, at=at, cents=int(amount * 100), currency=currency, account_id=actor.account_id,
                actor=actor.name)
    session.add(sale)
    audit.record(session, "put down a sale", actor, audit.of_lead(lead.key), {"amount": f"{amount} {currency}"})
    soonest(lead, at)
    move(session, lead, "customer", way="sale", at=at, actor=actor)
    reached(session, mailboxes_of(session, [lead.id]), ["value"], at, float(amount))
    return sale


def money(typed: str) -> Decimal:
    """The amount that somebody typed, to the hundredth. Raises HandselError, with what to do, for anything else."""
    try:
        amount = Decimal(typed.strip().replace("\N{NO-BREAK SPACE}", "").replace(" ", "").replace(",", "."))
    except InvalidOperation:
        amount = Decimal(0)
    if not (amount.is_finite() and 0 < amount <= LARGEST):
        raise HandselError("amount", "That is not an amount.", "Write a number of more than 0, such as 249.90.")
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
