"""Experiments: the facts (exposures, conversions), the record of each test, and the counts, which are views."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from handsel.db import Instant, Key, Model, partial_index

GOALS = ("capture", "confirmed", "mql", "sql", "value")


def _uncounted(table: str) -> Index:
    """Finds the few facts that no count knows yet among the many that are counted."""
    return partial_index(f"ix_{table}_uncounted", "offer", "visitor", sqlite="counted = 0", postgresql="NOT counted")


class Exposure(Model):
    """A fact: a visitor's first sight, on one day (UTC), of one variant of an offer's landing page."""

    __tablename__ = "exposure"
    __table_args__ = (Index("uq_exposure_offer_visitor_variant_day", "offer", "visitor", "variant", "day", unique=True),
                      _uncounted("exposure"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    offer: Mapped[str] = mapped_column(String(80))
    visitor: Mapped[str] = mapped_column(String(32))
    variant: Mapped[str] = mapped_column(String(2))
    at: Mapped[datetime] = mapped_column(Instant)
    day: Mapped[date] = mapped_column(Date)
    counted: Mapped[bool] = mapped_column(default=False)
    """Whether the views know of it; set by the worker alone."""


class Conversion(Model):
    """A fact: what a capture of a visitor led to, once for each capture and goal."""

    __tablename__ = "conversion"
    __table_args__ = (Index("uq_conversion_capture_id_goal", "capture_id", "goal", unique=True),
                      Index("ix_conversion_offer_visitor", "offer", "visitor"), _uncounted("conversion"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    offer: Mapped[str] = mapped_column(String(80))
    visitor: Mapped[str] = mapped_column(String(32))
    variant: Mapped[str] = mapped_column(String(2))
    goal: Mapped[str] = mapped_column(String(12))
    value: Mapped[float | None]
    """What a sale brought, in the site's currency, to the hundredth; None for goals that are only counted."""
    at: Mapped[datetime] = mapped_column(Instant)
    capture_id: Mapped[int | None] = mapped_column(ForeignKey("capture.id", ondelete="SET NULL"))
    counted: Mapped[bool] = mapped_column(default=False)


class Experiment(Model):
    """One test of an offer's landing pages, from its start to its end. Only the worker writes its counts and state."""

    __tablename__ = "experiment"
    __table_args__ = (
        partial_index("uq_experiment_offer_open", "offer", unique=True, sqlite="ended_at IS NULL",
                      postgresql="ended_at IS NULL"),
        Index("ix_experiment_offer_started_at", "offer", "started_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    offer: Mapped[str] = mapped_column(String(80))
    goal: Mapped[str] = mapped_column(String(12))
    hypothesis: Mapped[str] = mapped_column(Text, default="")
    variants: Mapped[list[str]] = mapped_column(JSON)
    """Their letters, the control first; arms, weights and results are in this order."""
    plan: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """As the evaluator reads it, with the weights of the start; None for a test without a plan."""
    started_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ending: Mapped[str] = mapped_column(String(12), default="")
    """``stopped``, ``shipped``, or ``changed`` when other variants took part from then on; empty while it runs."""
    shipped_variant: Mapped[str] = mapped_column(String(2), default="")
    learned: Mapped[str] = mapped_column(Text, default="")
    paused_at: Mapped[datetime | None] = mapped_column(Instant)
    versions: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    """The digest of each variant's file as it was last seen."""
    asked: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What the file asks for and does not get while the test runs, so that it is told once."""
    base: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    """The views of the first day that came before the start, by the reason why they do not count."""
    state: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What the evaluation remembers from look to look, with the verdict once given."""
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The newest answer of the evaluation, without its state; None before the first look."""
    looked_at: Mapped[datetime | None] = mapped_column(Instant)
    daily_on: Mapped[date | None] = mapped_column(Date)
    """The last day, in the site's timezone, that had its daily look."""


class ExperimentPeriod(Model):
    """A stretch of one experiment with one split. Between two periods the test was paused."""

    __tablename__ = "experiment_period"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"), index=True)
    weights: Mapped[list[float]] = mapped_column(JSON)
    begins_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime | None] = mapped_column(Instant)
    why: Mapped[str] = mapped_column(Text, default="")


class ExperimentEvent(Model):
    """One line of an experiment's timeline.

    ``kind`` is ``started``, ``split``, ``version``, ``paused``, ``resumed``, ``verdict``, ``alarm``, ``stopped``,
    ``shipped``, ``learned`` or ``note``. ``actor`` is empty for what the files or the worker did.
    """

    __tablename__ = "experiment_event"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    kind: Mapped[str] = mapped_column(String(12))
    detail: Mapped[str] = mapped_column(Text, default="")
    actor: Mapped[str] = mapped_column(String(254), default="")


class ExperimentLook(Model):
    """A daily look: the answer of the evaluation with the counts it rests on, for the course over time."""

    __tablename__ = "experiment_look"

    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    result: Mapped[dict[str, Any]] = mapped_column(JSON)


class Enrolment(Model):
    """A view: what one visitor is to one experiment. ``excluded`` says why they count in no arm; empty if they do."""

    __tablename__ = "enrolment"

    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"), primary_key=True)
    visitor: Mapped[str] = mapped_column(String(32), primary_key=True)
    period_id: Mapped[int | None] = mapped_column(ForeignKey("experiment_period.id", ondelete="CASCADE"))
    variant: Mapped[str] = mapped_column(String(2))
    at: Mapped[datetime] = mapped_column(Instant)
    converted_at: Mapped[datetime | None] = mapped_column(Instant)
    value: Mapped[float | None]
    """The value of the conversion, capped by the plan; None without a conversion and for goals without a value."""
    excluded: Mapped[str] = mapped_column(String(20), default="")


class Arm(Model):
    """A view: the counts of one variant in one period, as the evaluator takes them."""

    __tablename__ = "arm"

    period_id: Mapped[int] = mapped_column(ForeignKey("experiment_period.id", ondelete="CASCADE"), primary_key=True)
    variant: Mapped[str] = mapped_column(String(2), primary_key=True)
    visitors: Mapped[int] = mapped_column(default=0)
    conversions: Mapped[int] = mapped_column(default=0)
    total: Mapped[float] = mapped_column(default=0.0)
    squares: Mapped[float] = mapped_column(default=0.0)


class Exclusion(Model):
    """A view: how many visitors (or views, for robots and the like) are left out of an experiment for one reason."""

    __tablename__ = "exclusion"

    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"), primary_key=True)
    reason: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[int] = mapped_column(default=0)
