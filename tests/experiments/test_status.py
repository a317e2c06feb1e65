"""``handsel experiment status``: how the tests stand, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from factories import make_experiment
from handsel.cli import group
from handsel.db import db
from handsel.experiments.results import latest
from support.clock import Clock

PLAN = {"baseline": 0.03, "mde": 0.2, "alpha": 0.05, "power": 0.8, "weights": [50, 50], "value_cap": None}


@pytest.fixture
def ask(project: Path, engine_url: str) -> Any:
    def call(*words: str) -> Result:
        return CliRunner().invoke(group, ["--project", str(project), "experiment", "status", *words],
                                  env={"HANDSEL_DATABASE_URL": engine_url})
    return call


def test_the_table_tells_rates_intervals_verdict_exclusions_and_split(app: Flask, clock: Clock, ask: Any) -> None:
    make_experiment({"a": (4000, 120), "b": (4100, 200)}, excluded={"bot": 6, "crossed over": 1}, plan=PLAN)
    told = ask("guide")
    assert told.exit_code == 0, told.output
    first, head, control, challenger, *rest = told.output.splitlines()
    assert first.startswith("guide  (goal capture, since 20 February 2026, 10 full days, 8,100 of ")
    assert head.split()[:6] == ["variant", "share", "visitors", "conversions", "rate", "lift"]
    assert control.split() == ["a", "control", "50%", "4,000", "120", "3.0", "%"]
    assert challenger.split()[:7] == ["b", "50%", "4,100", "200", "4.9", "%", "+63"]
    assert " to +" in challenger
    assert rest[0].startswith("  Variant b ")
    assert "  Left out: bot 6, crossed over 1" in rest
    assert "  Split: as planned" in rest


def test_a_wrong_split_is_told(app: Flask, clock: Clock, ask: Any) -> None:
    make_experiment({"a": (900, 30), "b": (500, 20)})
    assert "Split: wrong, no verdict is given" in ask().output


def test_programs_get_the_shape_of_the_api(app: Flask, clock: Clock, ask: Any) -> None:
    make_experiment()
    with db.engine.connect() as connection:
        found = latest(connection, "guide")
    assert found is not None
    assert json.loads(ask("--json").output) == [found.as_dict()]
    assert json.loads(ask("guide", "--json").output) == found.as_dict()
    assert json.loads(ask("newsletter", "--json").output) is None


def test_an_offer_without_a_test_and_no_offer_at_all_are_told_apart(app: Flask, ask: Any) -> None:
    assert "begins when `handsel run` or `work` runs" in ask("guide").output
    assert "newsletter has had no test. Begin one: handsel experiment start newsletter" in ask("newsletter").output
    wrong = ask("guid")
    assert (wrong.exit_code, "Did you mean 'guide'?" in wrong.output) == (1, True)
