"""The evaluator looks at the kept counts, and what it says is written down: result, state, verdict, alarm, course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.experiments.evaluate import answer
from handsel.experiments.models import Arm, Experiment, ExperimentEvent, ExperimentLook, ExperimentPeriod
from handsel.experiments.split import ALARM
from handsel.experiments.state import State, from_dict
from handsel.experiments.trial import NOTHING, Cell, Period, Plan
from handsel.experiments.verdict import judge


def look(session: Session, experiment: Experiment, at: datetime, day: date | None = None) -> None:
    """Look at one experiment; ``day``, in the site's timezone, makes it the daily look.

    The days that a test stood still do not open its gates: the evaluator's clock stands still with it.
    """
    _, periods, cells = counted(session, experiment)
    before = None if experiment.state is None else from_dict(experiment.state)
    judged = judge(plan_of(experiment.plan), periods, cells, look="visitor" if day is None else "daily", state=before,
                   now=running_time(periods, at))
    state = _dated(before, judged.state, at)
    told = answer(judged._replace(state=state))
    experiment.state = told.pop("state")
    experiment.result, experiment.looked_at = told, at
    _tell(session, experiment, before, state, at)
    if day is not None:
        experiment.daily_on = day
        totals = [[sum(numbers) for numbers in zip(*(row[place] for row in cells), strict=True)]
                  for place in range(len(experiment.variants))]
        session.merge(ExperimentLook(experiment_id=experiment.id, day=day, at=at, result=told | {"counts": totals}))


def counted(session: Session, experiment: Experiment) -> tuple[Sequence[ExperimentPeriod], list[Period],
                                                                list[list[Cell]]]:
    """The periods in their order, as rows and as the evaluator takes them, with a row of counts for each."""
    rows = session.scalars(select(ExperimentPeriod).where(ExperimentPeriod.experiment_id == experiment.id).order_by(
        ExperimentPeriod.begins_at, ExperimentPeriod.id)).all()
    periods = [Period(tuple(row.weights), row.begins_at, row.ends_at) for row in rows]
    return rows, periods, _cells(session, experiment, rows)


def plan_of(plan: Mapping[str, Any] | None) -> Plan | None:
    """A plan as the evaluator takes it, from what is kept of it."""
    return None if plan is None else Plan(**{**plan, "weights": tuple(plan["weights"])})


def running_time(periods: Sequence[Period], at: datetime) -> datetime:
    """``at`` less all the time in which the test stood still."""
    still = timedelta()
    for place, period in enumerate(periods):
        until = periods[place + 1].begins_at if place + 1 < len(periods) else at
        if period.ends_at is not None and until is not None:
            still += max(timedelta(), until - period.ends_at)
    return at - still


def _cells(session: Session, experiment: Experiment, periods: Sequence[ExperimentPeriod]) -> list[list[Cell]]:
    arms = {(arm.period_id, arm.variant): Cell(arm.visitors, arm.conversions, arm.total, arm.squares)
            for arm in session.execute(select(*Arm.__table__.columns).where(
                Arm.period_id.in_([period.id for period in periods])))}
    return [[arms.get((period.id, name), NOTHING) for name in experiment.variants] for period in periods]


def _dated(before: State | None, state: State, at: datetime) -> State:
    """The state with the true time of a verdict that was just given."""
    if state.latch is None or (before is not None and before.latch is not None):
        return state
    return state._replace(latch=state.latch._replace(at=at))


def _tell(session: Session, experiment: Experiment, before: State | None, state: State, at: datetime) -> None:
    """Put a new verdict and a new alarm into the timeline, once each."""
    if state.latch is not None and (before is None or before.latch is None):
        session.add(ExperimentEvent(experiment_id=experiment.id, at=at, kind="verdict",
                                    detail=f"{state.latch.verdict} {experiment.variants[state.latch.variant]}"))
    if state.log_split >= ALARM and (before is None or before.log_split < ALARM):
        session.add(ExperimentEvent(experiment_id=experiment.id, at=at, kind="alarm"))
