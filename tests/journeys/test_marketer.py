"""A marketer's day: a new project, a page that changes, breaks and is mended, and pages that come and go on time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from support.people import Hands
from support.running import SOURCE, Site, wait_until
from support.web import Web

OURS = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE)}
SOON = 2.5  # we promise one second; the rest is for machines that run many tests at once
ZONE = ZoneInfo("Europe/London")


class Workshop:
    """A project folder made by ``handsel init``, served, and the commands that a marketer types in it."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.site = Site(project, command="serve")

    def handsel(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "handsel", *words], cwd=self.project, env=self.site.environ,
                              capture_output=True, text=True, timeout=60, check=False)

    def save(self, path: str, old: str, new: str) -> None:
        """Change a file as an editor does: written aside, then put in its place."""
        file = self.project / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        aside = file.with_name(f".{file.name}.tmp")
        aside.write_text(text.replace(old, new), encoding="utf-8")
        aside.rename(file)

    def comes(self, path: str, words: str, within: float = SOON) -> None:
        """The page at ``path`` has those words soon."""
        web, begun = Web(self.site.url), time.monotonic()
        wait_until(lambda: words in web.get(path).text, 10, f"{words!r} on {path}")
        assert time.monotonic() - begun <= within, f"{words!r} came after {time.monotonic() - begun:.2f} s"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    project = tmp_path_factory.mktemp("new") / "press"
    made = subprocess.run([sys.executable, "-m", "handsel", "init", str(project)], env=OURS, capture_output=True,
                          text=True, timeout=60, check=False)
    assert made.returncode == 0, made.stderr
    shop = Workshop(project)
    assert shop.handsel("db", "upgrade").returncode == 0
    shop.site.start()
    yield shop
    shop.site.stop()


def test_a_new_project_is_whole(workshop: Workshop) -> None:
    checked = workshop.handsel("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    web = Web(workshop.site.url)
    pages = [path for path in (workshop.project / "offers").iterdir() if path.is_dir()]
    assert pages
    for offer in pages:
        assert web.get(f"/offers/{offer.name}/").form("form-token").method == "post"


def test_a_save_is_live_within_a_second(workshop: Workshop) -> None:
    file = workshop.project / "content/news.md"
    file.write_text("---\ntitle: News of the day\n---\nThe kettle is on.\n", encoding="utf-8")
    workshop.comes("/news/", "The kettle is on.")
    workshop.save("content/news.md", "The kettle is on.", "The tea is ready.")
    workshop.comes("/news/", "The tea is ready.")
    file.unlink()
    web = Web(workshop.site.url)
    wait_until(lambda: web.get("/news/").status == 404, SOON, "a page that was deleted is gone")


def test_a_broken_page_stays_as_it_was_and_is_named_everywhere(
        workshop: Workshop, come: Callable[..., Hands]) -> None:
    web = Web(workshop.site.url)
    file = workshop.project / "content/day.md"
    file.write_text("---\ntitle: The day\n---\nAll is well.\n", encoding="utf-8")
    workshop.comes("/day/", "All is well.")
    before = len(workshop.site.lines)

    workshop.save("content/day.md", "title: The day\n---\nAll is well.", "titel: The day\n---\nAll is lost.")

    log = workshop.site.lines
    wait_until(lambda: any("content/day.md:2" in line for line in log[before:]), 3, "the log names the fault")
    said = next(line for line in log[before:] if "content/day.md:2" in line)
    assert "titel" in said
    assert "title" in said
    assert "All is well." in web.get("/day/").text
    checked = workshop.handsel("check")
    assert checked.returncode == 1
    assert "content/day.md:2" in checked.stdout
    assert "titel" in checked.stdout

    told = workshop.handsel("user", "add", "mia@example.org", "--role", "marketer")
    person = come()
    person.page.goto(next(word for word in told.stdout.split() if "/desk/enter/" in word))
    person.press("Sign in")
    person.page.goto(f"{workshop.site.url}/desk/files")
    person.sees("content/day.md")
    person.sees("titel")

    workshop.save("content/day.md", "titel: The day\n---\nAll is lost.", "title: The day\n---\nAll is mended.")
    workshop.comes("/day/", "All is mended.")
    assert workshop.handsel("check").returncode == 0


def test_pages_come_and_go_on_the_minute(workshop: Workshop) -> None:
    site, web = workshop.site, Web(workshop.site.url)
    ahead = float(site.clock_file.read_text() or 0)
    now = datetime.now(UTC) + timedelta(seconds=ahead)
    opens = (now + timedelta(days=3)).astimezone(ZONE).replace(second=0, microsecond=0)
    closes = opens + timedelta(minutes=10)
    times = f"publish_at: {opens:%Y-%m-%d %H:%M}\nunpublish_at: {closes:%Y-%m-%d %H:%M}"
    (workshop.project / "content/sale.md").write_text(f"---\ntitle: The sale\n{times}\n---\nTen minutes.\n")
    (workshop.project / "content/open.md").write_text("---\ntitle: Open\n---\nOpen.\n")
    workshop.comes("/open/", "Open.")

    def until(moment: datetime) -> None:
        site.move_clock(seconds=(moment - now_there()).total_seconds())

    def now_there() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(site.clock_file.read_text() or 0))

    assert web.get("/sale/").status == 404
    until(opens - timedelta(seconds=30))
    assert web.get("/sale/").status == 404
    assert "/sale/" not in web.get("/sitemap.xml").text
    until(opens)
    wait_until(lambda: web.get("/sale/").status == 200, SOON, "the page is there on the minute")
    wait_until(lambda: "/sale/" in web.get("/sitemap.xml").text, SOON)
    until(closes - timedelta(seconds=30))
    assert "Ten minutes." in web.get("/sale/").text
    until(closes)
    wait_until(lambda: web.get("/sale/").status == 404, SOON, "the page is gone on the minute")
