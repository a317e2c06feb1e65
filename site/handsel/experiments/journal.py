"""What people write into an experiment's timeline: what they learned, and why they ended it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from handsel.experiments.models import Experiment, ExperimentEvent


def note(session: Session, experiment_id: int, kind: str, detail: str, *, actor: str, at: datetime) -> None:
    """Add a line to the timeline. Needs a write transaction.

    Who stops or ships a test notes ``stopped``, or ``shipped`` with the variant's letter, before the files change: the
    worker, which ends the test when the files have changed, then knows what it was and who did it.
    """
    session.add(ExperimentEvent(experiment_id=experiment_id, at=at, kind=kind, detail=detail, actor=actor))


def learn(session: Session, experiment_id: int, text: str, actor: str, at: datetime) -> None:
    """Write down what was learned, in place of what stood there; an empty text takes it away."""
    session.execute(update(Experiment).where(Experiment.id == experiment_id).values(learned=text.strip()))
    note(session, experiment_id, "learned", text.strip(), actor=actor, at=at)
