"""Tasks: what somebody means to do about a lead, by when, and the mail that reminds them. Needs a write transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.accounts.models import Account
from handsel.db import insert_or
from handsel.errors import HandselError
from handsel.leads.handoff import alerts
from handsel.leads.handoff.models import Task
from handsel.leads.models import Lead

LONGEST = 200
SOME = 50  # reminders queued in one short transaction


def add(session: Session, lead: Lead, title: str, due_at: datetime, *, once: str, actor: Actor, at: datetime,
        owner_id: int | None = None, told: bool = True) -> Task | None:
    """A new task for ``owner_id``, or for whoever owns the lead; None when ``once`` made one before.

    ``told``: it stands in the log as an act of ``actor``. Raises HandselError for a task without words.
    """
    words = " ".join(title.split())[:LONGEST]
    if not words:
        raise HandselError("task", "Say what is to be done.", "Write a few words, such as 'Call about the offer'.")
    row = {"once": once, "lead_id": lead.id, "title": words, "due_at": due_at, "owner_id": owner_id, "made_at": at,
           "account_id": actor.account_id, "actor": actor.name, "done_by": ""}
    session.flush()
    made = session.execute(insert_or(Task, session.get_bind().dialect.name).values(**row)
                           .on_conflict_do_nothing(index_elements=["once"]).returning(Task.id)).scalar()
    if made is None:
        return None
    if told:
        audit.record(session, "set a task", actor, audit.of_lead(lead.key), {"task": made})
    return session.get_one(Task, made)


def done(session: Session, task_id: int, *, actor: Actor, at: datetime) -> bool:
    """Tick a task off; False when it was before."""
    ticked = session.execute(update(Task).where(Task.id == task_id, Task.done_at.is_(None))
                             .values(done_at=at, done_by=actor.name).returning(Task.lead_id)).scalar()
    if ticked is None:
        return False
    _log(session, "did a task", ticked, task_id, actor)
    return True


def undo(session: Session, task_id: int, *, actor: Actor) -> bool:
    """Take the tick of a task back; False when it has none."""
    back = session.execute(update(Task).where(Task.id == task_id, Task.done_at.is_not(None))
                           .values(done_at=None, done_by="").returning(Task.lead_id)).scalar()
    if back is None:
        return False
    _log(session, "took the tick of a task back", back, task_id, actor)
    return True


def put_off(session: Session, task_id: int, due_at: datetime, *, actor: Actor) -> bool:
    """Give a task that is not done another time; it is reminded of anew."""
    moved = session.execute(update(Task).where(Task.id == task_id, Task.done_at.is_(None))
                            .values(due_at=due_at, reminded_at=None).returning(Task.lead_id)).scalar()
    if moved is None:
        return False
    _log(session, "put a task off", moved, task_id, actor)
    return True


def _log(session: Session, action: str, lead_id: int, task_id: int, actor: Actor) -> None:
    lead = session.get_one(Lead, lead_id)
    audit.record(session, action, actor, audit.of_lead(lead.key), {"task": task_id})


def remind(session: Session, at: datetime) -> int:
    """Queue the mails for tasks that have fallen due, how many were looked at; more are left when it is SOME."""
    due = session.scalars(select(Task).where(Task.done_at.is_(None), Task.reminded_at.is_(None), Task.due_at <= at)
                          .order_by(Task.due_at).limit(SOME).with_for_update(skip_locked=True)).all()
    for task in due:
        task.reminded_at = at
        account_id = whose(session, task)
        if account_id is not None:
            alerts.reminder(session, task, account_id, at)
    return len(due)


def whose(session: Session, task: Task) -> int | None:
    """Who is to do a task: its own person, or the owner of its lead, if they are still here."""
    wanted = task.owner_id or session.scalar(select(Lead.owner_id).where(Lead.id == task.lead_id))
    return session.scalar(select(Account.id).where(Account.id == wanted, Account.active.is_(True)))
