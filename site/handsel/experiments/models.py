"""Exposures and conversions: the facts from which an experiment's counts are made."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from handsel.db import Instant, Key, Model


class Exposure(Model):
    """A visitor's first sight of one variant of an offer's landing page."""

    __tablename__ = "exposure"
    __table_args__ = (Index("uq_exposure_offer_visitor_variant", "offer", "visitor", "variant", unique=True),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    offer: Mapped[str] = mapped_column(String(80))
    visitor: Mapped[str] = mapped_column(String(32))
    variant: Mapped[str] = mapped_column(String(2))
    at: Mapped[datetime] = mapped_column(Instant)


class Conversion(Model):
    """A visitor's first conversion on one goal of an offer's landing page, with the variant that they had seen."""

    __tablename__ = "conversion"
    __table_args__ = (Index("uq_conversion_offer_visitor_goal", "offer", "visitor", "goal", unique=True),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    offer: Mapped[str] = mapped_column(String(80))
    visitor: Mapped[str] = mapped_column(String(32))
    variant: Mapped[str] = mapped_column(String(2))
    goal: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime] = mapped_column(Instant)
    capture_id: Mapped[int | None] = mapped_column(ForeignKey("capture.id", ondelete="SET NULL"), index=True)
