"""The record follows the files: experiments begin, change their split, pause, resume and end as the files say.

Processes take up a changed file within a second of each other, so around every change ``SETTLE`` is left out on both
sides: who comes in that time counts nowhere, and no visitor is held against a split that they were not given.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handsel.experiments import tallied
from handsel.experiments.models import Experiment, ExperimentEvent, ExperimentPeriod, Exposure
from handsel.experiments.state import as_dict, fresh

SETTLE = timedelta(seconds=2)
TOLD_LATELY = timedelta(minutes=10)  # who says that they stop or ship a test does so to the files within this time
CONTROL = "a"
GONE = "The offer is not in the project."


@dataclass(frozen=True)
class Wish:
    """What the files of one offer ask for. ``goal`` is empty where no test is asked for.

    ``split`` holds the weights by variant, ``digests`` what each variant's page shows, as a word that changes with it.
    ``plan`` has the keys of the evaluator's plan but ``weights``; ``paused`` says why the test cannot run now.
    """

    split: Mapping[str, int] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    goal: str = ""
    hypothesis: str = ""
    plan: Mapping[str, Any] | None = None
    paused: str = ""
    shifting: bool = False

    @property
    def variants(self) -> list[str]:
        """The control and all challengers that have a weight, in their order."""
        return [CONTROL, *sorted(name for name, weight in self.split.items() if weight > 0 and name != CONTROL)]

    @property
    def runs(self) -> bool:
        """Whether a test is asked for and can run."""
        return bool(self.goal) and not self.paused and len(self.variants) > 1

    def weights(self, variants: list[str]) -> list[float]:
        """The weights in the order of ``variants``."""
        return [float(self.split.get(name, 0)) for name in variants]

    def fixed(self) -> dict[str, Any]:
        """What a test keeps from its start to its end, whatever is written later."""
        plan = None if self.plan is None else dict(self.plan)
        return {"goal": self.goal, "hypothesis": self.hypothesis, "plan": plan}


def sync(session: Session, wishes: Mapping[str, Wish], at: datetime, today: date, *,
         among: Collection[str] | None = None) -> None:
    """Bring the record of every offer in line with ``wishes``, which names every offer of the project.

    ``today`` is the day of ``at`` in the site's timezone. With ``among``, other offers than these are left alone. Needs
    a write transaction, and to be the only one at it.
    """
    running = {each.offer: each for each in session.scalars(select(Experiment).where(Experiment.ended_at.is_(None)))
               if among is None or each.offer in among}
    for offer, experiment in running.items():
        wish = wishes.get(offer, Wish(paused=GONE))
        if not wish.goal and not wish.paused:
            _end(session, experiment, wish, at)
        elif wish.runs and not set(wish.variants) <= set(experiment.variants):
            _close(session, experiment, "changed", at)
            _say(session, experiment, at, "stopped", "Other variants take part from here on, so a new test begins.")
            running = running | {offer: _open(session, offer, wish, at, today)}
        else:
            _follow(session, experiment, wish, at)
    for offer, wish in wishes.items():
        if wish.runs and offer not in running and (among is None or offer in among):
            _open(session, offer, wish, at, today)


def _open(session: Session, offer: str, wish: Wish, at: datetime, today: date) -> Experiment:
    """Begin a test of ``offer`` a moment after ``at``."""
    variants = wish.variants
    weights = wish.weights(variants)
    plan = None if wish.plan is None else dict(wish.plan) | {"weights": weights}
    # The first state says that the planned boundary belongs to the daily looks alone.
    state = as_dict(fresh("daily", len(variants) - 1))
    experiment = Experiment(
        offer=offer, goal=wish.goal, hypothesis=wish.hypothesis, variants=variants, plan=plan, started_at=at + SETTLE,
        versions={name: wish.digests[name] for name in variants if name in wish.digests}, state=state, daily_on=today,
        base=tallied.views(session.connection(), offer, at.date()))
    session.add(experiment)
    session.flush()
    session.add(ExperimentPeriod(experiment_id=experiment.id, weights=weights, begins_at=at + SETTLE, why="start"))
    _say(session, experiment, at, "started", shares(variants, weights))
    _count_anew(session, offer, datetime.combine(experiment.started_at.date(), time(), UTC))
    return experiment


def _end(session: Session, experiment: Experiment, wish: Wish, at: datetime) -> None:
    """End a test whose lines are gone from the file: shipped if the control now is what a challenger was."""
    told = session.scalars(select(ExperimentEvent).where(
        ExperimentEvent.experiment_id == experiment.id, ExperimentEvent.kind.in_(("stopped", "shipped")),
        ExperimentEvent.at >= at - TOLD_LATELY).order_by(ExperimentEvent.id.desc())).first()
    now = wish.digests.get(CONTROL, "")
    shipped = next((name for name, digest in experiment.versions.items()
                    if name != CONTROL and digest and digest == now), "")
    if told is not None and told.kind == "shipped" and told.detail in experiment.variants:
        shipped = told.detail
    ending = "shipped" if shipped else "stopped"
    _close(session, experiment, ending, at)
    experiment.shipped_variant = shipped
    if told is None or told.kind != ending:
        _say(session, experiment, at, ending, shipped)


def _close(session: Session, experiment: Experiment, ending: str, at: datetime) -> None:
    _close_period(session, experiment, at)
    experiment.ended_at, experiment.ending, experiment.paused_at = at, ending, None
    session.flush()  # before another one of the same offer can be open
    connection = session.connection()
    tallied.keep(connection, experiment.id, tallied.news(connection, experiment))


def _follow(session: Session, experiment: Experiment, wish: Wish, at: datetime) -> None:
    """Pause, resume, change the split, and note what else the files did to a running test."""
    if wish.goal:
        _note_versions(session, experiment, wish, at)
        _note_asked(session, experiment, wish, at)
    if not wish.runs:
        if experiment.paused_at is None:
            _close_period(session, experiment, at)
            experiment.paused_at = at
            _say(session, experiment, at, "paused", wish.paused or "Only one variant has a share.")
        return
    weights = wish.weights(experiment.variants)
    said = shares(experiment.variants, weights)
    if experiment.paused_at is not None:
        experiment.paused_at = None
        _open_period(session, experiment, weights, "resumed", at)
        _say(session, experiment, at, "resumed", said)
    elif not wish.shifting and _normal(_period(session, experiment).weights) != _normal(weights):
        _close_period(session, experiment, at)
        _open_period(session, experiment, weights, "split", at)
        _say(session, experiment, at, "split", said)


def _period(session: Session, experiment: Experiment) -> ExperimentPeriod:
    """The last period."""
    return session.scalars(select(ExperimentPeriod).where(ExperimentPeriod.experiment_id == experiment.id).order_by(
        ExperimentPeriod.begins_at.desc(), ExperimentPeriod.id.desc())).first() or _missing(experiment)


def _missing(experiment: Experiment) -> ExperimentPeriod:
    raise LookupError(f"experiment {experiment.id} has no period")


def _open_period(session: Session, experiment: Experiment, weights: list[float], why: str, at: datetime) -> None:
    session.add(ExperimentPeriod(experiment_id=experiment.id, weights=weights, begins_at=at + SETTLE, why=why))


def _close_period(session: Session, experiment: Experiment, at: datetime) -> None:
    """End the open period a moment ago, and let those who came since be counted anew."""
    period, until = _period(session, experiment), at - SETTLE
    if period.ends_at is None:
        period.ends_at = max(period.begins_at, until)
    since = period.ends_at
    for before in session.scalars(select(ExperimentPeriod).where(  # it was to end when an announced split begins
            ExperimentPeriod.experiment_id == experiment.id, ExperimentPeriod.id != period.id,
            ExperimentPeriod.ends_at > until)):
        before.ends_at = since = max(before.begins_at, until)
    _count_anew(session, experiment.offer, since)


def _count_anew(session: Session, offer: str, since: datetime) -> None:
    """Let everybody who came since then be looked at once more: what they are worth has changed."""
    session.execute(update(Exposure).where(Exposure.offer == offer, Exposure.at >= since).values(counted=False))


def _note_versions(session: Session, experiment: Experiment, wish: Wish, at: datetime) -> None:
    """Tell of variants whose page shows something else than before."""
    now = {name: wish.digests[name] for name in experiment.variants if name in wish.digests}
    for name, digest in now.items():
        if experiment.versions.get(name, digest) != digest:
            _say(session, experiment, at, "version", name)
    if now.items() - experiment.versions.items():
        experiment.versions = experiment.versions | now


def _note_asked(session: Session, experiment: Experiment, wish: Wish, at: datetime) -> None:
    """Tell once of what the file asks for and does not get while the test runs."""
    plan = experiment.plan
    kept = {"goal": experiment.goal, "hypothesis": experiment.hypothesis,
            "plan": None if plan is None else {name: value for name, value in plan.items() if name != "weights"}}
    asked = {name: value for name, value in wish.fixed().items() if value != kept[name]}
    if asked != experiment.asked:
        experiment.asked = asked
        if asked:
            _say(session, experiment, at, "note", f"The {' and the '.join(asked)} in offer.md changed. The test keeps "
                                                  "what it began with until it ends.")


def _say(session: Session, experiment: Experiment, at: datetime, kind: str, detail: str) -> None:
    session.add(ExperimentEvent(experiment_id=experiment.id, at=at, kind=kind, detail=detail))


def _normal(weights: list[float]) -> list[float]:
    return [round(weight / sum(weights), 9) for weight in weights]


def shares(variants: list[str], weights: list[float]) -> str:
    """A split in words: ``a 50 %, b 50 %``."""
    return ", ".join(f"{name} {100 * weight / sum(weights):.3g} %"
                     for name, weight in zip(variants, weights, strict=True))
