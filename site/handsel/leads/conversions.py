"""The goals of experiments beyond the capture itself: what becomes of the visitors who left their address."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.db import insert_or
from handsel.experiments.models import Conversion
from handsel.leads.models import Capture

STAGE_GOALS = ("mql", "sql")  # stages that are goals too; one who is further along has reached them


def proven(session: Session, capture_id: int, at: datetime) -> None:
    """The mailbox of a capture is proven. Needs a write transaction."""
    was = session.scalars(select(Conversion).where(
        Conversion.capture_id == capture_id, Conversion.goal == "capture")).first()
    if was is not None:
        convert(session, was, "confirmed", at)


def reached(session: Session, mailboxes: Iterable[int], goals: Iterable[str], at: datetime,
            value: float | None = None) -> None:
    """A lead with these mailboxes reached ``goals``: of each offer that one of them came through, its last capture
    counts.

    Only captures of visitors who were counted, which have a conversion of their own, lead to another one. Needs a write
    transaction.
    """
    newest = select(func.max(Capture.id)).join(Conversion, Conversion.capture_id == Capture.id).where(
        Capture.lead_id.in_(list(mailboxes)), Conversion.goal == "capture").group_by(Capture.lead_id, Capture.offer)
    for was in session.scalars(select(Conversion).where(
            Conversion.goal == "capture", Conversion.capture_id.in_(newest))).all():
        for goal in goals:
            convert(session, was, goal, at, value)


def convert(session: Session, was: Conversion, goal: str, at: datetime, value: float | None = None) -> None:
    """The visitor of a capture's own conversion reached a further goal; without effect if they did before."""
    session.execute(insert_or(Conversion, session.get_bind().dialect.name).values(
        offer=was.offer, visitor=was.visitor, variant=was.variant, goal=goal, at=at, value=value,
        capture_id=was.capture_id, counted=False).on_conflict_do_nothing())
