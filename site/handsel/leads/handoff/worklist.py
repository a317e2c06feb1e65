"""What a seller has to do: whom to call first and why, and which tasks are due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased

from handsel.accounts.models import Account
from handsel.leads.handoff import telling
from handsel.leads.handoff.models import Handoff, Task
from handsel.leads.models import Lead
from handsel.offers.project import Project

_MAILBOX = aliased(Lead)
"""Of a merged mailbox the lead it belongs to is shown."""
MOST = 100  # of each kind on one page: nobody calls more in a week


@dataclass(frozen=True)
class Call:
    """Somebody to speak with: the lead, its hand-over, whose it is, why, and the number as a telephone takes it."""

    lead: Lead
    handoff: Handoff
    owner: Account | None
    why: str
    dial: str


@dataclass(frozen=True)
class Step:
    """A task with its lead and whose it is."""

    task: Task
    lead: Lead
    owner: Account | None


def calls(session: Session, project: Project, account_id: int | None, most: int = MOST) -> list[Call]:
    """Whom to call first: leads in sales' hands with whom nobody has spoken, the most urgent first.

    Of an account: its own, and those that nobody has. None means everybody's.
    """
    waiting = select(Handoff, Lead, Account).join(_MAILBOX, _MAILBOX.id == Handoff.lead_id).join(
        Lead, Lead.id == func.coalesce(_MAILBOX.merged_into_id, _MAILBOX.id)).outerjoin(
        Account, Account.id == Handoff.owner_id).where(
        Handoff.ended_at.is_(None), Handoff.contact_at.is_(None), Handoff.state.in_(("open", "accepted")))
    if account_id is not None:
        waiting = waiting.where(or_(Handoff.owner_id == account_id, Handoff.owner_id.is_(None)))
    rows = session.execute(waiting.order_by(Handoff.due_at, Handoff.id).limit(most))
    return [Call(lead, handoff, owner, telling.why(handoff.context, project), telling.dial(lead.phone))
            for handoff, lead, owner in rows]


def steps(session: Session, account_id: int | None, most: int = MOST) -> list[Step]:
    """The open tasks of an account, or of everybody, in the order they are due."""
    open_ = select(Task, Lead, Account).join(_MAILBOX, _MAILBOX.id == Task.lead_id).join(
        Lead, Lead.id == func.coalesce(_MAILBOX.merged_into_id, _MAILBOX.id)).outerjoin(
        Account, Account.id == func.coalesce(Task.owner_id, Lead.owner_id)).where(Task.done_at.is_(None))
    if account_id is not None:
        open_ = open_.where(_of(account_id))
    return [Step(task, lead, owner)
            for task, lead, owner in session.execute(open_.order_by(Task.due_at, Task.id).limit(most))]


def _of(account_id: int) -> ColumnElement[bool]:
    return or_(Task.owner_id == account_id, Task.owner_id.is_(None) & (Lead.owner_id == account_id))


def next_steps(session: Session, lead_ids: Iterable[int]) -> dict[int, Task]:
    """The first open task of each lead that has one: what lists show as its next step."""
    found: dict[int, Task] = {}
    for task in session.scalars(select(Task).where(Task.lead_id.in_(list(lead_ids)), Task.done_at.is_(None))
                                .order_by(Task.due_at.desc(), Task.id.desc())):
        found[task.lead_id] = task
    return found


def late(session: Session, at: datetime, most: int) -> int:
    """How many leads wait for a first word beyond their time."""
    waiting = select(Handoff.id).where(Handoff.ended_at.is_(None), Handoff.contact_at.is_(None),
                                       Handoff.state.in_(("open", "accepted")), Handoff.due_at < at).limit(most)
    return session.scalar(select(func.count()).select_from(waiting.subquery())) or 0
