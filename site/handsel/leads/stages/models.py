"""Changes of stage, answers to the four questions of BANT, events of the product, and versions of the rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from handsel.db import Instant, Key, Model

WAYS = ("rule", "person", "accepted", "rejected", "sale")
QUESTIONS = ("budget", "authority", "need", "timeline")


class StageChange(Model):
    """A lead went from one stage to another, or was found ready for sales, and why; rows are only ever added."""

    __tablename__ = "stage_change"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    was: Mapped[str] = mapped_column(String(12))
    stage: Mapped[str] = mapped_column(String(12))
    """The stage from now on; the same as before when a rule only found the lead ready for sales."""
    way: Mapped[str] = mapped_column(String(12))
    """``rule``, ``person`` (at the desk or by command), ``accepted`` or ``rejected`` by sales, ``sale``."""
    rule: Mapped[str] = mapped_column(String(120), default="")
    """The rule of ``content/_stages.yml`` that moved it, or ``offer:<slug>`` for the offer's own."""
    version: Mapped[str] = mapped_column(String(16), default="")
    """Which version of the rules that was: a digest of them."""
    hands_over: Mapped[bool] = mapped_column(default=False)
    """The rule says that sales is to be asked whether it accepts the lead."""
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """What the rule rested on: rows with ``words``, and ``ref`` and ``at`` of the fact if it is one."""
    reason: Mapped[str] = mapped_column(Text, default="")
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    actor: Mapped[str] = mapped_column(String(254), default="")


class BantAnswer(Model):
    """What a seller learned about budget, authority, need or timeline; rows are only ever added.

    Answers that the person gave in a form are in its capture, and count from there.
    """

    __tablename__ = "bant_answer"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    question: Mapped[str] = mapped_column(String(12))
    met: Mapped[bool | None]
    """Whether the answer speaks for a sale; None takes an earlier answer back."""
    value: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[str] = mapped_column(Text, default="")
    """How we know: said in a call, written in a mail."""
    at: Mapped[datetime] = mapped_column(Instant)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    actor: Mapped[str] = mapped_column(String(254), default="")


class LeadBant(Model):
    """The answer that now holds to one question about a lead: a view of captures and of what sellers learned."""

    __tablename__ = "lead_bant"

    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), primary_key=True)
    question: Mapped[str] = mapped_column(String(12), primary_key=True)
    met: Mapped[bool]
    value: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[str] = mapped_column(String(120), default="")
    """``form:<name>``, or ``seller``."""
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(String(254), default="")
    """Who said or noted it; empty for the person themselves."""
    ref: Mapped[str] = mapped_column(String(40), default="")


class ProductEvent(Model):
    """Something that a lead did in the product, as the product told us; the same event told twice is one row."""

    __tablename__ = "product_event"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    once: Mapped[str] = mapped_column(String(100), unique=True)
    """The sender's own name for the event."""
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(Instant)
    value: Mapped[float] = mapped_column(default=0.0)
    received_at: Mapped[datetime] = mapped_column(Instant)
    sender: Mapped[str] = mapped_column(String(120), default="")
    """The name of the API key."""


class RuleVersion(Model):
    """Rules as they held from some time on, and how far the leads have been looked at by them."""

    __tablename__ = "rule_version"

    version: Mapped[str] = mapped_column(String(16), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    last_id: Mapped[int] = mapped_column(BigInteger, default=0)
    """The last lead that was asked to be looked at by these rules."""
    done_at: Mapped[datetime | None] = mapped_column(Instant)
