"""How an experiment stands, as one frozen value: read from the rows that the worker keeps, and never computed here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection, Row

from handsel.experiments.models import (
    Arm,
    Exclusion,
    Experiment,
    ExperimentEvent,
    ExperimentLook,
    ExperimentPeriod,
)
from handsel.experiments.plan import forecast
from handsel.experiments.state import written
from handsel.experiments.trial import NOTHING, Cell, add

CONTROL = "a"


@dataclass(frozen=True)
class ArmResult:
    """One variant: its counts, and its lift over the control with the anytime interval from ``lo`` to ``hi``.

    ``rate`` is conversions by visitor, or value by visitor where the goal is a value; None while nobody has seen the
    variant. ``lift``, ``lo`` and ``hi`` are relative (.2 is +20 %) and 0 for the control; ``lift`` is None while the
    control's rate is 0, ``hi`` while there is no upper limit. ``share`` is the part of visitors it gets now, 0 to 1.
    """

    variant: str
    share: float
    visitors: int
    conversions: int
    total: float
    rate: float | None
    lift: float | None
    lo: float
    hi: float | None
    p_anytime: float

    @property
    def is_control(self) -> bool:
        """Whether the others are measured against it."""
        return self.variant == CONTROL


@dataclass(frozen=True)
class PeriodResult:
    """A stretch with one split; ``weights`` and ``cells`` in the order of the variants, ``ends_at`` None while open."""

    weights: tuple[float, ...]
    begins_at: datetime
    ends_at: datetime | None
    why: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class EventResult:
    """One line of the timeline; see ``ExperimentEvent`` for the kinds."""

    at: datetime
    kind: str
    detail: str
    actor: str


@dataclass(frozen=True)
class LookResult:
    """A daily look: what was shown on that day, arm by arm."""

    day: date
    at: datetime
    verdict: str
    arms: tuple[ArmResult, ...]
    alarm: bool


@dataclass(frozen=True)
class Results:
    """An experiment with everything that people and machines are shown of it.

    ``verdict`` is ``none``, ``winner``, ``loser``, ``no_difference`` or ``withheld``, about ``variant`` (the leader
    where there is none); ``decided_at`` and ``decided_counts`` (visitors and conversions by variant) belong to a
    verdict once given. ``best`` is False for a winner that is not yet ahead of the runner-up. ``reasons`` says what is
    waited for. ``excluded`` counts what is left out, by reason. ``planned`` is the visitors the plan asks for in all,
    None without a plan. ``asked`` holds what the file asks for and does not get while the test runs.
    """

    id: int
    offer: str
    goal: str
    hypothesis: str
    plan: Mapping[str, Any] | None
    started_at: datetime
    ended_at: datetime | None
    ending: str
    shipped_variant: str
    learned: str
    paused_at: datetime | None
    arms: tuple[ArmResult, ...]
    verdict: str
    variant: str
    best: bool
    decided_at: datetime | None
    decided_counts: tuple[tuple[int, int], ...]
    reasons: tuple[str, ...]
    alarm: bool
    alarm_p: float
    excluded: Mapping[str, int]
    planned: int | None
    periods: tuple[PeriodResult, ...]
    events: tuple[EventResult, ...]
    course: tuple[LookResult, ...]
    looked_at: datetime | None
    asked: Mapping[str, Any]
    state: Mapping[str, Any] | None

    @property
    def is_running(self) -> bool:
        """Whether it has not ended; it may be paused."""
        return self.ended_at is None

    @property
    def variants(self) -> tuple[str, ...]:
        """The letters of the variants, the control first."""
        return tuple(arm.variant for arm in self.arms)

    @property
    def visitors(self) -> int:
        """All visitors that count."""
        return sum(arm.visitors for arm in self.arms)

    @property
    def conversions(self) -> int:
        """All conversions that count."""
        return sum(arm.conversions for arm in self.arms)

    @property
    def progress(self) -> float | None:
        """The part of the planned visitors that is there, over 1 beyond it; None without a plan."""
        return self.visitors / self.planned if self.planned else None

    @property
    def leader(self) -> ArmResult:
        """The challenger that the verdict is about, or that is ahead while there is none."""
        return next((arm for arm in self.arms if arm.variant == self.variant), self.arms[-1])

    def arm(self, variant: str) -> ArmResult | None:
        """The arm of that letter."""
        return next((arm for arm in self.arms if arm.variant == variant), None)

    def as_dict(self) -> dict[str, Any]:
        """The answer of the evaluator for the live counts, and under ``experiment`` all that it rests on; for JSON."""
        lead = self.leader
        return {
            "verdict": self.verdict, "variant": self.variants.index(lead.variant), "p_anytime": lead.p_anytime,
            "lift": lead.lift, "lo": lead.lo, "hi": lead.hi,
            "variants": [{"rate": arm.rate or 0.0, "p_anytime": arm.p_anytime, "lift": arm.lift, "lo": arm.lo,
                          "hi": arm.hi} for arm in self.arms],
            "srm": {"p_anytime": self.alarm_p, "alarm": self.alarm}, "reasons": list(self.reasons),
            "state": None if self.state is None else dict(self.state),
            "experiment": self._experiment(),
        }

    def _experiment(self) -> dict[str, Any]:
        return {
            "id": self.id, "offer": self.offer, "goal": self.goal, "hypothesis": self.hypothesis,
            "started_at": written(self.started_at), "ended_at": written(self.ended_at), "ending": self.ending,
            "paused_at": written(self.paused_at), "shipped_variant": self.shipped_variant, "learned": self.learned,
            "decided_at": written(self.decided_at), "looked_at": written(self.looked_at), "planned": self.planned,
            "plan": None if self.plan is None else dict(self.plan), "best": self.best,
            "arms": [{"variant": arm.variant, "share": arm.share, "visitors": arm.visitors,
                      "conversions": arm.conversions, "total": arm.total} for arm in self.arms],
            "periods": [{"weights": list(period.weights), "from": written(period.begins_at),
                         "to": written(period.ends_at), "why": period.why} for period in self.periods],
            "counts": [[place, index, *cell] for place, period in enumerate(self.periods)
                       for index, cell in enumerate(period.cells)],
            "excluded": dict(self.excluded),
            "events": [{"at": written(event.at), "kind": event.kind, "detail": event.detail, "actor": event.actor}
                       for event in self.events],
            "course": [{"day": look.day.isoformat(), "at": written(look.at), "verdict": look.verdict,
                        "alarm": look.alarm,
                        "variants": [{"visitors": arm.visitors, "conversions": arm.conversions, "lift": arm.lift,
                                      "lo": arm.lo, "hi": arm.hi} for arm in look.arms]} for look in self.course],
        }


def results(connection: Connection, experiment_id: int) -> Results | None:
    """How that experiment stands; None if there is none of that number."""
    row = connection.execute(_experiments().where(Experiment.id == experiment_id)).first()
    return None if row is None else _read(connection, row)


def briefly(connection: Connection, ids: Iterable[int], *, course: bool = False) -> list[Results]:
    """Those experiments in that order, without their timelines and exclusions (and without their courses, unless
    asked for): what a list shows, for the same few questions however long it is."""
    wanted = list(ids)
    rows = {row.id: row for row in connection.execute(_experiments().where(Experiment.id.in_(wanted)))}
    periods = _periods(connection, list(rows.values()))
    looks = _courses(connection, list(rows.values())) if course else {}
    return [_made(rows[number], periods[number], looks.get(number, ()), (), {}) for number in wanted if number in rows]


def running(connection: Connection) -> list[int]:
    """The numbers of the experiments that have not ended, newest first."""
    return list(connection.scalars(select(Experiment.id).where(Experiment.ended_at.is_(None)).order_by(
        Experiment.started_at.desc(), Experiment.id.desc())))


def latest(connection: Connection, offer: str) -> Results | None:
    """The running experiment of ``offer``, or the one that began last; None if there never was one."""
    row = connection.execute(_experiments().where(Experiment.offer == offer).order_by(
        Experiment.ended_at.is_not(None), Experiment.started_at.desc(), Experiment.id.desc()).limit(1)).first()
    return None if row is None else _read(connection, row)


def all_of(connection: Connection) -> list[Results]:
    """Every experiment there ever was, those that run first, newest first."""
    rows = connection.execute(_experiments().order_by(
        Experiment.ended_at.is_not(None), Experiment.started_at.desc(), Experiment.id.desc())).all()
    return [_read(connection, row) for row in rows]


def planned_visitors(plan: Mapping[str, Any] | None) -> int | None:
    """The visitors that a plan asks for, all variants together; None without a plan."""
    if plan is None:
        return None
    weights = tuple(plan["weights"])
    return forecast(plan["baseline"], plan["mde"], alpha=plan["alpha"], power=plan["power"], weights=weights,
                    values=plan["value_cap"] is not None).total


def _experiments() -> Any:
    return select(*Experiment.__table__.columns)


def _read(connection: Connection, row: Row[Any]) -> Results:
    return _made(row, _periods(connection, [row])[row.id], _courses(connection, [row])[row.id],
                 _events(connection, row.id), _excluded(connection, row.id))


def _made(row: Row[Any], periods: list[PeriodResult], course: tuple[LookResult, ...], events: tuple[EventResult, ...],
          excluded: dict[str, int]) -> Results:
    answer: Mapping[str, Any] = row.result or {}
    latch = (row.state or {}).get("latch")
    shares = _shares(periods[-1].weights) if periods else (0.0,) * len(row.variants)
    return Results(
        row.id, row.offer, row.goal, row.hypothesis, row.plan, row.started_at, row.ended_at, row.ending,
        row.shipped_variant, row.learned, row.paused_at,
        arms=arms(row.variants, _totals(row.variants, periods), answer, shares, values=row.goal == "value"),
        verdict=answer.get("verdict", "none"), variant=row.variants[answer.get("variant", len(row.variants) - 1)],
        best=latch is None or latch["best"],
        decided_at=datetime.fromisoformat(latch["at"]) if latch and latch["at"] else None,
        decided_counts=tuple((int(seen), int(converted)) for seen, converted in latch["counts"]) if latch else (),
        reasons=tuple(answer.get("reasons", ())), alarm=bool(answer.get("srm", {}).get("alarm")),
        alarm_p=answer.get("srm", {}).get("p_anytime", 1.0), excluded=excluded,
        planned=planned_visitors(row.plan), periods=tuple(periods), events=events, course=course,
        looked_at=row.looked_at, asked=row.asked, state=row.state)


def arms(variants: Iterable[str], cells: Iterable[Cell], answer: Mapping[str, Any], shares: Iterable[float], *,
         values: bool = False) -> tuple[ArmResult, ...]:
    """The arms of an answer of the evaluator with the counts it rests on; an empty one stands for no look yet."""
    variants = list(variants)
    said = answer.get("variants") or [
        {"lift": 0.0, "lo": 0.0, "hi": 0.0, "p_anytime": 1.0} if place == 0 else
        {"lift": None, "lo": -1.0, "hi": None, "p_anytime": 1.0} for place in range(len(variants))]
    found = []
    for name, cell, share, told in zip(variants, cells, shares, said, strict=True):
        rate = (cell.total if values else cell.conversions) / cell.visitors if cell.visitors else None
        found.append(ArmResult(name, share, int(cell.visitors), int(cell.conversions), cell.total, rate, told["lift"],
                               told["lo"], told["hi"], told["p_anytime"]))
    return tuple(found)


def _shares(weights: Iterable[float]) -> tuple[float, ...]:
    weights = tuple(weights)
    return tuple(weight / sum(weights) for weight in weights)


def _periods(connection: Connection, rows: Iterable[Row[Any]]) -> dict[int, list[PeriodResult]]:
    """By experiment: its periods with the counts of each variant."""
    variants = {row.id: row.variants for row in rows}
    found: dict[int, list[PeriodResult]] = {number: [] for number in variants}
    periods = connection.execute(
        select(*ExperimentPeriod.__table__.columns).where(ExperimentPeriod.experiment_id.in_(variants))
        .order_by(ExperimentPeriod.begins_at, ExperimentPeriod.id)).all()
    counted = {(arm.period_id, arm.variant): Cell(arm.visitors, arm.conversions, arm.total, arm.squares)
               for arm in connection.execute(select(*Arm.__table__.columns).where(
                   Arm.period_id.in_([period.id for period in periods])))}
    for period in periods:
        found[period.experiment_id].append(PeriodResult(
            tuple(period.weights), period.begins_at, period.ends_at, period.why,
            tuple(counted.get((period.id, name), NOTHING) for name in variants[period.experiment_id])))
    return found


def _totals(variants: Iterable[str], periods: Iterable[PeriodResult]) -> list[Cell]:
    totals = [NOTHING for _ in variants]
    for period in periods:
        totals = [add(total, cell) for total, cell in zip(totals, period.cells, strict=True)]
    return totals


def _excluded(connection: Connection, experiment_id: int) -> dict[str, int]:
    rows = connection.execute(select(Exclusion.reason, Exclusion.number).where(
        Exclusion.experiment_id == experiment_id, Exclusion.number > 0).order_by(Exclusion.reason))
    return {reason: number for reason, number in rows}


def _events(connection: Connection, experiment_id: int) -> tuple[EventResult, ...]:
    rows = connection.execute(select(
        ExperimentEvent.at, ExperimentEvent.kind, ExperimentEvent.detail, ExperimentEvent.actor)
        .where(ExperimentEvent.experiment_id == experiment_id).order_by(ExperimentEvent.at, ExperimentEvent.id))
    return tuple(EventResult(*each) for each in rows)


def _courses(connection: Connection, rows: Iterable[Row[Any]]) -> dict[int, tuple[LookResult, ...]]:
    """By experiment: its daily looks."""
    known = {row.id: row for row in rows}
    found: dict[int, list[LookResult]] = {number: [] for number in known}
    looks = connection.execute(select(*ExperimentLook.__table__.columns).where(
        ExperimentLook.experiment_id.in_(known)).order_by(ExperimentLook.day))
    for look in looks:
        row = known[look.experiment_id]
        found[row.id].append(LookResult(
            look.day, look.at, look.result["verdict"],
            arms(row.variants, [Cell(*cell) for cell in look.result["counts"]], look.result,
                 (0.0,) * len(row.variants), values=row.goal == "value"),
            look.result["srm"]["alarm"]))
    return {number: tuple(course) for number, course in found.items()}
