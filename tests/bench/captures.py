"""Durable captures over HTTP, against the bare engine with a commit a lead, and against an ORM's way."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import psutil

from frame import PASSES, Load, a_project, pin, press, say, served
from pages import _answers
from support.crowd import TOKEN, Crowd, ask
from support.running import free_port, wait_until

SECONDS = 2.0
SCRIPT = """
local n, good, token, pass = 0, 0, %r, %r
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
request = function()
  n = n + 1
  return wrk.format(nil, nil, nil, "email=p" .. pass .. "n" .. n ..
    "%%40people.example&first_name=Ann&consent-advice=yes&form-token=" .. token)
end
local threads = {}
function setup(thread) table.insert(threads, thread) end
function response(status, headers, body) if status == 303 then good = good + 1; wrk.thread:set("good", good) end end
"""
OBJECTS = """
import os, sys
from pathlib import Path
from flask import redirect, request
from handsel import clock, create_app
from handsel.db import writing
from handsel.leads.models import Capture, Consent, Lead, LeadOffer, LeadTag
from handsel.mail.models import Message
from handsel.server import _serve, listen
app = create_app(Path(sys.argv[1]), ENV="test")
def take():
    at, key, email = clock.now(), os.urandom(10).hex(), request.form["email"]
    with writing() as session:
        lead = Lead(key=key, email=email, address=email, first_name=request.form["first_name"], captured_at=at,
                    last_capture_at=at, tags_text="reading", offers_text="guide")
        session.add(lead)
        session.flush()
        capture = Capture(key=key, once=key, lead_id=lead.id, offer="guide", form="short", email=email, at=at,
                          answers=dict(request.form))
        session.add(capture)
        session.flush()
        session.add_all([LeadTag(lead_id=lead.id, tag="reading", at=at),
                         LeadOffer(lead_id=lead.id, offer="guide", at=at),
                         Consent(lead_id=lead.id, capture_id=capture.id, purpose="advice", state="given", way="form",
                                 at=at)])
        session.add_all([Message(key=f"{key}{step}", once=f"{key}{step}", kind="letter", lead_id=lead.id,
                                 capture_id=capture.id, offer="guide", step=str(step), due_at=at, first_due_at=at,
                                 give_up_at=at, created_at=at, state="cancelled") for step in range(4)])
    return redirect("/thanks", 303)
