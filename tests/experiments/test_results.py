"""An experiment as it is read from its rows."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib.resources import files

from flask import Flask
from jsonschema import Draft202012Validator

from factories import NOON, make_experiment
from handsel.db import db
from handsel.experiments.plan import forecast
from handsel.experiments.results import all_of, latest, results
from support.clock import Clock

PLAN = {"baseline": 0.03, "mde": 0.2, "alpha": 0.05, "power": 0.8, "weights": [50, 50], "value_cap": None}


def test_an_experiment_is_read_with_its_arms_periods_events_and_course(app: Flask, clock: Clock) -> None:
    made = make_experiment(
        {"a": (1000, 30), "b": (990, 60)}, plan=PLAN, excluded={"bot": 4, "crossed over": 1},
        periods=({}, {"weights": [80, 20], "begins_at": NOON, "arms": {"a": (80, 2), "b": (20, 1)}}),
        looks=({"day": (NOON - timedelta(days=2)).date(), "arms": {"a": (500, 15), "b": (480, 20)}},),
        events=({"kind": "split", "detail": "80 to 20"},))
    with db.engine.connect() as connection:
        found = results(connection, made.id)
        assert found == latest(connection, "guide") == all_of(connection)[0]
    assert found is not None
    assert [(arm.variant, arm.share, arm.visitors, arm.conversions) for arm in found.arms] == [
        ("a", 0.8, 1080, 32), ("b", 0.2, 1010, 61)]
    assert found.excluded == {"bot": 4, "crossed over": 1}
    assert (found.planned, len(found.periods)) == (forecast(0.03, 0.2).total, 2)
    assert [event.kind for event in found.events] == ["started", "split"]
    assert [(look.day.isoformat(), look.arms[1].visitors) for look in found.course] == [("2026-02-28", 480)]


def test_what_the_api_says_is_the_evaluators_answer_and_what_it_rests_on(app: Flask, clock: Clock) -> None:
    make_experiment({"a": (4000, 100), "b": (4000, 200)})
    with db.engine.connect() as connection:
        found = latest(connection, "guide")
    assert found is not None
    told = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    rests_on = told.pop("experiment")
    schema = json.loads(files("handsel.experiments").joinpath("evaluate.schema.json").read_text("utf-8"))
    Draft202012Validator(schema | {"$ref": "#/$defs/answer"}).validate(told)
    assert (told["verdict"], told["variant"], told["variants"][1]["rate"]) == ("winner", 1, 0.05)
    assert rests_on["counts"] == [[0, 0, 4000, 100, 0.0, 0.0], [0, 1, 4000, 200, 0.0, 0.0]]
