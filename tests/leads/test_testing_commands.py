"""`handsel experiment start`, `stop` and `ship` as somebody types them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from factories import make_experiment
from handsel.cli import group
from support.clock import Clock

Run = Callable[..., Result]
SPLIT = "  split: {a: 50, b: 50}\n"


@pytest.fixture
def run(project: Path, app: Flask, engine_url: str, clock: Clock) -> Run:
    def handsel(*words: str) -> Result:
        return CliRunner().invoke(group, ["--project", str(project), "experiment", *words],
                                  env={"HANDSEL_DATABASE_URL": engine_url})
    return handsel


def test_a_test_is_stopped_started_again_with_its_forecast_and_shipped(run: Run, project: Path) -> None:
    make_experiment({"a": (1000, 30), "b": (1000, 31)})
    stopped = run("stop", "guide", "--learned", "Too early to say.")
    started = run("start", "guide", "--baseline", ".03", "--mde", ".5", "--split", "a=80,b=20")
    refused = run("ship", "guide")
    shipped = run("ship", "guide", "--variant", "b", "--force")

    assert (stopped.exit_code, stopped.output) == (
        0, "The test has ended. Everybody sees the control.\n  written  offers/guide/offer.md\n")
    lines = started.output.splitlines()
    assert lines[:2] == ["Nobody has seen this offer in the last 28 days.",
                         "To find +50 % (from 3 % to 4.5 %) in 80 % of tests:"]
    visitors = re.fullmatch(r"  ([\d,]+) \+ ([\d,]+) visitors, ([\d,]+) in all", lines[2])
    assert visitors is not None
    control, challenger, both = (int(count.replace(",", "")) for count in visitors.groups())
    assert (control + challenger, round(control / both, 3)) == (both, 0.8)
    assert lines[3:] == ["The test has started: a 80 %, b 20 %.", "  written  offers/guide/offer.md",
                         "Look at it at any hour: handsel experiment status guide"]
    assert (refused.exit_code, refused.output.splitlines()[-1]) == (
        1, "  To ship it all the same: handsel experiment ship guide --variant b --force")
    assert shipped.exit_code == 0
    assert "+# Two pages ==that finish books==" in shipped.output.splitlines()
    assert shipped.output.splitlines()[-5:] == [
        "Variant b is the landing page now, and the test has ended.",
        "  kept     offers/guide/retired/2026-03-02-landing.md", "  written  offers/guide/offer.md",
        "  written  offers/guide/landing.md", "  deleted  offers/guide/landing.b.md"]
    assert (project / "offers" / "guide" / "landing.md").read_text().count("Two pages") == 1


@pytest.mark.parametrize(("words", "said"), [
    (("start", "guide", "--split", "a50"), "Write it as a=50,b=50."),
    (("start", "guide", "--goal", "clicks"), "'clicks' is not one of"),
    (("start", "guide"), "A test of this offer runs already."),
    (("start", "demo", "--mde", ".2"), "Copy landing.md to landing.b.md"),
    (("stop", "demo"), "No test of this offer runs."),
    (("ship", "gide"), "Did you mean 'guide'?"),
])
def test_what_cannot_be_done_is_refused_with_what_to_do(run: Run, words: tuple[str, ...], said: str) -> None:
    answer = run(*words)

    assert (answer.exit_code != 0, said in answer.output) == (True, True), answer.output