app.add_url_rule("/by-objects", "by_objects", take, methods=["POST"])
_serve(listen("127.0.0.1", int(sys.argv[2])), lambda: app.wsgi_app)
os._exit(0)
"""
TABLES = ("lead", "capture", "lead_tag", "lead_offer", "consent", "download_grant", "conversion", "message")


def run() -> None:
    with a_project() as project, served(project) as (site, worker), by_objects(project) as (objects, objects_worker):
        Crowd(site.url, 1, 0)._submit("pattern@people.example")
        rows = _pattern(project)
        with closing(sqlite3.connect(project / "instance" / "handsel.db")) as source:
            source.execute("VACUUM INTO ?", (str(project / "empty.db"),))
        loads: list[Load] = []
        alone: list[float] = []
        lone, together, orm = [], [], []
        for number in range(PASSES):
            lone.append(_bare(project, rows, 1))
            loads.append(_press(site.url, worker, f"a{number}", 32))
            together.append(_bare(project, rows, 32))
            alone.append(_press(site.url, worker, f"b{number}", 1).p50)
            orm.append(_press(objects, objects_worker, f"o{number}", 32, "/by-objects").rate)
        sync = _fdatasync(project)
        site.stop()
        _check(project, sum(load.answers for load in loads))
    rate, p99 = median(load.rate for load in loads), median(load.p99 for load in loads)
    bare = median(lone)
    target = 0.5 if sync < 0.001 else 2.0  # a quiet disk lets the lone writer run; on a busy one sharing commits pays
    say("durable capture over HTTP, 32 clients", f"{rate:,.0f}/s, {median(load.cpu_us for load in loads):.0f} us CPU",
        f"bare SQLite, a commit a lead {bare:,.0f}/s", rate / bare, f">= {target} of it", rate / bare >= target)
    say("", f"{rate:,.0f}/s", f"bare SQLite, 32 in a commit {median(together):,.0f}/s", rate / median(together), "")
    say("", f"{rate:,.0f}/s", f"ORM, a commit a request, same server {median(orm):,.0f}/s", rate / median(orm),
        ">= 5 x", rate / median(orm) >= 5)
    say("  its p99", f"{p99:.0f} ms", "", None, "<= 50 ms", p99 <= 50)
    spare = median(alone) - sync * 1000
    say("  one alone", f"{median(alone):.1f} ms", f"an fdatasync here {sync * 1000:.1f} ms", None, "<= it + 3 ms",
        spare <= 3)


def _press(base: str, worker: Any, name: str, connections: int, path: str = "/offers/guide/") -> Load:
    page = ask(urlsplit(base).netloc, "GET", "/offers/guide/")[2]
    found = TOKEN.search(page)
    assert found
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % (found.group(1).decode(), name))
        script.flush()
        load = press(base + path, worker, connections, SECONDS, Path(script.name))
    assert load.wrong == 0, f"{load.wrong} submissions were refused"
    return load


def _check(project: Path, answered: int) -> None:
    """Every 303 has its capture, and each capture exactly its four messages."""
    with closing(sqlite3.connect(project / "instance" / "handsel.db")) as connection:
        [(captures,)] = connection.execute("SELECT count(*) FROM capture WHERE email LIKE 'pa%'")
        wrong = connection.execute("SELECT count(*) FROM (SELECT capture_id FROM message GROUP BY capture_id "
                                   "HAVING count(*) <> 4)").fetchone()[0]
        [(said,)] = connection.execute("PRAGMA integrity_check")
    assert captures >= answered, f"{answered} thank-you answers, but {captures} captures"
    assert (wrong, said) == (0, "ok")
    say("  captures on disk for 303 answers", f"{captures:,}", f"{answered:,}", None, "none lost", True)


def _pattern(project: Path) -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    """The rows that one capture makes, by table."""
    with closing(sqlite3.connect(project / "instance" / "handsel.db")) as connection:
        found = {}
        for table in TABLES:
            cursor = connection.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in cursor.description]
            found[table] = (names, cursor.fetchall())
        return found


def _bare(project: Path, pattern: dict[str, tuple[list[str], list[tuple[Any, ...]]]], at_once: int) -> float:
    """Captures a second that SQLite itself takes from one writer: the same rows and indexes, FULL, the same disk."""
    with tempfile.TemporaryDirectory(dir=project) as folder:
        path = Path(folder) / "bare.db"
        shutil.copyfile(project / "empty.db", path)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-8000"):
                connection.execute(f"PRAGMA {pragma}")
            write = _writer(connection, pattern)
            done, end = 0, time.perf_counter() + SECONDS
            began = time.perf_counter()
            while time.perf_counter() < end:
                connection.execute("BEGIN IMMEDIATE")
                for number in range(done, done + at_once):
                    write(number)
                connection.execute("COMMIT")
                done += at_once
            return done / (time.perf_counter() - began)


def _writer(connection: sqlite3.Connection,
            pattern: dict[str, tuple[list[str], list[tuple[Any, ...]]]]) -> Callable[[int], None]:
    """A function that writes copies of the pattern's rows under numbers of their own."""
    statements = {table: f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})"
                  for table, (names, _) in pattern.items()}

    def write(number: int) -> None:
        for table, (names, rows) in pattern.items():
            for row in rows:
                values = [_fresh(table, name, value, number) for name, value in zip(names, row, strict=True)]
                connection.execute(statements[table], values)

    return write


def _fresh(table: str, name: str, value: Any, number: int) -> Any:
    if value is None:
        return None
    if name == "id" or (name.endswith("_id") and isinstance(value, int)):
        return value + (number + 1) * 1_000
    if name in {"key", "once", "email", "visitor"}:
        return f"{number:08d}{value[8:]}" if name != "once" else f"{number:010d}{value[10:]}"
    return value


@contextmanager
def by_objects(project: Path) -> Iterator[tuple[str, list[psutil.Process]]]:
    """An application that writes the same rows by objects and commits at each request, under the same server."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", OBJECTS, str(project), str(port)])
    try:
        wait_until(lambda: _answers(port), 30)
        worker = psutil.Process(process.pid)
        pin(worker)
        yield f"http://127.0.0.1:{port}", [worker]
    finally:
        process.terminate()
        process.wait()


def _fdatasync(project: Path) -> float:
    """Seconds that this disk takes to make 4 KB durable, the median of many."""
    taken = []
    with (project / "sync").open("wb") as file:
        for _ in range(100):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    return median(taken)
