"""The words of leads, saved views of their list, and what was done to many of them at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from handsel.db import Instant, Key, Model

Word = String(60).with_variant(String(60, collation="C"), "postgresql")
"""Compared by bytes on both engines, so that the words that begin alike stand together."""


class LeadWord(Model):
    """A word of a lead's address, name or company, as a search asks for it: a view, made anew with each look."""

    __tablename__ = "lead_word"
    __table_args__ = (Index("ix_lead_word_lead_id_word", "lead_id", "word"), {"sqlite_with_rowid": False})

    word: Mapped[str] = mapped_column(Word, primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), primary_key=True)


class SavedView(Model):
    """A filter and an order of the list of leads that somebody gave a name."""

    __tablename__ = "saved_view"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[str] = mapped_column(Text, default="")
    """What stands in the list's address behind the question mark."""
    shared: Mapped[bool] = mapped_column(default=False)
    """Everybody who may see leads has it too."""
    at: Mapped[datetime] = mapped_column(Instant)


class LeadAct(Model):
    """Something that a person did to leads from a list, with one press: it can be undone while it stands here."""

    __tablename__ = "lead_act"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)
    actor: Mapped[str] = mapped_column(String(254), default="")
    kind: Mapped[str] = mapped_column(String(12))
    """``owner``, ``tag``, ``untag``, ``stage`` or ``task``."""
    value: Mapped[str] = mapped_column(String(200), default="")
    """What was given: the owner's number, the tag, the stage, the task's words."""
    number: Mapped[int] = mapped_column(default=0)
    """How many leads it changed."""
    undone_at: Mapped[datetime | None] = mapped_column(Instant)
    undone_by: Mapped[str] = mapped_column(String(254), default="")


class LeadActItem(Model):
    """One lead that an act changed, and what stood there before."""

    __tablename__ = "lead_act_item"
    __table_args__ = ({"sqlite_with_rowid": False},)

    act_id: Mapped[int] = mapped_column(ForeignKey("lead_act.id", ondelete="CASCADE"), primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), primary_key=True, index=True)
    before: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
