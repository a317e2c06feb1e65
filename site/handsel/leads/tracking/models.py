"""Visits and clicks of leads; there is a row only for who had agreed to be recognised when it happened."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from handsel.db import Instant, Key, Model


class PageVisit(Model):
    """A lead looked at a page of the site."""

    __tablename__ = "page_visit"
    __table_args__ = (Index("ix_page_visit_lead_id_at", "lead_id", "at"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    path: Mapped[str] = mapped_column(String(400))
    offer: Mapped[str] = mapped_column(String(80), default="")


class LetterClick(Model):
    """A lead followed a link of one of our mails to a page of the site."""

    __tablename__ = "letter_click"
    __table_args__ = (Index("ix_letter_click_lead_id_at", "lead_id", "at"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    offer: Mapped[str] = mapped_column(String(80), default="")
    """The offer whose letter it was."""
    step: Mapped[str] = mapped_column(String(80), default="")
    path: Mapped[str] = mapped_column(String(400))
    """Where the link leads to."""
