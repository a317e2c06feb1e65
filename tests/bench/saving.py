"""How soon a save is live in a running site: alone on the machine, and while every core is busy with something else."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles

from frame import SAMPLE, a_project, say, upgraded
from support.running import Site

SAVES = int(os.environ.get("BENCH_SAVES", "40"))
BUSY = "while True: pass"


def run() -> None:
    with a_project(SAMPLE) as project:
        site = Site(project, command="run")
        upgraded(site)
        site.start()
        try:
            alone = _saves(site, project)
            with _all_cores_busy():
                busy = _saves(site, project)
        finally:
            site.stop()
    for what, taken in (("a save, live in a running site", alone), ("  while every core is busy", busy)):
        p95 = quantiles(taken, n=20)[-1]
        say(what, f"{median(taken) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms", f"{SAVES} saves, a page asked for", None,
            "<= 1 s p95", p95 <= 1)


def _saves(site: Site, project: Path) -> list[float]:
    """Seconds from each save to the first answer that shows it; saves fall anywhere between two looks."""
    page, chance = project / "content" / "privacy.md", random.Random(7)
    before, taken = page.read_text(), []
    for number in range(SAVES):
        time.sleep(0.6 + chance.random() * 0.6)
        mark = f"Saved {number} at {time.time_ns()}."
        page.write_text(f"{before}\n{mark}\n")
        began = time.perf_counter()
        while mark.encode() not in _page(site):
            time.sleep(0.005)
        taken.append(time.perf_counter() - began)
    page.write_text(before)
    return taken


def _page(site: Site) -> bytes:
    with urllib.request.urlopen(f"{site.url}/privacy/", timeout=10) as answer:
        body: bytes = answer.read()
    return body


@contextmanager
def _all_cores_busy() -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(os.cpu_count() or 1):
            burner = subprocess.Popen([sys.executable, "-c", BUSY])
            stack.callback(burner.wait)
            stack.callback(burner.kill)
        yield
