"""A save is live within a second in every process; a faulty one changes nothing and is named once."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from handsel import clock as handsel_clock
from handsel.offers.live import PAUSE, SETTLE, Live, current
from handsel.offers.project import Project

CROWDED = 3  # seconds: one on a machine with a core to spare; tests share theirs

WATCHER = """
import sys, threading
from pathlib import Path
from handsel.offers.live import Live
live = Live(Path(sys.argv[1]))
live.on_change(lambda project: print(project.pages["/privacy/"].title, flush=True))
live.start()
sys.stdin.read()
"""


@pytest.fixture
def live(project: Path) -> Iterator[Live]:
    live = Live(project)
    yield live
    live.close()


def retitle(project: Path, title: str) -> None:
    (project / "content" / "privacy.md").write_text(f"---\n{title}\n---\n\n## Your rights\n\nAsk us.\n")


def titles(live: Live) -> tuple[list[str], threading.Semaphore]:
    """The titles of the privacy page as they come in, and what to wait on for each."""
    seen: list[str] = []
    news = threading.Semaphore(0)

    def note(project: Project) -> None:
        seen.append(project.pages["/privacy/"].title)
        news.release()

    live.on_change(note)
    return seen, news


def test_a_save_is_live_within_a_second(project: Path, live: Live) -> None:
    live.start()
    seen, news = titles(live)
    news.acquire()

    retitle(project, "title: Data notice")

    assert news.acquire(timeout=CROWDED)
    assert seen == ["Privacy notice", "Data notice"]
    assert live.project.pages["/privacy/"].title == "Data notice"


def test_a_save_is_live_within_a_second_in_every_process(project: Path) -> None:
    watchers = [subprocess.Popen([sys.executable, "-c", WATCHER, str(project)], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True) for _ in range(3)]
    try:
        outputs = [watcher.stdout for watcher in watchers if watcher.stdout]
        assert [output.readline() for output in outputs] == ["Privacy notice\n"] * 3
        saved_at = time.monotonic()
        retitle(project, "title: Data notice")

        assert [output.readline() for output in outputs] == ["Data notice\n"] * 3
        assert time.monotonic() - saved_at < CROWDED
    finally:
        for watcher in watchers:
            watcher.communicate()


def test_a_process_that_was_forked_watches_for_itself(project: Path, live: Live) -> None:
    live.start()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        live.on_change(lambda found: os.write(writing, found.pages["/privacy/"].title.encode() + b"\n"))
        live.project  # noqa: B018  the first question begins the watch
        threading.Event().wait(20)
        os._exit(0)
    try:
        with os.fdopen(reading) as output:
            assert output.readline() == "Privacy notice\n"
            retitle(project, "title: Data notice")
            assert output.readline() == "Data notice\n"
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(writing)


def test_a_faulty_save_changes_nothing_and_is_named_once(project: Path, live: Live,
                                                         caplog: pytest.LogCaptureFixture) -> None:
    good = live.refresh()
    with caplog.at_level(logging.INFO, "handsel.offers"):
        retitle(project, "titel: Data notice")
        live.refresh()
        (project / "content" / "blog" / "first-post.md").touch()
        faulty = live.refresh()

        assert faulty.pages["/privacy/"] is good.pages["/privacy/"]
        assert caplog.messages == [
            "content/privacy.md:1: The page has no title. Add `title: …` to its front matter. (page-without-title)",
            "content/privacy.md:2: There is no key 'titel' here. Did you mean 'title'? (unknown-key)"]
        caplog.clear()
        retitle(project, "title: Data notice")
        live.refresh()

    assert caplog.messages == ["All files are without fault again."]


def test_of_several_processes_one_names_a_fault(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    one, other = Live(project), Live(project)
    one.refresh()
    other.refresh()
    retitle(project, "title: Data notice\ndraft: perhaps")
    with caplog.at_level(logging.WARNING, "handsel.offers"):
        one.refresh()
        other.refresh()

    assert caplog.messages == [
        "content/privacy.md:3: 'draft' needs yes or no. Write true or false. (wrong-type)"]


def test_a_process_that_starts_while_a_file_is_faulty_shows_what_was_last_good(project: Path) -> None:
    Live(project).refresh()
    retitle(project, "titel: Data notice")
    offer = project / "offers" / "guide" / "emails" / "02-stop.md"
    offer.write_text(offer.read_text().replace("5 days", "soon"))
    form = project / "forms" / "detailed.yml"
    form.write_text(form.read_text().replace("type: select", "type: selct"))

    found = Live(project).refresh()

    assert found.pages["/privacy/"].title == "Privacy notice"
    assert [letter.number for letter in found.offers["guide"].letters] == [0, 1, 2, 3]
    assert found.offers["guide"].asset is not None
    assert found.forms["detailed"].fields[6].type == "select"
    assert len(found.faults) == 4


def test_what_is_kept_follows_the_files(project: Path) -> None:
    live = Live(project)
    live.refresh()
    kept = project / "instance" / "good"
    retitle(project, "title: Data notice")
    (project / "content" / "blog" / "first-post.md").rename(project / "content" / "blog" / "second-post.md")
    for file in ("content/index.md", "offers/guide/emails/01-begin.md"):
        (project / file).write_text((project / file).read_text().replace("first-post", "second-post"))
    live.refresh()

    files = {str(path.relative_to(kept)): path.read_text() for path in kept.rglob("*") if path.is_file()}

    assert files == {str(path.relative_to(project)): path.read_text() for folder in ("content", "offers", "forms")
                     for path in (project / folder).rglob("*") if path.suffix in {".md", ".yml"}}


def test_a_folder_that_cannot_be_written_is_no_hindrance(project: Path) -> None:
    shutil.rmtree(project / "instance")
    (project / "instance").write_text("in the way")

    assert Live(project).refresh().faults == ()


def test_the_folder_is_looked_at_often_enough_for_a_second() -> None:
    assert PAUSE + SETTLE <= 0.5


def test_planned_changes_are_taken_up_when_their_time_has_come(project: Path, live: Live, tmp_path: Path) -> None:
    shift = tmp_path / "shift"
    handsel_clock.use(handsel_clock.ShiftedClock(shift))
    try:
        retitle(project, "title: Privacy notice\nunpublish_at: 2126-01-01")
        first = live.refresh()
        assert live.refresh() is first
        shift.write_text(str(100 * 366 * 86_400))

        assert live.refresh().next_change_at is None
    finally:
        handsel_clock.use(handsel_clock.system_now)


def test_one_part_that_fails_keeps_no_other_from_the_change(project: Path, live: Live,
                                                            caplog: pytest.LogCaptureFixture) -> None:
    def fail(found: Project) -> None:
        raise RuntimeError("a part that fails")

    live.on_change(fail)
    seen, _ = titles(live)
    live.refresh()

    assert seen == ["Privacy notice"]
    assert "A part of the program could not take up the changed files." in caplog.messages


def test_the_application_has_its_own_project(app: Flask) -> None:
    assert current() is app.extensions["handsel.offers"].project
    assert sorted(current().offers) == ["demo", "guide", "newsletter"]
