"""Counts made anew from the facts are those that were kept up, in whatever order the facts came."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from factories import NOON
from handsel.db import db, insert_or, write_connection
from handsel.experiments.enrol import CROSSED, Done, Frame, Seen, Stretch, standing
from handsel.experiments.keeping import rebuild
from handsel.experiments.models import Arm, Conversion, Enrolment, Exclusion, Experiment, Exposure
from handsel.experiments.sync import Wish
from support.clock import Clock
from support.trial import DIGESTS, ask, count, start, wished

PLAN = {"baseline": 0.03, "mde": 0.2, "alpha": 0.05, "power": 0.8, "value_cap": 250.0}
FRAME = Frame("capture", NOON, None, (Stretch(1, frozenset("ab"), NOON, None),), 100.0)
TIMES = st.integers(-100, 100).map(lambda seconds: NOON + timedelta(seconds=seconds))
SIGHTS = st.lists(st.builds(Seen, TIMES, st.sampled_from("ab")), max_size=5)
DEEDS = st.lists(st.builds(Done, TIMES, st.sampled_from("ab"), st.sampled_from(["capture", "sql"]),
                           st.sampled_from([None, 5.0, 300.0])), max_size=5)


@given(SIGHTS, DEEDS, st.randoms())
def test_a_visitor_stands_the_same_in_whatever_order_the_facts_came(
        seen: list[Seen], done: list[Done], chance: random.Random) -> None:
    before = standing(FRAME, seen, done)
    chance.shuffle(seen)
    chance.shuffle(done)
    assert standing(FRAME, seen, done) == before


@given(SIGHTS, DEEDS)
def test_one_visitor_counts_once_at_most_and_never_before_they_were_there(seen: list[Seen], done: list[Done]) -> None:
    stands = standing(FRAME, seen, done)
    if stands is None:
        assert not seen
        return
    if stands.excluded:
        assert (stands.period_id, stands.converted_at, stands.value) == (None, None, None)
        assert (stands.excluded == CROSSED) <= (len({each.variant for each in seen}) == 2)
        return
    assert stands.at == min(each.at for each in seen)
    mine = [each for each in done if each.variant == stands.variant and each.goal == "capture" and each.at >= stands.at]
    assert (stands.converted_at is not None) == bool(mine)
    assert stands.value is None or stands.value <= 100


def views() -> dict[str, list[str]]:
    """Everything that is made of facts."""
    with db.engine.connect() as connection:
        arms = select(Arm.period_id, Arm.variant, Arm.visitors, Arm.conversions, Arm.total, Arm.squares).where(
            Arm.visitors > 0)
        people = select(*Enrolment.__table__.columns)
        left_out = select(*Exclusion.__table__.columns).where(Exclusion.number > 0)
        return {name: sorted(map(repr, connection.execute(query)))
                for name, query in (("arms", arms), ("people", people), ("left out", left_out))}


def facts(chance: random.Random, at: datetime) -> None:
    """Some sights and deeds of some hundred people around that time, some of them late."""
    with write_connection() as connection:
        for _ in range(chance.randrange(30)):
            when = at - timedelta(minutes=chance.choice([0, 0, 1, 90, 2000]))
            who, variant = f"visitor{chance.randrange(300)}", chance.choice("aaabbbc")
            connection.execute(insert_or(Exposure, connection.dialect.name).on_conflict_do_nothing(), {
                "offer": chance.choice(["guide", "guide", "other"]), "visitor": who, "variant": variant, "at": when,
                "day": when.date(), "counted": False})
            if chance.random() < 0.5:
                connection.execute(insert_or(Conversion, connection.dialect.name), {
                    "offer": "guide", "visitor": who, "variant": chance.choice([variant, "a"]), "counted": False,
                    "goal": chance.choice(["capture", "value", "value"]), "value": round(chance.random() * 400, 2),
                    "at": when + timedelta(minutes=chance.randrange(-5, 60))})


ASKED: Sequence[Any] = (
    {"split": {"a": 50, "b": 50}}, {"split": {"a": 90, "b": 10}}, {"split": {"a": 100}, "paused": "gone"},
    {"split": {"a": 20, "b": 80}}, {"split": {"a": 40, "b": 30, "c": 30}}, None)


@pytest.mark.parametrize("seed", range(5))
def test_rebuilt_counts_are_the_kept_ones(app: Flask, clock: Clock, seed: int) -> None:
    chance = random.Random(seed)
    start(app, clock, goal="value", plan=PLAN)
    for _ in range(40):
        clock.move(minutes=chance.randrange(120))
        facts(chance, clock())
        if chance.random() < 0.2:
            asked = chance.choice(ASKED)
            ask(Wish(digests=DIGESTS) if asked is None else wished(goal="value", plan=PLAN, **asked))
        if chance.random() < 0.5:
            count()
    count()
    kept = views()
    assert len(kept["people"]) > 30
    assert len(kept["arms"]) > 1
    with write_connection() as connection:  # what is lost or wrong is mended
        connection.execute(delete(Enrolment).where(Enrolment.visitor < "visitor2"))
        connection.execute(update(Arm).values(visitors=Arm.visitors + 3, total=0))
        connection.execute(delete(Exclusion))
    assert list(rebuild())
    assert {**views(), "left out": [one for one in views()["left out"] if "duplicate" not in one]} == kept


def test_a_rebuild_leaves_the_verdict_and_the_facts_alone(app: Flask, clock: Clock) -> None:
    start(app, clock)
    facts(random.Random(1), clock())
    count()

    def rest() -> list[str]:
        with db.engine.connect() as connection:
            return [repr(row) for table in (Experiment, Exposure, Conversion)
                    for row in connection.execute(select(*table.__table__.columns).order_by(table.id))]

    before = rest()
    assert list(rebuild()) == ["guide"]
    assert rest() == before
