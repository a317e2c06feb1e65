"""Reports over many hits, and what growth does to a capture, a list of leads and a report."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from statistics import median

import seeds
from frame import SAMPLE, a_project, say, upgraded
from handsel import assembly, create_app
from handsel.db import db
from support.funnel import take
from support.running import Site

HITS, SMALL, LARGE = 1_000_000, 10_000, 300_000
RAW = ("SELECT path, variant, kind, count(*) FROM hit WHERE offer = 'offer7' AND excluded = '' "
       "GROUP BY path, variant, kind")


def run() -> None:
    with a_project(SAMPLE) as project:
        site = upgraded(Site(project))
        database = site.project / "instance" / "handsel.db"
        rows = seeds.tallies(database, days=365, paths=152)
        seeds.hits(database, HITS)
        with closing(sqlite3.connect(database)) as raw:
            theirs = _milliseconds(lambda: raw.execute(RAW).fetchall(), 5)
        app = create_app(project, ENV="test")
        with app.app_context(), db.engine.connect() as connection:
            from handsel.experiments.tallied import views

            ours = _milliseconds(lambda: views(connection, "offer7", date.min), 50)
            db.engine.dispose()
        assembly.close(app)
    say("a report, from the tallies of 10,000,000 hits", f"{ours:.2f} ms ({rows:,} tallies)",
        f"the raw hits, of {HITS:,} alone: {theirs:.0f} ms", theirs / ours, "<= 5 ms", ours <= 5)
    _growth()


def _growth() -> None:
    measured = []
    for number in (SMALL, LARGE):
        with a_project(SAMPLE) as project:
            upgraded(Site(project))
            seeds.leads(project / "instance" / "handsel.db", number)
            measured.append(_costs(project))
    small, large = measured
    for job in small:
        ratio = large[job] / small[job]
        say(f"growth: {job}", f"{large[job]:.2f} ms at {LARGE:,} leads", f"{small[job]:.2f} ms at {SMALL:,}", ratio,
            "<= 1.3", ratio <= 1.3)


def _costs(project: Path) -> dict[str, float]:
    """Milliseconds of a capture, of a page of the list of leads, and of the same with a tag."""
    from handsel.leads.finding import Wanted, find
    from handsel.leads.models import Lead
    app = create_app(project, ENV="test", SYNCHRONOUS="NORMAL")
    with app.app_context():
        offer = app.extensions["handsel.offers"].project.offers["guide"]

        def page(asked: Wanted) -> Callable[[], object]:
            return lambda: db.session.execute(find([Lead], asked).query.limit(50)).all()

        numbers = iter(range(1_000_000))
        costs = {
            "a capture": _milliseconds(lambda: take(app, f"grown{next(numbers)}@a.example", offer=offer), 200),
            "a page of the list of leads": _milliseconds(page(Wanted()), 30),
            "the same with a tag": _milliseconds(page(Wanted(tag="reading")), 30),
        }
        db.session.remove()
        db.engine.dispose()
    assembly.close(app)
    return costs


def _milliseconds(act: Callable[[], object], times: int) -> float:
    act()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return median(taken) * 1000
