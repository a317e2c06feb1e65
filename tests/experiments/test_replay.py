"""A test is replayed from a file through the real tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from handsel.db import db
from handsel.experiments.results import Results, latest

Handsel = Callable[..., Result]
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
START = {"split": {"a": 50, "b": 50}, "goal": "capture"}
PLAN = {"baseline": 0.2, "mde": 0.5}


def line(minutes: float, **body: Any) -> str:
    return json.dumps({"at": (BEGIN + timedelta(minutes=minutes)).isoformat(), **body})


def history(rates: dict[str, float], visitors: int, plan: dict[str, float] | None = None) -> list[str]:
    """A test with a visitor every ten minutes."""
    random = Random(4)
    lines = [line(0, start={**START, "plan": plan})]
    for number in range(visitors):
        variant = random.choice("ab")
        lines.append(line(10 * number + 1, visitor=f"v{number}", variant=variant))
        if random.random() < rates[variant]:
            lines.append(line(10 * number + 2, visitor=f"v{number}", goal="capture"))
    return lines


@pytest.fixture
def replayed(handsel: Handsel, app: Flask, tmp_path: Path) -> Callable[..., Results]:
    """Replays lines as the test of "summer"."""

    def run(lines: list[str], *options: str) -> Results:
        file = tmp_path / "summer.jsonl"
        file.write_text("\n".join(lines))
        said = handsel("experiment", "replay", str(file), *options)
        assert said.exit_code == 0, said.output
        with db.engine.connect() as connection:
            found = latest(connection, "summer")
        assert found is not None
        return found

    return run


def test_a_real_winner_is_found_and_stays(replayed: Callable[..., Results]) -> None:
    found = replayed(history({"a": 0.2, "b": 0.4}, 1800, PLAN))
    assert (found.verdict, found.variant, found.ending) == ("winner", "b", "stopped")
    assert found.decided_at is not None
    assert BEGIN + timedelta(days=7) <= found.decided_at <= BEGIN + timedelta(days=13)
    assert len(found.course) == 12  # a daily look at each midnight
    assert found.visitors == 1800


def test_every_visitor_counts_once_and_a_split_opens_a_period(replayed: Callable[..., Results]) -> None:
    found = replayed([
        line(0, start=START),
        line(1, visitor="one", variant="a"), line(2, visitor="one", variant="a"),
        line(3, visitor="one", goal="capture"), line(4, visitor="one", goal="capture"),
        line(5, visitor="two", variant="a"), line(6, visitor="two", variant="b"),
        line(10, split={"a": 90, "b": 10}),
        line(11, visitor="three", variant="b"), line(12, visitor="three", goal="mql"),
    ])
    assert [(arm.variant, arm.visitors, arm.conversions) for arm in found.arms] == [("a", 1, 1), ("b", 1, 0)]
    assert found.excluded["crossed over"] == 1
    assert [period.weights for period in found.periods] == [(50, 50), (90, 10)]


def test_visitors_without_a_variant_are_given_one_by_the_split(replayed: Callable[..., Results]) -> None:
    found = replayed([line(0, start=START), *(line(number + 1, visitor=f"v{number}") for number in range(200))])
    assert found.visitors == 200
    assert all(80 <= arm.visitors <= 120 for arm in found.arms)


def test_how_often_it_is_looked_at_does_not_change_the_counts(replayed: Callable[..., Results]) -> None:
    lines = history({"a": 0.2, "b": 0.3}, 60)
    seldom = replayed(lines)
    always = replayed([one.replace("2026-", "2027-") for one in lines], "--every", "0")
    assert [arm[1:5] for arm in map(_numbers, always.arms)] == [arm[1:5] for arm in map(_numbers, seldom.arms)]


def _numbers(arm: Any) -> tuple[Any, ...]:
    return (arm.variant, arm.visitors, arm.conversions, arm.total, arm.rate)


@pytest.mark.parametrize(("lines", "number", "words"), [
    (["{"], 1, "This line cannot be replayed"),
    ([line(0, visitor="v")], 1, "the first line must start the test"),
    ([line(0, start=START), line(5, visitor="v"), line(4, visitor="w")], 3, "the line above is later"),
    ([line(0, start={"split": {"a": 50}, "goal": "capture"})], 1, "a split has a weight"),
    ([line(0, start={"split": {"a": 50, "b": 50}, "goal": "smile"})], 1, "a goal of capture"),
    ([line(0, start={**START, "plan": {"baseline": 2, "mde": 0.2}})], 1, "baseline"),
    ([line(0, start=START), line(1, visitor="v", goal="value", value=-1)], 2, "a value a number of 0 or more"),
])
def test_a_line_that_cannot_be_replayed_is_named_and_nothing_is_written(
        handsel: Handsel, app: Flask, tmp_path: Path, lines: list[str], number: int, words: str) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text("\n".join(lines))
    said = handsel("experiment", "replay", str(file))
    assert said.exit_code == 1
    assert f"{file}:{number}" in said.output
    assert words in said.output
    with db.engine.connect() as connection:
        assert latest(connection, "broken") is None


def test_it_is_refused_in_production(handsel: Handsel, tmp_path: Path) -> None:
    file = tmp_path / "summer.jsonl"
    file.write_text(line(0, start=START))
    said = handsel("experiment", "replay", str(file), HANDSEL_ENV="production",
                   HANDSEL_SITE_URL="https://guide.example",
                   HANDSEL_SECRET_KEY="a key that is long enough for production, surely")
    assert (said.exit_code, "Replayed visitors have no place" in said.output) == (1, True), said.output
