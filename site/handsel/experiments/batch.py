"""Traffic that is shifted: once a day the worker announces the next split, and the pages take it up at its time.

It is announced ``AHEAD`` of time, so that every process knows it before it begins and all change at one instant.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from handsel.experiments.looking import counted
from handsel.experiments.models import Experiment, ExperimentEvent, ExperimentPeriod
from handsel.experiments.shifting import percents, shift
from handsel.experiments.sync import SETTLE, shares

AHEAD = timedelta(seconds=40)  # pages ask every ten seconds
Split = tuple[tuple[str, int], ...]


def next_batch(session: Session, experiment: Experiment, at: datetime) -> bool:
    """Announce the split of the next day, if it differs enough from the one of now; whether it was.

    Not after a verdict, which ends the search, and not for values, which need an even split. Needs a write transaction.
    """
    state = experiment.state or {}
    rows, periods, cells = counted(session, experiment)
    if state.get("latch") or experiment.goal == "value" or experiment.paused_at or rows[-1].ends_at is not None:
        return False
    now = rows[-1].weights
    split = shift(now, periods, cells)
    if split == percents(now):
        return False
    begins_at = at + AHEAD
    rows[-1].ends_at = max(rows[-1].begins_at, begins_at - SETTLE)
    weights = [float(share) for share in split]
    session.add(ExperimentPeriod(experiment_id=experiment.id, weights=weights, begins_at=begins_at + SETTLE,
                                 why="shifted"))
    session.add(ExperimentEvent(experiment_id=experiment.id, at=at, kind="split",
                                detail=shares(experiment.variants, weights)))
    return True


def announced(connection: Connection, offers: Iterable[str], at: datetime) -> dict[str, list[tuple[datetime, Split]]]:
    """The splits of now and of what is announced, by offer, each with its beginning; of running tests alone."""
    rows = connection.execute(
        select(Experiment.offer, Experiment.variants, ExperimentPeriod.weights, ExperimentPeriod.begins_at)
        .join(ExperimentPeriod, ExperimentPeriod.experiment_id == Experiment.id)
        .where(Experiment.offer.in_(list(offers)), Experiment.ended_at.is_(None), Experiment.paused_at.is_(None),
               or_(ExperimentPeriod.ends_at.is_(None), ExperimentPeriod.ends_at > at - AHEAD))
        .order_by(ExperimentPeriod.begins_at, ExperimentPeriod.id))
    found: dict[str, list[tuple[datetime, Split]]] = {}
    for offer, variants, weights, begins_at in rows:
        split = tuple(zip(variants, percents(weights), strict=True))
        found.setdefault(offer, []).append((begins_at - SETTLE, split))
    return found
