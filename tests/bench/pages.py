"""Pages: the landing page and any other against nginx with a static file, Flask's own road against a trivial app."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from statistics import median
from urllib.parse import urlsplit

import psutil

from frame import BROWSER, PASSES, Load, a_project, nginx, pin, press, say, served
from support.crowd import TOKEN, Crowd, ask
from support.running import free_port, wait_until

TRIVIAL = """
import os, sys
from flask import Flask
from handsel.server import _serve, listen
app = Flask("trivial")
@app.get("/")
def page(): return "<!doctype html><title>Hello</title><p>Hello"
_serve(listen("127.0.0.1", int(sys.argv[1])), lambda: app.wsgi_app)
os._exit(0)
"""
FLOOR = """
import os, sys
from urllib.request import Request, urlopen
from handsel.server import _serve, listen
answer = urlopen(Request(sys.argv[2], headers=eval(sys.argv[3])))
own = {"date", "server", "connection", "transfer-encoding"}
body, rows = [answer.read()], [row for row in answer.headers.items() if row[0].lower() not in own]
def app(environ, start_response):
    start_response("200 OK", rows)
    return body
_serve(listen("127.0.0.1", int(sys.argv[1])), lambda: app)
os._exit(0)
"""


def run() -> None:
    with a_project() as project, served(project) as (site, worker):
        for job, path in (("landing page", "/offers/guide/"), ("any other public page", "/privacy/")):
            body = ask(urlsplit(site.url).netloc, "GET", path)[2]
            with (nginx({"page": body}) as (address, nginx_worker),
                  server(FLOOR, site.url + path, repr(BROWSER)) as (bare, bare_worker)):
                theirs, floor, ours = _in_turn((f"{address}/page", nginx_worker), (f"{bare}/", bare_worker),
                                               (site.url + path, worker))
            ratio = theirs.cpu_us / ours.cpu_us
            say(job, f"{ours.cpu_us:.0f} us CPU, {ours.rate:,.0f}/s, p99 {ours.p99:.1f} ms",
                f"nginx static {theirs.cpu_us:.0f} us CPU, {theirs.rate:,.0f}/s", ratio, ">= .42 of nginx",
                ratio >= 0.42)
            say("", f"{ours.rate:,.0f}/s", f"{theirs.rate:,.0f}/s", ours.rate / theirs.rate, "by wall time")
            say("  granian with that answer ready made", f"{floor.cpu_us:.0f} us CPU, {floor.rate:,.0f}/s", "",
                theirs.cpu_us / floor.cpu_us, "the most there is")
            assert ours.wrong == 0, f"{ours.wrong} wrong answers"
            if path == "/offers/guide/":
                assert TOKEN.search(body), "the landing page came without a form token"
                landing_views = ours.answers
        crowd = Crowd(site.url, 1, 0)
        crowd._submit("ann@people.example")
        thanks = f"/offers/guide/thanks/{crowd.ledger.acknowledged['ann@people.example']}"
        with server(TRIVIAL) as (address, trivial_worker):
            # A cookie that we do not know makes a page unusual, so Flask answers it instead of the table.
            theirs, ours, asking = _in_turn((f"{address}/", trivial_worker), (f"{site.url}/privacy/", worker),
                                            (site.url + thanks, worker), Cookie="theirs=1")
        limit = f"trivial Flask app {theirs.cpu_us:.0f} us, {theirs.rate:,.0f}/s"
        ratio = theirs.cpu_us / ours.cpu_us
        say("a page through the whole of Flask", f"{ours.cpu_us:.0f} us CPU, {ours.rate:,.0f}/s", limit, ratio,
            ">= .5 of it", ratio >= 0.5)
        say("  the thank-you page, with its five questions", f"{asking.cpu_us:.0f} us CPU, {asking.rate:,.0f}/s", limit,
            theirs.cpu_us / asking.cpu_us, "")
        site.stop()
        _check_views(project, landing_views)


def _in_turn(*cases: tuple[str, list[psutil.Process]], **headers: str) -> list[Load]:
    """Each case's loads in turn; medians, and the sums of answers."""
    for url, processes in cases:
        press(url, processes, seconds=1, **headers)  # warm
    loads: list[list[Load]] = [[] for _ in cases]
    for _ in range(PASSES):
        for (url, processes), taken in zip(cases, loads, strict=True):
            taken.append(press(url, processes, **headers))
    return [Load(median(load.rate for load in taken), median(load.p50 for load in taken),
                 median(load.p99 for load in taken), median(load.cpu_us for load in taken),
                 sum(load.answers for load in taken), sum(load.wrong for load in taken)) for taken in loads]


def _check_views(project: object, answered: int) -> None:
    """Every page that was answered is a view in the tallies (a few more, that the client did not wait for)."""
    with closing(sqlite3.connect(f"{project}/instance/handsel.db")) as connection:
        [(views,)] = connection.execute("SELECT sum(hits) FROM tally WHERE kind = 'view' AND path = '/offers/guide/'")
    assert views >= answered, f"{views} views for {answered} pages"
    say("  views recorded for landing pages answered", f"{views:,} (with the warm-up)", f"{answered:,}", None,
        "none lost", True)


@contextmanager
def server(program: str, *arguments: str) -> Iterator[tuple[str, list[psutil.Process]]]:
    """A small ``program`` under the same server: a Flask app of one route, or no app at all."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", program, str(port), *arguments])
    try:
        wait_until(lambda: _answers(port))
        worker = psutil.Process(process.pid)
        pin(worker)
        yield f"http://127.0.0.1:{port}", [worker]
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    try:
        return ask(f"127.0.0.1:{port}", "GET", "/")[0] == 200
    except OSError:
        return False
