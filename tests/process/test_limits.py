"""How often one may, counted for all processes together."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from handsel.limits import Limits, allow
from support import on_sqlite

pytestmark = on_sqlite


def limits_of(app: Flask) -> Limits:
    limits: Limits = app.extensions["handsel.limits"]
    return limits


def test_tries_are_counted_by_key_and_come_back_with_time(make_app: Callable[..., Flask], clock: Any) -> None:
    with make_app(RATE_LIMITS="on").app_context():
        assert [allow("3 per 10 minutes", "sign-in", "ann") for _ in range(5)] == [True, True, True, False, False]
        assert allow("3 per 10 minutes", "sign-in", "bob")
        clock.move(minutes=20)
        assert allow("3 per 10 minutes", "sign-in", "ann")


def test_the_window_slides(make_app: Callable[..., Flask], clock: Any) -> None:
    with make_app(RATE_LIMITS="on").app_context():
        clock.move(seconds=50)
        assert all(allow("10 per minute", "x") for _ in range(10))
        clock.move(seconds=15)  # a new minute has begun, but the ten are only fifteen seconds old
        assert [allow("10 per minute", "x") for _ in range(3)] == [True, False, False]


def test_a_new_period_gives_nobody_one_try_more(make_app: Callable[..., Flask], clock: Any) -> None:
    with make_app(RATE_LIMITS="on").app_context():
        clock.move(seconds=59)
        assert [allow("10 per minute", "x") for _ in range(11)].count(True) == 10
        clock.move(seconds=2)  # the ten are two seconds old
        assert not allow("10 per minute", "x")


@pytest.mark.parametrize("store", ["", "memory://"])
def test_the_same_try_once_more_does_not_count(make_app: Callable[..., Flask], clock: Any, store: str) -> None:
    with make_app(RATE_LIMITS="on", REDIS_URL=store).app_context():
        assert all(allow("2 per minute", "form", "net", mark="one") for _ in range(5))
        assert allow("2 per minute", "form", "net", mark="two")
        assert not allow("2 per minute", "form", "net", mark="three")
        assert not allow("2 per minute", "form", "net", mark="three")  # what was refused is not known
        assert not allow("2 per minute", "form", "net")
        assert allow("2 per minute", "form", "net", mark="one")
        if not store:  # another store has a clock of its own
            clock.move(minutes=2)
            assert allow("2 per minute", "form", "net", mark="three")


def test_processes_count_together(make_app: Callable[..., Flask]) -> None:
    apps = [make_app(RATE_LIMITS="on") for _ in range(4)]
    with ThreadPoolExecutor(16) as pool:
        allowed = sum(pool.map(lambda number: limits_of(apps[number % 4]).allow("30 per hour", "x"), range(200)))
    assert allowed == 30


def test_the_file_tells_nothing_of_whom_it_counts(make_app: Callable[..., Flask], project: Any) -> None:
    with make_app(RATE_LIMITS="on").app_context():
        allow("3 per hour", "mailbox", "canary@example.org")
    for path in (project / "instance").glob("limits.db*"):
        assert b"canary" not in path.read_bytes()


def test_a_file_that_cannot_be_written_shuts_nobody_out(make_app: Callable[..., Flask], project: Any) -> None:
    app = make_app(RATE_LIMITS="on")
    (project / "instance" / "limits.db").mkdir()
    with app.app_context():
        assert [allow("1 per hour", "x") for _ in range(3)] == [True, True, True]


def test_off_counts_nothing(app: Flask) -> None:
    assert all(allow("1 per hour", "x") for _ in range(5))
