"""The same facts give the same counts and the same verdict: with one worker or several, restarted or not."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from factories import NOON
from handsel.db import db, insert_or, write_connection
from handsel.experiments.keeping import keep
from handsel.experiments.models import Conversion, ExperimentEvent, ExperimentLook, Exposure
from support.clock import Clock
from support.trial import count, found, kinds, start

DAYS, A_DAY = 9, 240
GIVEN = {"winner": (6, 24), "none": (10, 11)}
"""What of a day's 120 visitors of each variant send the form."""


def come(day: int, rates: tuple[int, int], chance: random.Random) -> None:
    """The facts of one day, in an order of their own."""
    rows: list[tuple[Any, dict[str, Any]]] = []
    for number in range(A_DAY):
        variant = "ab"[number % 2]
        at = NOON + timedelta(days=day, minutes=number, seconds=5)
        who = {"offer": "guide", "visitor": f"d{day}n{number}", "variant": variant, "counted": False}
        rows.append((Exposure, who | {"at": at, "day": at.date()}))
        if number // 2 < rates[number % 2]:
            rows.append((Conversion, who | {"at": at + timedelta(seconds=1), "goal": "capture"}))
    chance.shuffle(rows)
    with write_connection() as connection:
        for table, row in rows:
            connection.execute(insert_or(table, connection.dialect.name).on_conflict_do_nothing(), row)


def stands() -> tuple[Any, ...]:
    told = found()
    with db.engine.connect() as connection:
        looks = connection.scalar(select(func.count()).select_from(ExperimentLook))
    return (told.verdict, told.variant, told.decided_at, told.decided_counts, kinds().count("verdict"), looks,
            [(arm.visitors, arm.conversions) for arm in told.arms])


def alone(app: Flask, clock: Clock) -> None:
    """One worker, which is started anew for each round: nothing is remembered but what is written."""
    count()


def several(app: Flask, clock: Clock) -> None:
    """Four workers at once, each until there is nothing more to do."""
    faults: list[BaseException] = []

    def work() -> None:
        try:
            with app.app_context():
                while keep(clock(), clock().date()):
                    pass
                db.session.remove()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    count()  # where one had the work in hand, the others went home


@pytest.mark.parametrize("verdict", GIVEN)
@pytest.mark.parametrize(("work", "seed"), [(alone, 1), (several, 2)])
def test_workers_and_engines_agree(app: Flask, clock: Clock, work: Callable[[Flask, Clock], None], seed: int,
                                   verdict: str) -> None:
    chance = random.Random(seed)
    start(app, clock)
    for day in range(DAYS):
        come(day, GIVEN[verdict], chance)
        clock.set(NOON + timedelta(days=day, hours=6))
        work(app, clock)
        clock.set(NOON + timedelta(days=day, hours=20))
        work(app, clock)
    one, two = (rate * DAYS for rate in GIVEN[verdict])
    eighth_day = NOON + timedelta(days=7, hours=6)
    decided = {"winner": (eighth_day, ((960, 48), (960, 192)), 1), "none": (None, (), 0)}[verdict]
    assert stands() == (verdict, "b", *decided, DAYS, [(120 * DAYS, one), (120 * DAYS, two)])


def test_every_fact_is_counted_once_by_workers_that_compete(app: Flask, clock: Clock) -> None:
    start(app, clock)
    come(0, (30, 40), random.Random(3))
    clock.move(hours=6)
    several(app, clock)
    assert [(arm.visitors, arm.conversions) for arm in found().arms] == [(120, 30), (120, 40)]
    with db.engine.connect() as connection:
        waiting = connection.scalar(select(func.count()).select_from(Exposure).where(Exposure.counted.is_(False)))
        events = connection.scalars(select(ExperimentEvent.kind)).all()
    assert (waiting, list(events)) == (0, ["started"])
