"""``make bench``: how fast we are, as ratios to limits measured in the same run. ``make bench ARGS="pages mail"``."""

from __future__ import annotations

import importlib
import os
import platform
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

BENCHES = ("pages", "captures", "mails", "exports", "reports", "results", "reading", "saving", "starting",
           "evaluations", "scores", "leads")
ON_REQUEST = ("lighthouse",)
"""What needs more than Debian's packages, and so runs only where it is named."""


def main(chosen: list[str]) -> None:
    from frame import MissingError, say

    for name in chosen:
        if name not in BENCHES + ON_REQUEST:
            sys.exit(f"There is no bench '{name}'. Use one of: {', '.join(BENCHES + ON_REQUEST)}.")
    load = os.getloadavg()[0]
    sys.stdout.write(f"Handsel's bench on {os.cpu_count()} cores, {platform.python_implementation()} "
                     f"{platform.python_version()}, load {load:.1f} at the start. Each figure is the median of passes "
                     "taken in turn with its limit.\n\n")
    say("job", "ours", "the limit in the same run", None, "target")
    for name in chosen or BENCHES:
        began = time.perf_counter()
        try:
            importlib.import_module(name).run()
        except MissingError as error:
            say(name, "not measured", str(error), None, "")
        sys.stdout.write(f"  ({name}: {time.perf_counter() - began:.0f} s)\n")


if __name__ == "__main__":
    main(sys.argv[1:])
