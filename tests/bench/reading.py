"""Reading Markdown: all files cold, again with nothing changed, and one save; against Hugo on the same cores."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from frame import SAMPLE, MissingError, a_project, need, say

FILES = int(os.environ.get("BENCH_FILES", "10000"))
WORDS = [f"{first}{last}" for first in ("the", "house", "heat", "door", "light", "paper", "small", "old", "warm")
         for last in ("", "s", "ed", "ing", "er")]
READ = """
import resource, sys, time
from pathlib import Path
from handsel.offers import memory
from handsel.offers.project import read
root, began = Path(sys.argv[1]), time.perf_counter()
project = read(root, memory.load(root))
memory.save(root, project)
took = time.perf_counter() - began
assert not project.faults, project.faults[:3]
print(took, len(project.pages), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
LIVE = """
import sys, time
from pathlib import Path
from handsel.offers.live import Live
live = Live(Path(sys.argv[1]))
live.start()
saved = Path(sys.argv[1]) / "content" / "many" / "0" / "page-0.md"
old = live.project
time.sleep(1)
saved.write_text(saved.read_text() + "One more line.\\n")
began = time.perf_counter()
while live.project is old:
    time.sleep(0.001)
print(time.perf_counter() - began)
"""


def run() -> None:
    with a_project(SAMPLE) as project:
        _write_pages(project / "content" / "many")
        cold, pages, memory = _run(READ, project)
        assert pages >= FILES, f"{pages:.0f} pages of {FILES}"
        again, _, _ = _run(READ, project)
        saved = _run(LIVE, project)[0]
        hugo = _hugo(project / "content" / "many")
    ratio = FILES / cold / hugo if hugo else None
    say(f"{FILES:,} Markdown files of 1,000 words, cold", f"{FILES / cold:,.0f} files/s, {memory:,.0f} MB",
        f"Hugo {hugo:,.0f} files/s" if hugo else "Hugo: sudo apt-get install hugo", ratio, ">= .5, <= 300 MB",
        None if ratio is None else ratio >= 0.5 and memory <= 300)
    say("  a start with nothing changed", f"{again:.2f} s", f"cold {cold:.0f} s", None, "<= .5 s", again <= 0.5)
    say("  one save among them, live", f"{saved * 1000:.0f} ms", "", None, "<= 1 s polled", saved <= 1)


def _run(code: str, project: Path) -> list[float]:
    done = subprocess.run([sys.executable, "-c", code, str(project)], check=True, stdout=subprocess.PIPE, text=True)
    return [float(word) for word in done.stdout.split()]


def _write_pages(folder: Path) -> None:
    chance = random.Random(3)
    for number in range(FILES):
        path = folder / str(number // 100) / f"page-{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = []
        for part in range(8):
            words = " ".join(chance.choice(WORDS) for _ in range(115)).capitalize()
            parts.append(f"## Part {part}\n\nA **strong** word, *another*, and [a link](/privacy/). {words}.\n\n"
                         "- one thing\n- another thing\n")
        path.write_text(f"---\ntitle: Page {number}\ndescription: One of many.\n---\n" + "\n".join(parts))


def _hugo(pages: Path) -> float | None:
    """Files a second that Hugo builds from the same files with the plainest of templates; None without Hugo."""
    try:
        program = need("hugo", "hugo")
    except MissingError:
        return None
    with tempfile.TemporaryDirectory(prefix="handsel-hugo-") as folder:
        site = Path(folder)
        (site / "layouts" / "_default").mkdir(parents=True)
        for name in ("single", "list"):
            (site / "layouts" / "_default" / f"{name}.html").write_text("<h1>{{ .Title }}</h1>{{ .Content }}")
        (site / "config.toml").write_text('baseURL = "https://press.example/"\n'
                                          'disableKinds = ["taxonomy", "term", "RSS", "sitemap"]\n')
        shutil.copytree(pages, site / "content" / "many")
        began = time.perf_counter()
        subprocess.run([program, "--quiet", "-s", str(site)], check=True)
        took = time.perf_counter() - began
        assert len(list((site / "public").rglob("index.html"))) >= FILES
        return FILES / took
