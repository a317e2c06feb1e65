"""The clock to first contact: whoever nobody spoke with in time is told of to others, again and again. And reminders.

The worker comes by every half second; each round is one short write transaction, and two workers never tell the same.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from handsel.leads.handoff import alerts, tasks
from handsel.leads.handoff.models import Handoff, Task
from handsel.leads.handoff.owners import people
from handsel.leads.mailboxes import mailboxes_of
from handsel.rules.handoff import HandoffRules
from handsel.rules.working import after

SOME = 50
MOST = 5  # times that a lead is told of: after a week of silence one more mail helps nobody


def is_due(session: Session, at: datetime) -> bool:
    """Whether a round has anything to do; takes no lock."""
    late = select(Handoff.id).where(Handoff.look_at <= at).limit(1)
    forgotten = select(Task.id).where(Task.done_at.is_(None), Task.reminded_at.is_(None), Task.due_at <= at).limit(1)
    return session.scalar(late) is not None or session.scalar(forgotten) is not None


def round_(session: Session, rules: HandoffRules, at: datetime) -> bool:
    """Look at what is due, as of ``at``; whether more may be left. Needs a write transaction."""
    handoffs = session.scalars(select(Handoff).where(Handoff.look_at <= at).order_by(Handoff.look_at).limit(SOME)
                               .with_for_update(skip_locked=True)).all()
    for handoff in handoffs:
        _look(session, handoff, rules, at)
    return max(len(handoffs), tasks.remind(session, at)) >= SOME


def _look(session: Session, handoff: Handoff, rules: HandoffRules, at: datetime) -> None:
    handoff.look_at = None
    if handoff.contact_at is not None or handoff.ended_at is not None or handoff.state not in ("open", "accepted"):
        return
    handoff.escalations += 1
    handoff.escalated_at = at
    told = {account.id for account in people(session, rules.escalation)}
    for account_id in sorted(told | ({handoff.owner_id} if handoff.owner_id else set())):
        alerts.late(session, handoff, account_id, at)
    if rules.again_after is not None and handoff.escalations < MOST:
        handoff.look_at = after(at, rules.again_after, rules.hours)


def contacted(session: Session, lead_id: int, at: datetime) -> None:
    """Somebody spoke with the lead at ``at``: the clock of its hand-overs stops. Needs a write transaction."""
    for handoff in session.scalars(select(Handoff).where(
            Handoff.lead_id.in_(mailboxes_of(session, [lead_id])[lead_id]), Handoff.ended_at.is_(None),
            Handoff.at <= at,
            or_(Handoff.contact_at.is_(None), Handoff.contact_at > at)).with_for_update()):
        handoff.contact_at, handoff.look_at = at, None
