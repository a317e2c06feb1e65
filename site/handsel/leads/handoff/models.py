"""Hand-overs, who a lead was given to, what sellers did, and what they mean to do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from handsel.accounts.models import Account
from handsel.db import Instant, Key, Model, partial_index
from handsel.mail.models import Message

STATES = ("open", "accepted", "rejected", "withdrawn")
ACTIVITIES = ("note", "call", "meeting", "mail")


class Handoff(Model):
    """A lead as it was handed to sales: open until it is accepted, rejected or withdrawn."""

    __tablename__ = "handoff"
    __table_args__ = (
        partial_index("uq_handoff_lead_id_open", "lead_id", unique=True, sqlite="state = 'open'",
                      postgresql="state = 'open'"),
        partial_index("ix_handoff_look_at", "look_at", sqlite="look_at IS NOT NULL", postgresql="look_at IS NOT NULL"),
        Index("ix_handoff_owner_id_state", "owner_id", "state"),
        Index("ix_handoff_offer_at", "offer", "at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(22), unique=True)
    """Random and public: names the hand-over in the links of its mails."""
    once: Mapped[str] = mapped_column(String(60), unique=True)
    """What called for it, such as ``change:12``: the same thing never hands a lead over twice."""
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    stage: Mapped[str] = mapped_column(String(12))
    """The stage that the lead had reached."""
    offer: Mapped[str] = mapped_column(String(80), default="")
    """The offer that brought the lead so far: it counts for or against it."""
    rule: Mapped[str] = mapped_column(String(120), default="")
    """The owner rule that chose who gets it."""
    context: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What was known then: ``why`` in a sentence, ``score`` and its ``reasons``, what they ``did``."""
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    """To whom it was handed."""
    state: Mapped[str] = mapped_column(String(12), default="open")
    """``open``, ``accepted``, ``rejected``, or ``withdrawn``: it went without an answer, for the reason noted."""
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    """By when somebody is to have spoken with the lead, counted in working hours."""
    contact_at: Mapped[datetime | None] = mapped_column(Instant)
    """The first call, meeting or mail after it."""
    look_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the clock looks at it next; None once it need not."""
    escalated_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it was last told to others that nobody had spoken with the lead in time."""
    escalations: Mapped[int] = mapped_column(default=0)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    reason: Mapped[str] = mapped_column(String(60), default="")
    """Why it was rejected or withdrawn: one of the reasons of ``content/_handoff.yml``."""
    note: Mapped[str] = mapped_column(Text, default="")
    """What the person who decided added in their own words."""
    way: Mapped[str] = mapped_column(String(12), default="")
    """How it was decided: ``mail`` (the link of an alert) or ``desk``."""
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    """Who decided."""
    actor: Mapped[str] = mapped_column(String(254), default="")
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    """When sales was through with it: rejected, withdrawn, put back later, or won."""

    owner: Mapped[Account | None] = relationship(foreign_keys=[owner_id], viewonly=True)


class Assignment(Model):
    """A lead was given to somebody, or to nobody; rows are only ever added, and the newest one holds."""

    __tablename__ = "assignment"
    __table_args__ = (Index("ix_assignment_rule_id", "rule", "id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    rule: Mapped[str] = mapped_column(String(120), default="")
    """The owner rule that chose; empty when a person did."""
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    actor: Mapped[str] = mapped_column(String(254), default="")


class Activity(Model):
    """What a seller did or learned: a note, a call, a meeting, a mail; rows are only ever added."""

    __tablename__ = "activity"
    __table_args__ = (Index("ix_activity_lead_id_at", "lead_id", "at"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    once: Mapped[str] = mapped_column(String(60), unique=True)
    """From the form that it was typed into: a double click is one activity."""
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(12))
    """``note``, ``call``, ``meeting`` or ``mail``."""
    at: Mapped[datetime] = mapped_column(Instant)
    """When it was, which may be earlier than when it was put down."""
    made_at: Mapped[datetime] = mapped_column(Instant)
    outcome: Mapped[str] = mapped_column(String(20), default="")
    """Of a call: ``spoke``, ``no-answer`` or ``message``; only the first is a contact. Of a meeting: ``held`` or
    ``no-show``."""
    subject: Mapped[str] = mapped_column(String(200), default="")
    """Of a mail."""
    text: Mapped[str] = mapped_column(Text, default="")
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="SET NULL"), index=True)
    """Of a mail: the row in the queue."""
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    actor: Mapped[str] = mapped_column(String(254), default="")

    message: Mapped[Message | None] = relationship(viewonly=True)


class Task(Model):
    """What somebody means to do about a lead, and by when."""

    __tablename__ = "task"
    __table_args__ = (
        partial_index("ix_task_owner_id_due_at_open", "owner_id", "due_at", sqlite="done_at IS NULL",
                      postgresql="done_at IS NULL"),
        partial_index("ix_task_due_at_unreminded", "due_at", sqlite="done_at IS NULL AND reminded_at IS NULL",
                      postgresql="done_at IS NULL AND reminded_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    once: Mapped[str] = mapped_column(String(60), unique=True)
    """From the form that it was typed into, or from what made it: a double click is one task."""
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    due_at: Mapped[datetime] = mapped_column(Instant)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    """Who is to do it; None is for whoever owns the lead."""
    made_at: Mapped[datetime] = mapped_column(Instant)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    actor: Mapped[str] = mapped_column(String(254), default="")
    reminded_at: Mapped[datetime | None] = mapped_column(Instant)
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    done_by: Mapped[str] = mapped_column(String(254), default="")
