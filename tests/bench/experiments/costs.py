"""What one evaluation and the import cost, on one core."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import handsel
from handsel.experiments.evaluate import answers, evaluate

PROBE = """
import sys, time, tracemalloc
if sys.argv[1] == "memory":
    tracemalloc.start()
began = time.process_time()
import handsel.experiments.evaluate
spent, taken = time.process_time() - began, tracemalloc.get_traced_memory()[1]
from handsel.experiments.evaluate import evaluate
evaluate({"plan": {"baseline": .1, "mde": .2}, "periods": [{"weights": [1, 1]}], "counts": [[0, 0, 900, 90, 0, 0]]})
heavy = {"numpy", "scipy", "flask", "sqlalchemy", "pydantic"} & set(sys.modules)
print(taken / 2**20 if sys.argv[1] == "memory" else spent * 1000, len(heavy))
"""


def spent(runs: int, work: Callable[[], object]) -> float:
    """The least seconds of one core that ``work`` takes."""
    found = []
    for _ in range(runs):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def probe(what: str, folder: str) -> tuple[float, float]:
    """The least of some imports in new processes, and how many heavy modules came along."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPYCACHEPREFIX": folder, "PYTHONPATH": str(Path(handsel.__file__).parents[1])}
    found = [[float(each) for each in subprocess.run(
        [sys.executable, "-c", PROBE, what], env=environment, capture_output=True, text=True, check=True,
    ).stdout.split()] for _ in range(9)]
    return min(figure for figure, _ in found), max(heavy for _, heavy in found)


def figures() -> dict[str, tuple[float, float, str]]:
    """All costs beside their limits."""
    lines = [json.dumps({
        "plan": {"baseline": 0.03, "mde": 0.2}, "periods": [{"weights": [1, 1], "from": "2026-01-01T00:00:00Z"}],
        "counts": [[0, 0, 9000, 270, 0, 0], [0, 1, 9010, 200 + number % 150, 0, 0]], "now": "2026-01-09T00:00:00Z",
    }).encode() for number in range(2000)]
    million = {"plan": {"baseline": 0.03, "mde": 0.2, "weights": [1] * 6}, "periods": [{"weights": [1] * 6}],
               "counts": [[0, arm, 166_667, 5000 + 30 * arm, 0, 0] for arm in range(6)]}
    with tempfile.TemporaryDirectory() as folder:
        milliseconds, heavy = probe("time", folder)
        mebibytes, _ = probe("memory", folder)
    return {
        "evaluations a second, two variants": (len(lines) / spent(5, lambda: list(answers(lines))), 5000, "over"),
        "1,000,000 visitors, 6 variants, ms": (1000 * spent(30, lambda: evaluate(million)), 5, "under"),
        "import, ms": (milliseconds, 25, "under"),
        "import, MiB": (mebibytes, 2, "under"),
        "numpy, scipy and the like at run time": (heavy, 0, "under"),
    }
