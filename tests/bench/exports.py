"""Leads taken home as CSV and XLSX, against sqlite3's own `.mode csv`."""

from __future__ import annotations

import csv
import os
import resource
import subprocess
import sys
from pathlib import Path

import seeds
from frame import SAMPLE, a_project, need, say, taking_turns, upgraded
from support.running import Site

ROWS = int(os.environ.get("BENCH_LEADS", "300000"))
SHEET = 100_000
COLUMNS = ("address, name, company, job_title, phone, country, stage, score, coalesce(owner_id, ''), tags_text, "
           "offers_text, source, captured_at, confirmed_at, consent_text")
CHOSEN = ("email", "name", "score", "fit", "interest", "owner", "company_size", "industry", "tags", "last_act_at")
CHOSEN_SQL = ("address, name, score, fit, interest, coalesce(owner_id, ''), "
              "(SELECT size FROM company WHERE company.id = company_id), "
              "(SELECT industry FROM company WHERE company.id = company_id), tags_text, acted_at")
"""What sellers like to choose, and the same from sqlite3."""
EXPORT = """
import resource, sys, time
from pathlib import Path
from handsel import create_app
from handsel.db import db
from handsel.leads import export
from handsel.accounts.audit import Actor
from handsel.leads.finding import Wanted
from handsel.leads.layouts.columns import chosen
from handsel.leads.layouts.memory import Taking
app = create_app(Path(sys.argv[1]), ENV="test")
with app.app_context(), db.engine.connect() as connection:
    base, began, cpu = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter(), time.process_time()
    if sys.argv[2] != "xlsx":
        layout = None if sys.argv[2] == "csv" else chosen(sys.argv[2].split(","), [])
        taken = Taking(Actor("bench"), "bench", only_new=False) if len(sys.argv) > 4 else None
        with open(sys.argv[3], "wb") as file:
            for part in export.csv_parts(connection, Wanted(), layout=layout, taken=taken):
                file.write(part)
        if taken is not None:
            from datetime import UTC, datetime
            taken.finish(datetime.now(UTC))
    else:
        with open(sys.argv[3], "w+b") as file:
            export.xlsx(connection, Wanted(), file)
    print(time.process_time() - cpu, time.perf_counter() - began,
          resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base)
"""


def run() -> None:
    sqlite = need("sqlite3", "sqlite3")
    with a_project(SAMPLE) as project:
        upgraded(Site(project))
        database, target = project / "instance" / "handsel.db", project / "leads.csv"
        seeds.leads(database, SHEET)
        seconds, _, memory = _ours(project, "xlsx", project / "leads.xlsx")
        say(f"{SHEET:,} leads to XLSX", f"{SHEET / seconds:,.0f} rows/s, {memory / 1024:.0f} MB more", "", None,
            ">= 10,000/s", SHEET / seconds >= 10_000 and memory < 60 * 1024)
        seeds.leads(database, ROWS - SHEET, SHEET)
        memories: list[float] = []

        def ours() -> float:
            used, _, more = _ours(project, "csv", target)
            memories.append(more)
            return used

        theirs, used = taking_turns(lambda: _reference(sqlite, database, project / "reference.csv", COLUMNS), ours)
        _check(target)
        few, ours_few = taking_turns(lambda: _reference(sqlite, database, project / "reference.csv", CHOSEN_SQL),
                                     lambda: _ours(project, ",".join(CHOSEN), target)[0])
        _check(target)
        remembered = [_ours(project, "csv", target, "remember") for _ in range(2)]
        _check(target)
    say(f"{ROWS:,} leads to CSV, 15 columns", f"{ROWS / used:,.0f} rows/s of CPU",
        f"sqlite3 .mode csv {ROWS / theirs:,.0f}", theirs / used, ">= .9 by CPU", theirs / used >= 0.9)
    say(f"{ROWS:,} leads to CSV, {len(CHOSEN)} chosen columns", f"{ROWS / ours_few:,.0f} rows/s of CPU",
        f"sqlite3 .mode csv {ROWS / few:,.0f}", few / ours_few, ">= .9 by CPU", few / ours_few >= 0.9)
    say("  remembered, the first time and again", ", ".join(f"{ROWS / each[0]:,.0f}" for each in remembered)
        + " rows/s of CPU", "", None, "")
    say("  its memory above the program's own", f"{max(memories) / 1024:.0f} MB", "", None, "<= 16 MB",
        max(memories) <= 16 * 1024)


def _ours(project: Path, kind: str, target: Path, *more: str) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and KB of memory above the start that an export takes."""
    said = subprocess.run([sys.executable, "-c", EXPORT, str(project), kind, str(target), *more], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.split()
    return float(said[0]), float(said[1]), float(said[2])


def _reference(sqlite: str, database: Path, target: Path, columns: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with target.open("wb") as file:
        subprocess.run([sqlite, "-header", "-csv", str(database), f"SELECT {columns} FROM lead ORDER BY id"],
                       check=True, stdout=file)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _check(target: Path) -> None:
    """All rows are there and read back, and no cell is a formula."""
    with target.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        width = len(next(rows))
        number = 0
        for row in rows:
            assert len(row) == width, row
            assert not any(cell.startswith(("=", "+", "@")) for cell in row), row
            number += 1
    assert number == ROWS, f"{number} rows of {ROWS}"


