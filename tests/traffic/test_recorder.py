"""Hits are written together, with their tallies, and the day's secret goes with the day."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from handsel import assembly
from handsel.db import db
from handsel.experiments.models import Exposure
from handsel.traffic.models import DaySecret, Hit, Tally, Visitor
from handsel.traffic.recorder import Traffic
from support.funnel import make_visit

SEEN = {"REMOTE_ADDR": "192.0.2.7", "HTTP_USER_AGENT": make_visit().browser}


def traffic_of(app: Flask) -> Traffic:
    traffic: Traffic = app.extensions["handsel.traffic"]
    return traffic


def tallies() -> Counter[tuple[str, ...]]:
    db.session.rollback()
    rows = db.session.scalars(select(Tally))
    return Counter({(row.path, row.variant, row.kind, row.excluded): row.hits for row in rows})


def test_tallies_are_the_sums_of_the_hits_whoever_writes_them(make_app: Callable[..., Flask]) -> None:
    apps = [make_app(), make_app()]
    barrier = threading.Barrier(8)

    def visit(number: int) -> None:
        traffic = traffic_of(apps[number % 2])
        barrier.wait()
        for round_ in range(150):
            seen = make_visit(f"10.0.{round_ % 40}.1", REQUEST_METHOD="HEAD" if round_ % 10 == 0 else "GET")
            traffic.record("view", f"/p{round_ % 3}/", seen, "guide", "ab"[round_ % 2])
            if round_ % 50 == 0:
                traffic.flush()

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for app in apps:
        traffic_of(app).close()
    with apps[0].app_context():
        keys = (Hit.path, Hit.variant, Hit.kind, Hit.excluded)
        hits = Counter({tuple(row[:4]): row[4] for row in db.session.execute(
            select(*keys, func.count()).group_by(*keys))})
        assert sum(hits.values()) == 1200
        assert tallies() == hits
        db.session.remove()


def test_a_visitor_is_exposed_once_and_robots_never(app: Flask) -> None:
    traffic = traffic_of(app)
    for _ in range(100):
        traffic.record("view", "/offers/guide/", make_visit(), "guide", "a")
    for seen in (make_visit(browser="Googlebot/2.1 (+http://www.google.com/bot.html)"),
                 make_visit("10.0.0.1", HTTP_SEC_PURPOSE="prefetch"), make_visit("10.0.1.1", REQUEST_METHOD="HEAD"),
                 make_visit("10.0.2.1", HTTP_SEC_GPC="1")):
        traffic.record("view", "/offers/guide/", seen, "guide", "a")
    traffic.record("view", "/blog/x/", make_visit("10.0.3.1"))
    traffic.flush()
    assert [row.visitor for row in db.session.scalars(select(Exposure))] == [make_visit().visitor]
    path = "/offers/guide/"
    assert tallies() == {
        (path, "a", "view", ""): 101, (path, "a", "view", "bot"): 1, (path, "a", "view", "prefetch"): 1,
        (path, "a", "view", "head"): 1, ("/blog/x/", "", "view", ""): 1}


def test_the_first_page_of_the_day_is_kept(app: Flask) -> None:
    traffic = traffic_of(app)
    traffic.record("view", "/blog/a/", make_visit(HTTP_REFERER="https://search.example/"))
    traffic.record("view", "/blog/b/", make_visit(HTTP_REFERER="https://other.example/"))
    traffic.flush()
    traffic.record("view", "/blog/c/", make_visit())
    traffic.flush()
    began = db.session.scalars(select(Visitor)).one()
    assert (began.first_page, began.source) == ("/blog/a/", "search.example")


def test_all_processes_share_the_days_secret(make_app: Callable[..., Flask], clock: Any) -> None:
    first, second = make_app(), make_app()
    visitors = {traffic_of(app).visit(SEEN).visitor for app in (first, second, first)}
    assert len(visitors) == 1
    clock.move(days=1)
    tomorrow = {traffic_of(app).visit(SEEN).visitor for app in (first, second)}
    assert len(tomorrow) == 1
    assert tomorrow.isdisjoint(visitors)


def test_fifty_threads_at_midnight_agree_on_one_secret(make_app: Callable[..., Flask]) -> None:
    apps = [make_app() for _ in range(5)]
    barrier, found = threading.Barrier(50), []

    def ask(number: int) -> None:
        barrier.wait()
        found.append(traffic_of(apps[number % 5]).secret())

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


def test_yesterdays_secret_is_thrown_away(app: Flask, clock: Any) -> None:
    traffic = traffic_of(app)
    traffic.record("view", "/", traffic.visit(SEEN))
    traffic.flush()
    clock.move(days=1)
    traffic.record("view", "/", traffic.visit(SEEN))
    traffic.flush()
    db.session.rollback()
    assert list(db.session.scalars(select(DaySecret.day))) == [clock.now.date()]
    assert list(db.session.scalars(select(Visitor.day))) == [clock.now.date()]


def test_closing_writes_what_is_noted(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    traffic_of(app).record("view", "/", make_visit())
    assembly.close(app)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Hit)) == 1
        db.session.remove()


def test_hits_wait_while_the_database_is_taken(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app(DATABASE_URL=f"sqlite:///{tmp_path / 'taken.db'}")
    with app.app_context():
        db.create_all()
        with db.engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(tmp_path / "taken.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    traffic = traffic_of(app)
    traffic.record("view", "/", make_visit())
    with suppress(OperationalError):
        traffic.flush()
    other.execute("ROLLBACK")
    traffic.flush()
    assert other.execute("SELECT count(*) FROM hit").fetchone() == (1,)
    other.close()
