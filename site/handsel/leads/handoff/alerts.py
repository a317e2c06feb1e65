"""The mails that tell people of the house about a lead: queued in the transaction of what they tell of.

A row of the queue holds only numbers, and no lead: it goes to an account. What it says is put together when it goes out
(``worker.notices``), so that it never tells of somebody who was erased or of a hand-over that is decided by then.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.accounts.audit import Actor
from handsel.accounts.models import Account
from handsel.db import insert_or
from handsel.leads.handoff.models import Assignment, Handoff, Task
from handsel.leads.models import Lead
from handsel.mail import queue
from handsel.mail.models import Message

HAND_OFF, GIVEN, LATE, REMINDER = "hand-off", "given", "late", "reminder"
"""The kinds of notices, as the ``step`` of their messages."""


def handed(session: Session, handoff: Handoff, account_id: int, at: datetime) -> None:
    """Tell an account that a lead was handed to it, with the links to answer by."""
    _queue(session, HAND_OFF, f"{handoff.once}:{account_id}", account_id=account_id, at=at,
           offer=handoff.offer, values={"handoff": handoff.id})


def passed_on(session: Session, lead: Lead, account: Account | None, actor: Actor, at: datetime) -> None:
    """A person gave the lead to ``account``: its open hand-over goes along, and whoever gets it is told."""
    session.flush()
    assignment = session.scalar(select(Assignment.id).where(Assignment.lead_id == lead.id)
                                .order_by(Assignment.id.desc()).limit(1))
    handoff = session.scalar(select(Handoff).where(Handoff.lead_id == lead.id, Handoff.state == "open"))
    if handoff is not None:
        handoff.owner_id = account.id if account else None
    if account is None or account.id == actor.account_id:
        return
    step, values = (HAND_OFF, {"handoff": handoff.id}) if handoff is not None else (GIVEN, {"lead": lead.id})
    _queue(session, step, f"assignment:{assignment}", account_id=account.id, at=at,
           offer=handoff.offer if handoff else "", values=values | {"by": actor.name, "assignment": assignment})


def late(session: Session, handoff: Handoff, account_id: int, at: datetime) -> None:
    """Tell an account that nobody spoke with a lead in time; once for each time it is told."""
    _queue(session, LATE, f"late:{handoff.id}:{handoff.escalations}:{account_id}", account_id=account_id, at=at,
           offer=handoff.offer, values={"handoff": handoff.id})


def reminder(session: Session, task: Task, account_id: int, at: datetime) -> None:
    """Tell an account that a task of its is due; once for each time it is due."""
    _queue(session, REMINDER, f"task:{task.id}:{int(task.due_at.timestamp())}", account_id=account_id,
           at=at, values={"task": task.id})


def _queue(session: Session, step: str, once: str, *, account_id: int, at: datetime, offer: str = "",
           values: dict[str, Any]) -> None:
    """One row for each thing to tell and each person: the unique ``once`` refuses a second one for ever."""
    row = queue.row("notice", once=f"notice:{once}", at=at, account_id=account_id, offer=offer,
                    step=step, values=values)
    session.flush()
    session.execute(insert_or(Message, session.get_bind().dialect.name).values(**row)
                    .on_conflict_do_nothing(index_elements=["once"]))
