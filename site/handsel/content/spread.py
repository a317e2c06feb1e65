"""A first reading of a large site uses every core: helper processes render a share of the pages each.

A helper is ``python -m handsel.content.spread``, told by JSON on its input what to read; its output holds the pages.
One that fails is no loss: what it did not bring is read here.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

import handsel
from handsel.content import plainpickle
from handsel.content.files import Memo, Tree
from handsel.content.library import Page, Read, Reading, page_files, read_pages
from handsel.content.schema import SiteSettings

WORTH = 400  # pages, about two seconds of work: below that a helper costs more than it brings
LONGEST = 600  # seconds to wait for one


def read_all_pages(reading: Reading) -> dict[str, Read[Page]]:
    """Every page of ``content/`` by its file, like ``read_pages``, with helpers where there is much to read."""
    missing = [file for file in page_files(reading.tree) if not reading.has(file)]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    shares = min(cores, 1 + len(missing) // WORTH)
    if shares < 2:
        return read_pages(reading)
    helpers = [_start(reading, missing[place::shares]) for place in range(1, shares)]
    for file in missing[::shares]:
        reading.page(file)
    for helper, output in helpers:
        _collect(reading, helper, output)
    return read_pages(reading)


def _start(reading: Reading, files: list[str]) -> tuple[subprocess.Popen[bytes] | None, IO[bytes]]:
    output = tempfile.TemporaryFile()  # noqa: SIM115  closed where it is read
    home = str(Path(handsel.__file__).parent.parent)
    paths = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))
    order = {"root": str(reading.tree.root), "timezone": reading.site.timezone,
             "files": {file: reading.tree.stamps[file] for file in files}}
    try:
        helper = subprocess.Popen([sys.executable, "-m", "handsel.content.spread"], stdin=subprocess.PIPE,
                                  stdout=output, stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": paths})
        assert helper.stdin is not None
        with helper.stdin as told:
            told.write(json.dumps(order).encode("utf-8", "surrogateescape"))
    except OSError:
        return None, output
    return helper, output


def _collect(reading: Reading, helper: subprocess.Popen[bytes] | None, output: IO[bytes]) -> None:
    with output:
        if helper is None:
            return
        try:
            done = helper.wait(LONGEST)
        except subprocess.TimeoutExpired:
            helper.kill()
            helper.wait()
            return
        output.seek(0)
        brought = plainpickle.load(output) if done == 0 else None
    for file, page in brought.items() if isinstance(brought, dict) else ():
        if isinstance(page, Read):
            reading.put(file, page)


def help_out(order: IO[bytes], output: IO[bytes]) -> None:
    """Read the pages that ``order`` names and write them to ``output``."""
    told = json.load(order)
    tree = Tree(Path(told["root"]), {file: tuple(stamp) for file, stamp in told["files"].items()})
    reading = Reading(tree, Memo(), SiteSettings(name="-", timezone=told["timezone"]))
    pickle.dump({file: reading.page(file) for file in tree.stamps}, output, protocol=5)


if __name__ == "__main__":
    help_out(sys.stdin.buffer, sys.stdout.buffer)
