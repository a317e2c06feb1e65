"""What was learned from the outcomes of hand-overs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from handsel.db import Instant, Key, Model


class QualityModel(Model):
    """A model of which leads sales accepts, or why there is none; the newest one holds."""

    __tablename__ = "quality_model"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    rules: Mapped[str] = mapped_column(String(16))
    """A digest of the scoring by which it was learned: points of other rules would mean something else."""
    accepted: Mapped[int]
    rejected: Mapped[int]
    """How many outcomes it was learned from."""
    shown: Mapped[bool]
    """There were enough outcomes, and the predictions were better than guessing."""
    learned: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """``properties``, ``means``, ``deviations``, ``bias``, ``weights`` and ``figures``; empty without enough
    outcomes."""
