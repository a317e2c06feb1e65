"""Counts of an experiment from its facts, and the command that shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from flask import Flask

from handsel.cli import group
from handsel.db import db
from handsel.experiments.counts import counts
from handsel.experiments.report import report
from support.funnel import make_ticket, make_visit, take


def see(app: Flask, number: int, variant: str, **environ: str) -> Any:
    """One visitor who sees one variant."""
    seen = make_visit(f"10.{number // 250}.{number % 250}.1", **environ)
    app.extensions["handsel.traffic"].record("view", "/offers/guide/", seen, "guide", variant)
    return seen


def test_each_visitor_counts_once_and_in_one_variant(app: Flask) -> None:
    for number in range(10):
        for _ in range(number + 1):
            see(app, number, "a" if number < 6 else "b")
    for number in (0, 1, 7):
        variant = "a" if number < 6 else "b"
        seen = see(app, number, variant)
        for again in range(3):
            take(app, f"p{number}-{again}@example.org", seen=seen, ticket=make_ticket(seen, variant=variant))
    app.extensions["handsel.traffic"].flush()
    with db.engine.connect() as connection:
        found = counts(connection, "guide", ("a", "b", "c"))
    assert {name: (arm.visitors, arm.conversions) for name, arm in found.arms.items()} == {
        "a": (6, 2), "b": (4, 1), "c": (0, 0)}
    assert found.arms["c"].rate is None
    assert found.excluded == {}


def test_one_who_saw_two_variants_is_left_out_and_told(app: Flask) -> None:
    see(app, 1, "a")
    seen = see(app, 2, "a")
    see(app, 2, "b")
    take(app, seen=seen, ticket=make_ticket(seen, variant="b"))
    app.extensions["handsel.traffic"].flush()
    with db.engine.connect() as connection:
        found = counts(connection, "guide", ("a", "b"))
    assert {name: (arm.visitors, arm.conversions) for name, arm in found.arms.items()} == {"a": (1, 0), "b": (0, 0)}
    assert found.excluded == {"crossed over": 1}


def test_robots_prefetches_and_heads_change_no_count_and_are_told(app: Flask) -> None:
    for number in range(20):
        see(app, number, "ab"[number % 2])
    for number in range(6):
        see(app, 100 + number, "a", HTTP_USER_AGENT="Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)")
        see(app, number, "b", HTTP_SEC_PURPOSE="prefetch")
        see(app, 200 + number, "b", REQUEST_METHOD="HEAD")
    app.extensions["handsel.traffic"].flush()
    with db.engine.connect() as connection:
        told = report(connection, "guide", {"a": 50, "b": 50})
    assert told.lines() == [
        "guide", "  variant   share  visitors   leads     rate", "  a          50 %        10       0    0.00%",
        "  b          50 %        10       0    0.00%", "  left out: bot 6, head 6, prefetch 6"]


def test_the_command_tells_how_an_experiment_stands(project: Path, app: Flask, engine_url: str) -> None:
    seen = see(app, 1, "b")
    take(app, seen=seen, ticket=make_ticket(seen, variant="b"))
    app.extensions["handsel.traffic"].flush()
    settings = {"HANDSEL_DATABASE_URL": engine_url}
    ask = ["--project", str(project), "experiment", "status"]
    shown = CliRunner().invoke(group, [*ask, "guide", "--json"], env=settings)
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.output) == [{
        "offer": "guide", "goal": "capture", "excluded": {}, "variants": [
            {"variant": "a", "share": 50, "visitors": 0, "conversions": 0, "rate": None},
            {"variant": "b", "share": 50, "visitors": 1, "conversions": 1, "rate": 1.0}]}]
    table = CliRunner().invoke(group, ask, env=settings)
    assert "guide" in table.output
    unknown = CliRunner().invoke(group, [*ask, "guid"], env=settings)
    assert (unknown.exit_code, "Did you mean 'guide'?" in unknown.output) == (1, True)
