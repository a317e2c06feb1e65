"""Traffic that is shifted, from the line in offer.md to the pages that visitors get."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from handsel.db import db
from handsel.experiments.models import Exposure
from handsel.experiments.sync import SETTLE
from handsel.worker.keeping import keep_now
from support.clock import Clock
from support.trial import found, kinds, numbers, see, send

PHONE = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"


@pytest.fixture
def shifted(project: Path, clock: Clock, make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """A site whose guide is tested with shifting, since a moment."""
    offer = project / "offers" / "guide" / "offer.md"
    offer.write_text(offer.read_text().replace("  goal: capture\n", "  goal: capture\n  shifting: true\n"))
    app = make_app()
    with app.app_context():
        keep_now(app)
        clock.move(seconds=3)
        yield app
        db.session.remove()


def go_round(app: Flask) -> None:
    app.extensions["handsel.traffic"].flush()
    keep_now(app)


def people(app: Flask, first: int, variant: str, seen: int, won: int) -> None:
    for number in range(first, first + seen):
        if number < first + won:
            send(app, number, variant)
        else:
            see(app, number, variant)


def shown(app: Flask, visitors: int, street: int = 9) -> Counter[str]:
    """What so many new visitors of one street see at the address of the guide."""
    before = set(db.session.scalars(select(Exposure.id)))
    client = app.test_client()
    for number in range(visitors):
        client.get("/offers/guide/", environ_overrides={"REMOTE_ADDR": f"10.{street}.{number}.1"}, headers={
            "User-Agent": PHONE, "Accept": "text/html", "Accept-Language": "en"})
    app.extensions["handsel.traffic"].flush()
    db.session.rollback()
    return Counter(row.variant for row in db.session.scalars(select(Exposure)) if row.id not in before)


def test_the_better_page_gets_more_visitors_from_the_next_day_on(shifted: Flask, clock: Clock) -> None:
    people(shifted, 0, "a", 40, 3)
    people(shifted, 100, "b", 40, 10)
    go_round(shifted)
    clock.move(hours=11)
    go_round(shifted)
    assert len(found().periods) == 1  # once a day, not at every look
    at = clock.move(hours=2)
    go_round(shifted)
    before, after = found().periods
    assert (before.weights, after.weights) == ((50.0, 50.0), (11.0, 89.0))
    assert after.begins_at - before.ends_at == 2 * SETTLE
    assert kinds() == ["started", "split"]
    assert found().events[-1].detail == "a 11 %, b 89 %"
    assert after.begins_at > at + timedelta(seconds=30)  # so that every process knows it in time

    early = shown(shifted, 60)
    clock.set(after.begins_at)
    late = shown(shifted, 120, street=8)

    assert 12 <= early["b"] <= 48
    assert late["b"] >= 90
    assert late["a"] >= 1
    go_round(shifted)
    assert sum(cell.visitors for cell in found().periods[1].cells) == 120
    assert sum(visitors for visitors, _ in numbers().values()) == 80 + 60 + 120


def test_a_page_that_vanishes_is_shown_to_nobody_whatever_was_announced(
    shifted: Flask, project: Path, clock: Clock,
) -> None:
    people(shifted, 0, "a", 40, 3)
    people(shifted, 100, "b", 40, 10)
    go_round(shifted)
    clock.move(days=1)
    go_round(shifted)
    clock.move(minutes=1)
    assert shown(shifted, 20)["b"] > 10
    (project / "offers" / "guide" / "landing.b.md").unlink()
    shifted.extensions["handsel.offers"].refresh()

    assert set(shown(shifted, 40, street=8)) == {"a"}


def test_a_pause_just_before_an_announced_split_counts_nobody_who_sees_the_control_alone(
    shifted: Flask, project: Path, clock: Clock,
) -> None:
    people(shifted, 0, "a", 40, 3)
    people(shifted, 100, "b", 40, 10)
    go_round(shifted)
    clock.move(days=1)
    go_round(shifted)
    clock.move(seconds=10)
    (project / "offers" / "guide" / "landing.b.md").unlink()
    shifted.extensions["handsel.offers"].refresh()
    go_round(shifted)
    clock.move(seconds=10)
    assert set(shown(shifted, 30)) == {"a"}
    clock.move(minutes=2)
    assert set(shown(shifted, 30, street=8)) == {"a"}
    go_round(shifted)

    assert numbers() == {"a": (40, 3), "b": (40, 10)}
    assert found().excluded["between periods"] == 60
    assert kinds() == ["started", "split", "paused"]


def test_a_hint_of_a_difference_moves_nobody(shifted: Flask, clock: Clock) -> None:
    people(shifted, 0, "a", 20, 3)
    people(shifted, 100, "b", 20, 3)
    go_round(shifted)
    clock.move(days=1)
    go_round(shifted)

    assert [period.weights for period in found().periods] == [(50.0, 50.0)]
    assert kinds() == ["started"]


def test_a_verdict_ends_the_shifting(shifted: Flask, clock: Clock) -> None:
    people(shifted, 0, "a", 80, 26)
    people(shifted, 200, "b", 80, 70)
    go_round(shifted)
    clock.move(days=8)
    go_round(shifted)
    latched = found()
    split = [period.weights for period in latched.periods]
    clock.move(days=1)
    people(shifted, 400, "a", 60, 50)
    go_round(shifted)
    clock.move(days=1)
    go_round(shifted)

    assert latched.verdict == "winner"
    assert [period.weights for period in found().periods] == split


def test_without_the_line_the_files_decide_alone(app: Flask, clock: Clock) -> None:
    keep_now(app)
    clock.move(seconds=3)
    people(app, 0, "a", 40, 3)
    people(app, 100, "b", 40, 10)
    go_round(app)
    clock.move(days=1)
    go_round(app)

    assert [period.weights for period in found().periods] == [(50.0, 50.0)]
