"""``handsel leads simulate``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from factories import NOON, make_capture, make_lead
from handsel.db import writing
from handsel.leads.handoff.models import Handoff
from support import on_sqlite
from support.clock import Clock

DAY = timedelta(days=1)
OLD = "interest: {rules: {Asked: {on: {asked: guide}, points: 10, half_life: never}}}\n"
NEW = "interest: {rules: {Asked: {on: {asked: guide}, points: 30, half_life: never}}}\n"


@pytest.fixture
def past(app: Flask, project: Path, clock: Clock) -> None:
    """Three leads of December; sales accepted one in January and rejected one."""
    (project / "content" / "_scoring.yml").write_text(OLD)
    for number, state in enumerate(("accepted", "rejected", "")):
        at = NOON - 80 * DAY + number * DAY
        lead = make_lead(captured_at=at)
        make_capture(lead, at=at, proven_at=at)
        if state:
            with writing() as session:
                session.add(Handoff(key=f"k{number}", once=f"k{number}", lead_id=lead.id, at=at + 30 * DAY,
                                    stage="mql", state=state, decided_at=at + 31 * DAY))


def test_it_compares_new_rules_with_the_present_ones(
        past: None, handsel: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "new.yml"
    file.write_text(NEW)
    found = handsel("leads", "simulate", "--rules", str(file), "--threshold", "25")
    assert found.exit_code == 0, found.output
    assert found.stdout.splitlines() == [
        "Last quarter 3 leads would have passed 25 points; sales accepted 1 of them and rejected 1.",
        "  Of those who pass, 1 was never handed over.",
        "",
        "With the rules as they are:",
        "  Last quarter no lead would have passed 25 points.",
        "",
        "1 Oct 2025 to 31 Dec 2025, 3 leads looked at.",
        "  Points   Passed  Accepted  Rejected  Accepted of decided",
        "       5        3         1         1                  50%",
        "      15        3         1         1                  50%",
        "      25        3         1         1                  50%",
        "      35        0         0         0                    –",
        "      45        0         0         0                    –"]


def test_the_time_can_be_chosen(past: None, handsel: Callable[..., Result]) -> None:
    found = handsel("leads", "simulate", "--threshold", "10", "--since", "2025-12-13", "--until", "2025-12-13")
    assert found.stdout.splitlines()[0] == (
        "From 13 Dec 2025 to 13 Dec 2025 1 lead would have passed 10 points; sales rejected it.")


@on_sqlite
@pytest.mark.parametrize(("given", "said"), [
    (("--threshold", "0"), "0 is not in the range x>=1"),
    (("--threshold", "9", "--since", "soon"), "'soon' is no day."),
    (("--threshold", "9", "--until", "2025-12-13"), "The first day is missing."),
    (("--threshold", "9", "--since", "2025-12-13", "--until", "2025-12-01"), "The time ends before it begins."),
    (("--threshold", "9", "--rules", "bad.yml"), "There is nothing called 'job_titel' to ask about."),
])
def test_what_it_cannot_do_it_says(app: Flask, handsel: Callable[..., Result], tmp_path: Path,
                                   monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], said: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yml").write_text("fit:\n  rules:\n    A: {when: {job_titel: x}, points: 1}\n")
    found = handsel("leads", "simulate", *given)
    assert found.exit_code != 0
    assert said in found.output + found.stderr + str(found.exception)
