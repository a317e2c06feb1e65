"""How soon the first page comes, and what a process weighs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from frame import SAMPLE, a_project, say, taking_turns, upgraded
from reading import _write_pages
from support.running import Site, wait_until

PAGES = 1_000


def run() -> None:
    # An installed program has its bytecode beside it; a shell that forbids to write it would have us measure compile().
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with a_project(SAMPLE) as project:
        _some_pages(project)
        upgraded(Site(project))
        weights: list[dict[str, float]] = []
        bare, flask, ours = taking_turns(
            lambda: _seconds("pass"), lambda: _seconds("import flask, sqlalchemy.orm, granian"),
            lambda: _first_page(project, "serve", weights), passes=5)
        whole = [_first_page(project, "run", weights) for _ in range(3)]
    weight = max(entry["web"] for entry in weights)
    say(f"first page of `handsel serve`, {PAGES:,} pages", f"{ours * 1000:.0f} ms",
        f"bare interpreter {bare * 1000:.0f} ms, libraries {flask * 1000:.0f} ms", ours / flask, "<= 600 ms",
        ours <= 0.6)
    say("  of `handsel run`", f"{sorted(whole)[1] * 1000:.0f} ms", "", None, "<= 3 s", sorted(whole)[1] <= 3)
    say("memory of a web process (its own share)", f"{weight:.0f} MB", "", None, "<= 80 MB", weight <= 80)
    mail = max(entry["mail"] for entry in weights)
    say("memory of the mail worker (its own share)", f"{mail:.0f} MB", "", None, "<= 80 MB", mail <= 80)


def _some_pages(project: Path) -> None:
    import reading

    reading.FILES = PAGES
    _write_pages(project / "content" / "many")


def _seconds(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def _first_page(project: Path, command: str, weights: list[dict[str, float]]) -> float:
    """Seconds from the command to the first page, with what the processes weigh then."""
    site = Site(project, command=command)
    began = time.perf_counter()
    site.start(wait=False)
    wait_until(site.answers, 60)
    took = time.perf_counter() - began
    wait_until(lambda: len(site.children()) == (2 if command == "run" else 1), 20)
    sizes = sorted(child.memory_full_info().pss / 1e6 for child in site.children())
    weights.append({"web": sizes[-1], "mail": sizes[0] if command == "run" else 0.0})
    site.stop()
    return took
