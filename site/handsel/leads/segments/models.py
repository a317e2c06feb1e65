"""What people changed in the rules at the desk, so that it can be undone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from handsel.db import Instant, Key, Model


class SegmentEdit(Model):
    """One change of a segment at the desk: the lines of the file before and after; kept as long as it can be undone."""

    __tablename__ = "segment_edit"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    segment: Mapped[str] = mapped_column(String(60))
    before: Mapped[str | None] = mapped_column(Text)
    """None for a segment that was new."""
    after: Mapped[str | None] = mapped_column(Text)
    """None for one that was deleted."""
    follows: Mapped[str] = mapped_column(String(60), default="")
    """The segment that stood before it in the file."""
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    actor: Mapped[str] = mapped_column(String(254), default="")
    undone_at: Mapped[datetime | None] = mapped_column(Instant)
