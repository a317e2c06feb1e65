"""Messages, what became of each attempt, and the addresses that get no mail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from handsel.db import Instant, Key, Model

KINDS = ("delivery", "confirm", "letter", "personal", "notice", "account")
STATES = ("queued", "claimed", "sent", "failed", "suppressed", "cancelled", "unknown")


class Message(Model):
    """One mail to one address: queued -> claimed (lease) -> sent | failed | suppressed | cancelled | unknown.

    The row is the job; there is no other queue. ``once`` makes it unique: one row for a capture, kind and step.
    """

    __tablename__ = "message"
    __table_args__ = (Index("ix_message_state_priority_due_at", "state", "priority", "due_at"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(22), unique=True)
    once: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(12))
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    capture_id: Mapped[int | None] = mapped_column(ForeignKey("capture.id", ondelete="CASCADE"), index=True)
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("download_grant.id", ondelete="SET NULL"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    offer: Mapped[str] = mapped_column(String(80), default="", index=True)
    step: Mapped[str] = mapped_column(String(80), default="")
    topic: Mapped[str] = mapped_column(String(40), default="")
    state: Mapped[str] = mapped_column(String(12), default="queued")
    priority: Mapped[int] = mapped_column(default=5)
    """0 goes first: account mail 0, delivery and confirm 1, what a seller wrote 2, notices 3, letters 5."""
    due_at: Mapped[datetime] = mapped_column(Instant)
    first_due_at: Mapped[datetime] = mapped_column(Instant)
    give_up_at: Mapped[datetime] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    worker: Mapped[str] = mapped_column(String(60), default="")
    begun_at: Mapped[datetime | None] = mapped_column(Instant)
    """When its text began to be handed over; None again once the result is stored. A worker that dies in between
    leaves behind what nobody can know: a letter found like this is ``unknown``, never sent again."""
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why it is in this state, in words that sales can read: the server's answer, or what suppressed it."""
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    values: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Values for the text that live nowhere else, such as a sign-in link's address."""

    attempts_made: Mapped[list[Attempt]] = relationship(back_populates="message", cascade="all, delete-orphan")


class Attempt(Model):
    """What came of handing one message to the mail server once."""

    __tablename__ = "attempt"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    outcome: Mapped[str] = mapped_column(String(12))
    """``sent``, ``retry``, ``failed`` or ``unknown``."""
    answer: Mapped[str] = mapped_column(Text, default="")

    message: Mapped[Message] = relationship(back_populates="attempts_made")


class Suppression(Model):
    """An address that gets no mail, or no marketing mail. The address itself is kept only as a keyed hash."""

    __tablename__ = "suppression"
    __table_args__ = (
        Index("uq_suppression_address_hash_reason_scope", "address_hash", "reason", "scope", unique=True),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    address_hash: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(20))
    """``bounce``, ``complaint``, ``manual``, ``erasure``, ``unsubscribe``."""
    scope: Mapped[str] = mapped_column(String(12))
    """``all`` or ``marketing``."""
    at: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime | None] = mapped_column(Instant)
    lifted_at: Mapped[datetime | None] = mapped_column(Instant)


class Pause(Model):
    """A stop of all mail, of one mail server or of one domain; the row is gone when mail flows again."""

    __tablename__ = "mail_pause"

    scope: Mapped[str] = mapped_column(String(260), primary_key=True)
    """``hold`` (until somebody releases it), ``server``, or ``@`` and a domain."""
    kind: Mapped[str] = mapped_column(String(12))
    """``hold``, ``access`` (the server does not let us in) or ``back-off``."""
    since_at: Mapped[datetime] = mapped_column(Instant)
    until_at: Mapped[datetime | None] = mapped_column(Instant)
    """When to try again; None for a hold."""
    tries: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(Text, default="")
