"""What Lighthouse says of the sample's pages on a simulated phone: four scores, largest paint, shifts, blocked time.

Run on request alone, as ``make bench ARGS=lighthouse``: it needs Node and fetches Lighthouse from npm if it is not
installed. The budgets are those of the design; a loaded machine blocks longer than the page does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from frame import MissingError, a_project, say, upgraded
from support.running import Site
from support.web import Web

ROOT = Path(__file__).parents[2]
SCORES = ("performance", "accessibility", "best-practices", "seo")
PATIENCE = 180  # seconds for one page
WITH_PICTURE, TEXT_ALONE = 1300, 800  # milliseconds to the largest paint
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage"


def run() -> None:
    command = _lighthouse()
    with a_project(ROOT) as project:
        site = upgraded(Site(project, command="serve")).start()
        try:
            pages = {
                "landing page": ("/offers/home-energy-guide/", TEXT_ALONE),
                "landing page with a long form": ("/offers/heat-pump-whitepaper/", TEXT_ALONE),
                "post": ("/blog/is-a-heat-pump-right/", WITH_PICTURE),
                "front page": ("/", WITH_PICTURE),
                "chapter of the manual": ("/guide/blocks/", TEXT_ALONE),
                "thank-you page": (_thanked(site), TEXT_ALONE),
            }
            for name, (path, limit) in pages.items():
                _measure(command, name, f"{site.url}{path}", limit)
        finally:
            site.stop()


def _lighthouse() -> list[str]:
    if found := shutil.which("lighthouse"):
        return [found]
    if found := shutil.which("npx"):
        return [found, "--yes", "lighthouse@13"]
    raise MissingError("needs Node: sudo apt-get install nodejs npm")


def _thanked(site: Site) -> str:
    """The address of a thank-you page, after a form was sent as a person would."""
    visitor = Web(site.url)
    page = visitor.get("/offers/home-energy-guide/")
    form = page.form("/offers/home-energy-guide/")
    time.sleep(3)  # nobody fills in a form in less
    answer = visitor.send(page, form, email="ann@example.org")
    return answer.location.removeprefix(site.url)


def _measure(command: list[str], name: str, address: str, limit: int) -> None:
    found = _report(command, address)
    scores = [round(100 * found["categories"][kind]["score"]) for kind in SCORES]
    paint, shift, blocked = (
        found["audits"][audit]["numericValue"]
        for audit in ("largest-contentful-paint", "cumulative-layout-shift", "total-blocking-time")
    )
    wanted = [100, 100, 100, scores[3] if found["audits"]["is-crawlable"]["score"] == 0 else 100]
    say(f"{name}: {'/'.join(map(str, scores))}", f"LCP {paint:.0f} ms, CLS {shift:.2f}, TBT {blocked:.0f} ms",
        "simulated slow 4G", None, f"100 each, LCP <= {limit} ms, CLS 0, TBT <= 50 ms",
        scores == wanted and paint <= limit and shift == 0 and blocked <= 50)


def _report(command: list[str], address: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        options = [f"--chrome-flags={FLAGS}", f"--only-categories={','.join(SCORES)}", "--output=json",
                   f"--output-path={path}", "--quiet"]
        browser = shutil.which("chromium") or "/usr/bin/chromium"
        subprocess.run([*command, address, *options], env={**os.environ, "CHROME_PATH": browser},
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE, check=True)
        report: dict[str, Any] = json.loads(path.read_text())
        return report
