"""Lists and searches of a million leads, on both engines, as the desk asks for them: each within 200 ms at p95."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import quantiles

import crowd
from frame import SAMPLE, a_project, say, upgraded
from handsel import assembly, create_app
from handsel.db import db
from handsel.leads.finding import NOBODY, Wanted
from handsel.leads.listing import page
from handsel.leads.listing.order import Order
from handsel.leads.listing.words import asked_words
from support.desk import AtDesk
from support.postgres import Postgres
from support.running import Site

ROWS = int(os.environ.get("BENCH_LISTED", "1000000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
ORDERS = ("newest", "score", "-score", "acted", "stage")
SEARCHES = ("quillmer", "ada", "a", "adaline.mar1", "expo", "ada north", "zzzz", "ada zzzz", "acme.example")
FILTERS = {
    "everybody": Wanted(), "a tag on half": Wanted(tag="energy"), "an old trade fair": Wanted(tag="fair"),
    "a rare tag": Wanted(tag="vip"), "a rare offer": Wanted(offer="demo"), "iql": Wanted(stage="iql"),
    "customers": Wanted(stage="customer"), "a rare stage": Wanted(stage="service"), "mine": Wanted(owner=3),
    "unassigned": Wanted(owner=NOBODY), "mine, sql": Wanted(owner=3, stage="sql"),
    "a tag and customers": Wanted(tag="energy", stage="customer"),
    "a tag and a word": Wanted(tag="energy", words=("north",)),
    "a fair and a word": Wanted(tag="fair", words=("kettle",)),
    "a word and iql": Wanted(words=("expo",), stage="iql"),
}
SCREENS = {
    "list": [f"/desk/leads{query}" for query in (
        "", "?sort=score", "?search=ada&sort=score", "?owner=none&sort=score", "?tag=fair&sort=acted",
        "?stage=mql&sort=-stage")],
    "list of a segment": [f"/desk/leads?segment={name}{order}" for name in (
        "call-first", "readers", "quiet", "large-or-late") for order in ("", "&sort=score")],
    "pipeline": [f"/desk/pipeline{query}" for query in ("", "?sort=-stage", "?owner=none")],
}
SEGMENTS = """segments:
  call-first: {label: Call first, when: {stage: [mql, pql, service], score: {at_least: 60}, owner: {known: false}}}
  readers: {label: Readers, when: {downloaded: demo, not: {stage: [sql, customer]}}}
  quiet: {label: Gone quiet, when: {last_act: {older_than: 120 days}, unsubscribed: false}}
  large-or-late: {label: Two ways in, when: {any: [{tag: vip}, {visited: {starts_with: /offers/, times: 1}}]}}
"""


def run() -> None:
    for engine in os.environ.get("BENCH_ENGINES", "SQLite PostgreSQL").split():
        with a_project(SAMPLE) as project, _database(engine) as url:
            url = url or f"sqlite:///{project / 'instance' / 'handsel.db'}"
            (project / "content" / "_segments.yml").write_text(SEGMENTS)
            site = Site(project)
            site.environ["HANDSEL_DATABASE_URL"] = url
            upgraded(site)
            crowd.fill(url, ROWS)
            app = create_app(project, ENV="test", SECRET_KEY="a key for the bench, which is long enough", TESTING=True,
                             SITE_URL="http://localhost", RATE_LIMITS="off", DATABASE_URL=url)
            with app.app_context():
                _lists(engine)
                _screens(engine, app)
                db.engine.dispose()
            assembly.close(app)


@contextmanager
def _database(engine: str) -> Iterator[str]:
    if engine == "SQLite":
        yield ""
        return
    server = Postgres()
    url = server.create()
    yield url.render_as_string(hide_password=False)
    server.drop(url)


def _lists(engine: str) -> None:
    """Pages and numbers, without a screen around them."""
    wanted = {f"search {typed}": Wanted(words=asked_words(typed)) for typed in SEARCHES} | FILTERS
    pages, counts = [], []
    worst = ("", 0.0)
    for name, asked in wanted.items():
        for order in ORDERS:
            for _ in range(ROUNDS):
                taken, found = _timed(asked, order)
                pages.append(taken)
                worst = max(worst, (f"{name}, {order}", taken), key=lambda each: each[1])
                if found.after:
                    taken, _next = _timed(asked, order, found)
                    pages.append(taken)
        for _ in range(ROUNDS):
            began = time.perf_counter()
            page.count(db.session(), asked)
            counts.append((time.perf_counter() - began) * 1000)
            db.session.rollback()
    _say(f"{engine}: a page of {ROWS:,} leads", pages, f"the slowest: {worst[0]}, {worst[1]:.0f} ms")
    _say(f"{engine}: how many they are", counts, "")


def _timed(asked: Wanted, order: str, before: page.Page | None = None) -> tuple[float, page.Page]:
    began = time.perf_counter()
    found = page.page(db.session(), asked, Order.asked(order), before.after if before else None)
    taken = (time.perf_counter() - began) * 1000
    db.session.rollback()
    return taken, found


def _screens(engine: str, app: object) -> None:
    """Whole answers of the desk: the list with its reasons and next steps, and the pipeline."""
    seller = AtDesk(app, "sales")  # type: ignore[arg-type]
    for name, addresses in SCREENS.items():
        taken = []
        for address in addresses * (2 * ROUNDS):
            began = time.perf_counter()
            answer = seller.get(address)
            taken.append((time.perf_counter() - began) * 1000)
            assert answer.status_code == 200, (address, answer.text[-1500:])
        _say(f"{engine}: the {name} as a whole answer", taken, "")


def _say(job: str, taken: list[float], remark: str) -> None:
    p95 = quantiles(taken, n=20)[-1]
    p50 = quantiles(taken, n=2)[0]
    say(job, f"p50 {p50:.0f} ms, p95 {p95:.0f} ms", remark, None, "p95 <= 200 ms", p95 <= 200)
