"""Hits (facts), tallies (their daily sums) and the day's secret."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from handsel.db import Instant, Key, Model

HIT_KINDS = ("view", "submit", "click", "download")


class DaySecret(Model):
    """The secret of one day (UTC). Without it nobody can tell who a visitor's hash was; it is deleted with the day."""

    __tablename__ = "day_secret"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary(32))


class Visitor(Model):
    """How one visitor's journey began, for captures to tell their source. Deleted with the secret of its day."""

    __tablename__ = "visitor"

    visitor: Mapped[str] = mapped_column(String(32), primary_key=True)
    day: Mapped[date] = mapped_column(Date, index=True)
    """The last day on which the row is kept: today, or the end of a consent to be recognised."""
    at: Mapped[datetime] = mapped_column(Instant)
    first_page: Mapped[str] = mapped_column(String(400), default="")
    referrer: Mapped[str] = mapped_column(String(400), default="")
    source: Mapped[str] = mapped_column(String(120), default="")
    utm_source: Mapped[str] = mapped_column(String(120), default="")
    utm_medium: Mapped[str] = mapped_column(String(120), default="")
    utm_campaign: Mapped[str] = mapped_column(String(120), default="")
    utm_term: Mapped[str] = mapped_column(String(120), default="")
    utm_content: Mapped[str] = mapped_column(String(120), default="")


class KnownVisitor(Model):
    """A browser whose owner agreed to be recognised: what the random number in its cookie stands for.

    Nothing else makes the number mean anybody: when the row goes, by withdrawal, erasure or time, it is only a number.
    """

    __tablename__ = "known_visitor"

    visitor: Mapped[str] = mapped_column(String(32), primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    capture_id: Mapped[int | None] = mapped_column(ForeignKey("capture.id", ondelete="CASCADE"), index=True)
    """The form on which they agreed. Until its mailbox is proven the number says nothing about the lead: anybody could
    have typed the address."""
    unit: Mapped[str] = mapped_column(String(32))
    """The visitor's hash on the day of the consent: by it experiments go on counting them as one and the same."""
    at: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime] = mapped_column(Instant)


class Hit(Model):
    """One thing that one visitor did on one page."""

    __tablename__ = "hit"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    kind: Mapped[str] = mapped_column(String(12))
    path: Mapped[str] = mapped_column(String(400))
    offer: Mapped[str] = mapped_column(String(80), default="")
    variant: Mapped[str] = mapped_column(String(2), default="")
    visitor: Mapped[str] = mapped_column(String(32), default="")
    source: Mapped[str] = mapped_column(String(120), default="")
    campaign: Mapped[str] = mapped_column(String(120), default="")
    device: Mapped[str] = mapped_column(String(12), default="")
    excluded: Mapped[str] = mapped_column(String(16), default="")
    """Why the hit counts for nothing: ``bot``, ``prefetch``, ``head``; empty when it counts."""


class Tally(Model):
    """How often a kind of hit happened on a page in one day (UTC); kept in the transaction that writes the hits."""

    __tablename__ = "tally"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    path: Mapped[str] = mapped_column(String(400), primary_key=True)
    variant: Mapped[str] = mapped_column(String(2), primary_key=True, default="")
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    excluded: Mapped[str] = mapped_column(String(16), primary_key=True, default="")
    offer: Mapped[str] = mapped_column(String(80), default="", index=True)
    hits: Mapped[int] = mapped_column(default=0)
