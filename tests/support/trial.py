"""A test of the sample e-book, driven by hand: the files ask, visitors come, the worker goes its rounds."""

from __future__ import annotations

from typing import Any

from flask import Flask

from handsel import clock as handsel_clock
from handsel.db import db, writing
from handsel.experiments.keeping import keep
from handsel.experiments.results import Results, latest
from handsel.experiments.sync import Wish, sync
from support.clock import Clock
from support.funnel import make_ticket, make_visit, take

EVEN = {"a": 50, "b": 50}
DIGESTS = {"a": "one", "b": "two"}


def wished(**more: Any) -> Wish:
    return Wish(**{"split": EVEN, "digests": DIGESTS, "goal": "capture", "hypothesis": "Short sells."} | more)


def ask(wish: Wish | None) -> None:
    """Let the record follow the files: one offer, or none."""
    at = handsel_clock.now()
    with writing() as session:
        sync(session, {} if wish is None else {"guide": wish}, at, at.date())


def count() -> None:
    while keep(handsel_clock.now(), handsel_clock.now().date()):
        pass


def found() -> Results:
    with db.engine.connect() as connection:
        result = latest(connection, "guide")
    assert result is not None
    return result


def see(app: Flask, number: int, variant: str, **environ: str) -> Any:
    """One visitor who sees one variant."""
    seen = make_visit(f"10.{number // 250}.{number % 250}.1", **environ)
    app.extensions["handsel.traffic"].record("view", "/offers/guide/", seen, "guide", variant)
    return seen


def send(app: Flask, number: int, variant: str, mail: str = "") -> None:
    """One visitor who sends the form that they saw."""
    seen = see(app, number, variant)
    take(app, mail or f"person{number}@example.org", seen=seen, ticket=make_ticket(seen, variant=variant))


def flush(app: Flask) -> None:
    app.extensions["handsel.traffic"].flush()
    count()


def kinds() -> list[str]:
    return [event.kind for event in found().events]


def numbers() -> dict[str, tuple[int, int]]:
    return {arm.variant: (arm.visitors, arm.conversions) for arm in found().arms}


def start(app: Flask, clock: Clock, **more: Any) -> None:
    """A test that runs since a moment."""
    ask(wished(**more))
    clock.move(seconds=3)
