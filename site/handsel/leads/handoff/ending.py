"""How a hand-over ends: a person accepts or rejects it, once, or something else goes before.

Needs a write transaction. The lead is locked before its hand-over, as everywhere.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.errors import HandselError, nearest
from handsel.leads.handoff import holding
from handsel.leads.handoff.models import Handoff
from handsel.leads.handoff.owners import assign
from handsel.leads.mailboxes import head_of
from handsel.leads.models import Lead
from handsel.leads.stages import moving
from handsel.leads.stages.models import StageChange
from handsel.offers.project import Project
from handsel.rules.stages import RANKS

LONGEST_NOTE = 2000
NURTURE = "iql"
"""The stage that a rejected lead goes back to."""


class Decided(HandselError):
    """Somebody was faster."""


def locked(session: Session, handoff_id: int) -> tuple[Lead, Handoff]:
    """A hand-over and the lead that it belongs to by now, which wait for nobody else any more."""
    lead_id = head_of(session, session.scalar(select(Handoff.lead_id).where(Handoff.id == handoff_id)) or 0)
    lead = session.scalars(select(Lead).where(Lead.id == lead_id).with_for_update()
                           .execution_options(populate_existing=True)).one()
    handoff = session.scalars(select(Handoff).where(Handoff.id == handoff_id).with_for_update()
                              .execution_options(populate_existing=True)).one()
    return lead, handoff


def accept(session: Session, handoff_id: int, *, actor: Actor, at: datetime, way: str) -> Handoff:
    """Sales takes the lead: it is an SQL, and whoever accepted it owns it. Raises Decided if somebody else was faster;
    whoever presses twice has accepted it once."""
    lead, handoff = locked(session, handoff_id)
    if handoff.state == "accepted" and actor.account_id is not None and handoff.account_id == actor.account_id:
        return handoff
    _require_open(handoff)
    _decide(handoff, "accepted", actor, at, way)
    if actor.account_id is not None:
        assign(session, lead, actor.account_id, actor=actor, at=at)
    handoff.owner_id = lead.owner_id
    moving.move(session, lead, "sql", way="accepted", reason="Accepted by sales.", actor=actor, at=at)
    audit.record(session, "accepted a lead", actor, audit.of_lead(lead.key), {"way": way, "offer": handoff.offer})
    return handoff


def reject(session: Session, handoff_id: int, project: Project, *, reason: str, note: str, actor: Actor,
           at: datetime, way: str) -> Handoff:
    """Sales gives the lead back: to nurture, with the reason; it counts against the offer that brought it.

    At the desk a lead can also be given back that was accepted before. Raises Decided, or HandselError for a reason
    that is none.
    """
    reasons = project.rules.handoff.reject_reasons
    if reason not in reasons:
        raise HandselError("reason", "Say why you reject the lead.",
                           nearest(reason, reasons) if reason else "Choose one of the reasons.")
    lead, handoff = locked(session, handoff_id)
    _require_open(handoff, given_back=way == "desk")
    handoff.reason, handoff.note = reason, note.strip()[:LONGEST_NOTE]
    _decide(handoff, "rejected", actor, at, way)
    words = reasons[reason] + (f": {handoff.note}" if handoff.note else "")
    moving.move(session, lead, NURTURE, way="rejected", reason=words, actor=actor, at=at)
    _back(session, lead, handoff, actor, at)
    audit.record(session, "rejected a lead", actor, audit.of_lead(lead.key),
                 {"way": way, "offer": handoff.offer, "reason": reason})
    return handoff


def overtaken(session: Session, handoff: Handoff, lead: Lead, change: StageChange, at: datetime) -> None:
    """End a hand-over whose lead went on, or back, without an answer to it: by a person's word, or by a sale."""
    if change.at < handoff.at:
        return
    actor = Actor(change.actor, change.account_id)
    waits = handoff.state == "open"
    if waits and change.way in {"person", "sale", "accepted"} and RANKS[lead.stage] >= RANKS["sql"]:
        _decide(handoff, "accepted", actor, at, "stage")
    if lead.stage == "customer":
        handoff.ended_at, handoff.look_at = at, None
    elif change.way == "person" and lead.stage == NURTURE:
        if waits:
            handoff.note = change.reason[:LONGEST_NOTE]
            _decide(handoff, "withdrawn", actor, at, "stage")
            assign(session, lead, None, actor=actor, at=at)
        handoff.ended_at, handoff.look_at = at, None
        holding.resume(session, lead, handoff, at)


def _require_open(handoff: Handoff, *, given_back: bool = False) -> None:
    if handoff.state != "open" and not (given_back and handoff.state == "accepted" and handoff.ended_at is None):
        raise Decided("hand-over", f"{handoff.actor or 'Somebody'} {WORDS[handoff.state]} this lead already.")


WORDS = {"accepted": "accepted", "rejected": "rejected", "withdrawn": "took back"}


def _decide(handoff: Handoff, state: str, actor: Actor, at: datetime, way: str) -> None:
    handoff.state, handoff.decided_at, handoff.way = state, at, way
    handoff.actor, handoff.account_id = actor.name, actor.account_id
    if state != "accepted":
        handoff.ended_at, handoff.look_at = at, None


def _back(session: Session, lead: Lead, handoff: Handoff, actor: Actor, at: datetime) -> None:
    """To nurture: nobody's lead, and its letters go on."""
    assign(session, lead, None, actor=actor, at=at)
    handoff.owner_id = handoff.owner_id or actor.account_id
    holding.resume(session, lead, handoff, at)
