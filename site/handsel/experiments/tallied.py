"""What is left out of an experiment before anybody is enrolled: robots, prefetches, HEADs and repeated views."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection, Row

from handsel.db import insert_or
from handsel.experiments.enrol import CROSSED, REASONS
from handsel.experiments.models import Arm, Exclusion, Experiment, ExperimentPeriod
from handsel.traffic.models import Tally

DUPLICATE = "duplicate"  # a view of somebody who was counted already, or who asks not to be followed
_KNOWN = (Experiment.id, Experiment.offer, Experiment.base, Experiment.started_at)


def views(connection: Connection, offer: str, from_day: date) -> dict[str, int]:
    """The views of an offer's landing pages since a day (UTC), by the reason why they do not count; "" for the rest."""
    rows = connection.execute(select(Tally.excluded, func.sum(Tally.hits)).where(
        Tally.offer == offer, Tally.kind == "view", Tally.variant != "", Tally.day >= from_day)
        .group_by(Tally.excluded))
    return {reason: int(hits) for reason, hits in rows}


def running(connection: Connection) -> list[Row[Any]]:
    """What ``news`` needs to know of each experiment that has not ended."""
    return list(connection.execute(select(*_KNOWN).where(Experiment.ended_at.is_(None))))


def news(connection: Connection, experiment: Row[Any] | Experiment) -> dict[str, int]:
    """What is left out of a running experiment now, as far as it differs from what is kept. Only reads."""
    found = {reason: hits - experiment.base.get(reason, 0)
             for reason, hits in views(connection, experiment.offer, experiment.started_at.date()).items()}
    periods = select(ExperimentPeriod.id).where(ExperimentPeriod.experiment_id == experiment.id)
    people = connection.scalar(select(func.coalesce(func.sum(Arm.visitors), 0)).where(Arm.period_id.in_(periods))) or 0
    kept = {reason: number for reason, number in connection.execute(
        select(Exclusion.reason, Exclusion.number).where(Exclusion.experiment_id == experiment.id))}
    people += sum(number for reason, number in kept.items() if reason in REASONS) + kept.get(CROSSED, 0)
    found[DUPLICATE] = max(0, found.pop("", 0) - people)  # a view may be lost whose visitor sent the form all the same
    return {reason: number for reason, number in found.items() if kept.get(reason, 0) != number}


def keep(connection: Connection, experiment_id: int, found: Mapping[str, int]) -> None:
    """Write down what ``news`` gave. Needs a write transaction."""
    if found:
        statement = insert_or(Exclusion, connection.dialect.name)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["experiment_id", "reason"],
                                            set_={"number": statement.excluded.number}),
            [{"experiment_id": experiment_id, "reason": reason, "number": number}
             for reason, number in sorted(found.items())])
