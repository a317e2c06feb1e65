"""Facts become counts: each visitor with news is looked at anew, and the arms change by what changed of them.

A visitor is always judged by all of their facts, so it does not matter in what order or how often they are folded, and
counts made anew from the facts are the same as those kept up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, false, func, select, true, update
from sqlalchemy.engine import Connection

from handsel.db import insert_or
from handsel.experiments.enrol import REASONS, Done, Frame, Seen, Standing, Stretch, standing
from handsel.experiments.models import (
    Arm,
    Conversion,
    Enrolment,
    Exclusion,
    Experiment,
    ExperimentPeriod,
    Exposure,
)

AT_ONCE = 500  # visitors in one transaction, so that a capture never waits for long
OLD_AT_ONCE = 5000  # facts from before the experiment, which are only marked
FACTS: tuple[Any, Any] = (Exposure, Conversion)
Facts = tuple[list[Seen], list[Done]]


def is_news(connection: Connection) -> bool:
    """Whether there is a fact that concerns an experiment and that no count knows yet. Only reads.

    Facts of offers that never had an experiment stay as they are: nobody asks for them.
    """
    return any(connection.execute(select(fact.id).where(
        fact.counted == false(), fact.offer.in_(select(Experiment.offer))).limit(1)).first() for fact in FACTS)


def fold(connection: Connection) -> tuple[set[int], bool]:
    """Count some of the facts that are new: the experiments whose counts changed, and whether there may be more.

    Needs a write transaction, and to be the only one at it.
    """
    frames = _frames(connection)
    news: dict[str, set[str]] = defaultdict(set)
    for fact in FACTS:
        rows = connection.execute(select(fact.offer, fact.visitor).where(
            fact.counted == false(), fact.offer.in_(list(frames))).limit(AT_ONCE)).all()
        if len(rows) == AT_ONCE and _mark_old(connection, frames):
            return set(), True
        for offer, visitor in rows:
            news[offer].add(visitor)
    changed: set[int] = set()
    for offer, visitors in sorted(news.items()):
        changed |= _visitors(connection, offer, sorted(visitors), frames[offer])
    return changed, any(len(visitors) >= AT_ONCE for visitors in news.values())


def _mark_old(connection: Connection, frames: Mapping[str, Mapping[int, Frame]]) -> bool:
    """Mark some facts from before the first experiment of their offer as counted; whether there were any."""
    for offer, found in frames.items():
        first = min(frame.looks_back_to for frame in found.values())
        for fact in FACTS:
            old = select(fact.id).where(fact.counted == false(), fact.offer == offer, fact.at < first)
            ids = connection.scalars(old.limit(OLD_AT_ONCE)).all()
            if ids:
                connection.execute(update(fact).where(fact.id.in_(ids)).values(counted=true()))
                return True
    return False


def again(connection: Connection, experiment_id: int, after: str) -> str | None:
    """Judge the next visitors of one experiment anew, in the order of their names; the last one's, None at the end.

    ``after`` is where to go on; "" to begin. Needs a write transaction, and to be the only one at it.
    """
    offer = connection.execute(select(Experiment.offer).where(Experiment.id == experiment_id)).scalar_one()
    seen = select(Exposure.visitor).where(Exposure.offer == offer, Exposure.visitor > after)
    known = select(Enrolment.visitor).where(Enrolment.experiment_id == experiment_id, Enrolment.visitor > after)
    some: set[str] = set()
    for visitors in (seen.distinct(), known):
        some.update(connection.scalars(visitors.order_by("visitor").limit(AT_ONCE)))
    chosen = sorted(some)[:AT_ONCE]
    if not chosen:
        return None
    _visitors(connection, offer, chosen, _frames(connection)[offer], all_of=experiment_id)
    return chosen[-1]


def recount(connection: Connection, experiment_id: int) -> None:
    """Make the arms and exclusions of one experiment anew from its enrolments. Needs a write transaction."""
    periods = select(ExperimentPeriod.id).where(ExperimentPeriod.experiment_id == experiment_id)
    connection.execute(delete(Arm).where(Arm.period_id.in_(periods)))
    connection.execute(delete(Exclusion).where(Exclusion.experiment_id == experiment_id, Exclusion.reason.in_(REASONS)))
    mine = Enrolment.experiment_id == experiment_id
    value = func.coalesce(Enrolment.value, 0.0)
    rows = connection.execute(
        select(Enrolment.period_id, Enrolment.variant, func.count(), func.count(Enrolment.converted_at),
               func.sum(value), func.sum(value * value))
        .where(mine, Enrolment.excluded == "").group_by(Enrolment.period_id, Enrolment.variant)).all()
    _write_arms(connection, {(row[0] or 0, row[1]): row[2:] for row in rows}, {})
    left_out = connection.execute(select(Enrolment.excluded, func.count()).where(
        mine, Enrolment.excluded != "").group_by(Enrolment.excluded)).all()
    _leave_out(connection, experiment_id, Counter({reason: number for reason, number in left_out}))


def _frames(connection: Connection) -> dict[str, dict[int, Frame]]:
    """What decides who counts, by offer and experiment."""
    chosen = select(Experiment.id, Experiment.offer, Experiment.goal, Experiment.variants, Experiment.plan,
                    Experiment.started_at, Experiment.ended_at)
    periods = select(ExperimentPeriod.experiment_id, ExperimentPeriod.id, ExperimentPeriod.weights,
                     ExperimentPeriod.begins_at, ExperimentPeriod.ends_at)
    stretches: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(periods.order_by(ExperimentPeriod.begins_at, ExperimentPeriod.id)):
        stretches[row.experiment_id].append(row)
    frames: dict[str, dict[int, Frame]] = defaultdict(dict)
    for row in connection.execute(chosen):
        frames[row.offer][row.id] = Frame(
            row.goal, row.started_at, row.ended_at, tuple(
                Stretch(each.id, frozenset(name for name, weight in zip(row.variants, each.weights, strict=True)
                                           if weight > 0), each.begins_at, each.ends_at)
                for each in stretches[row.id]),
            None if row.plan is None else row.plan.get("value_cap"))
    return frames


def _visitors(connection: Connection, offer: str, visitors: Sequence[str], frames: Mapping[int, Frame],
              all_of: int | None = None) -> set[int]:
    """Judge these visitors of one offer anew and mark their facts as counted; the experiments whose counts changed.

    Those without a fact in the time of an experiment are left alone, except in the experiment ``all_of``.
    """
    exposures = connection.execute(select(
        Exposure.id, Exposure.visitor, Exposure.at, Exposure.variant, Exposure.counted)
        .where(Exposure.offer == offer, Exposure.visitor.in_(visitors))).all()
    conversions = connection.execute(select(
        Conversion.id, Conversion.visitor, Conversion.at, Conversion.variant, Conversion.goal, Conversion.value,
        Conversion.counted).where(Conversion.offer == offer, Conversion.visitor.in_(visitors))).all()
    facts: dict[str, Facts] = {visitor: ([], []) for visitor in visitors}
    for seen in exposures:
        facts[seen.visitor][0].append(Seen(seen.at, seen.variant))
    for done in conversions:
        facts[done.visitor][1].append(Done(done.at, done.variant, done.goal, done.value))
    changed = set()
    for experiment_id, frame in frames.items():
        concerned = set(visitors) if experiment_id == all_of else {
            row.visitor for row in (*exposures, *conversions) if frame.holds(row.at)}
        if concerned and _enrol(connection, experiment_id, frame, {name: facts[name] for name in sorted(concerned)}):
            changed.add(experiment_id)
    for fact, rows in ((Exposure, exposures), (Conversion, conversions)):
        fresh = [row.id for row in rows if not row.counted]
        if fresh:
            connection.execute(update(fact).where(fact.id.in_(fresh)).values(counted=true()))
    return changed


def _enrol(connection: Connection, experiment_id: int, frame: Frame, facts: Mapping[str, Facts]) -> bool:
    """Enrol these visitors anew in one experiment; whether a count changed."""
    before = {row.visitor: Standing(*row[1:]) for row in connection.execute(select(
        Enrolment.visitor, Enrolment.period_id, Enrolment.variant, Enrolment.at, Enrolment.converted_at,
        Enrolment.value, Enrolment.excluded).where(
            Enrolment.experiment_id == experiment_id, Enrolment.visitor.in_(list(facts))))}
    after = {visitor: standing(frame, *facts[visitor]) for visitor in facts}
    moved = [visitor for visitor in facts if before.get(visitor) != after[visitor]]
    if not moved:
        return False
    _write_enrolments(connection, experiment_id, {visitor: after[visitor] for visitor in moved})
    arms: dict[tuple[int, str], list[float]] = defaultdict(lambda: [0, 0, 0.0, 0.0])
    left_out: Counter[str] = Counter()
    for visitor in moved:
        for sign, one in ((-1, before.get(visitor)), (1, after[visitor])):
            if one is None:
                continue
            if one.excluded or one.period_id is None:
                left_out[one.excluded] += sign
            else:
                _count(arms[one.period_id, one.variant], one, sign)
    _add_arms(connection, {key: numbers for key, numbers in arms.items() if any(numbers)})
    _leave_out(connection, experiment_id, left_out)
    return True


def _count(numbers: list[float], one: Standing, sign: int) -> None:
    value = one.value or 0.0
    for place, more in enumerate((1, one.converted_at is not None, value, value * value)):
        numbers[place] += sign * more


def _write_enrolments(connection: Connection, experiment_id: int, standings: Mapping[str, Standing | None]) -> None:
    gone = [visitor for visitor, one in standings.items() if one is None]
    if gone:
        connection.execute(delete(Enrolment).where(Enrolment.experiment_id == experiment_id,
                                                   Enrolment.visitor.in_(gone)))
    rows = [{"experiment_id": experiment_id, "visitor": visitor} | one._asdict()
            for visitor, one in sorted(standings.items()) if one is not None]
    if rows:
        statement = insert_or(Enrolment, connection.dialect.name)
        connection.execute(statement.on_conflict_do_update(
            index_elements=["experiment_id", "visitor"],
            set_={name: statement.excluded[name] for name in Standing._fields}), rows)


def _add_arms(connection: Connection, changes: Mapping[tuple[int, str], Sequence[float]]) -> None:
    """Change the arms by these numbers."""
    periods = {period for period, _ in changes}
    before = {(row.period_id, row.variant): (row.visitors, row.conversions, row.total, row.squares)
              for row in connection.execute(select(*Arm.__table__.columns).where(Arm.period_id.in_(periods)))}
    _write_arms(connection, changes, before)


def _write_arms(connection: Connection, changes: Mapping[tuple[int, str], Sequence[float]],
                before: Mapping[tuple[int, str], Sequence[float]]) -> None:
    # Values have two decimals and their squares four: rounded to that, a sum is the same in whatever order it was made.
    rows = []
    for (period, variant), change in sorted(changes.items()):
        old = before.get((period, variant), (0, 0, 0.0, 0.0))
        visitors, conversions, total, squares = (one + other for one, other in zip(old, change, strict=True))
        rows.append({"period_id": period, "variant": variant, "visitors": int(visitors),
                     "conversions": int(conversions), "total": round(total, 2), "squares": round(squares, 4)})
    if rows:
        statement = insert_or(Arm, connection.dialect.name)
        connection.execute(statement.on_conflict_do_update(
            index_elements=["period_id", "variant"],
            set_={name: statement.excluded[name] for name in ("visitors", "conversions", "total", "squares")}), rows)


def _leave_out(connection: Connection, experiment_id: int, changes: Counter[str]) -> None:
    rows = [{"experiment_id": experiment_id, "reason": reason, "number": number}
            for reason, number in sorted(changes.items()) if number]
    if rows:
        statement = insert_or(Exclusion, connection.dialect.name)
        connection.execute(statement.on_conflict_do_update(
            index_elements=["experiment_id", "reason"],
            set_={"number": Exclusion.number + statement.excluded.number}), rows)
