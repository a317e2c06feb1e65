"""What people changed in the scoring rules at the desk, so that it can be undone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from handsel.db import Instant, Key, Model


class ScoringEdit(Model):
    """One change of the rules at the desk: the file before and after; kept as long as it can be undone."""

    __tablename__ = "scoring_edit"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    before: Mapped[str | None] = mapped_column(Text)
    """None where there was no file, and the shipped rules held."""
    after: Mapped[str | None] = mapped_column(Text)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    actor: Mapped[str] = mapped_column(String(254), default="")
    undone_at: Mapped[datetime | None] = mapped_column(Instant)
