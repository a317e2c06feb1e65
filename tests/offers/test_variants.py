"""Pages under test: what pauses a test, what is told of a page that changes, and what goes on all the same."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from factories import make_experiment
from handsel.cli import group
from handsel.offers.live import Live
from handsel.offers.project import read

SPLIT = "  split: {a: 50, b: 50}\n"


@pytest.fixture
def folder(project: Path) -> Path:
    return project / "offers" / "guide"


@pytest.fixture
def live(project: Path) -> Iterator[Live]:
    live = Live(project)
    live.refresh()
    yield live
    live.close()


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


# --- a page that vanishes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", [SPLIT, ""])
def test_a_vanished_variant_leaves_the_control_to_everybody_and_the_rest_of_the_offer_live(
        live: Live, folder: Path, split: str) -> None:
    change(folder / "offer.md", SPLIT, split)
    assert live.refresh().offers["guide"].runs
    (folder / "landing.b.md").unlink()
    change(folder / "thanks.md", "title: ", "title: New ")

    offer = live.refresh().offers["guide"]

    assert (offer.split, offer.paused, offer.runs) == ({"a": 100}, True, False)
    assert (sorted(offer.variants), offer.thanks.title[:4]) == (["a"], "New ")
    assert [fault.kind for fault in live.project.faults] == ["experiment-without-challenger"]


def test_of_three_variants_one_that_vanishes_pauses_all(live: Live, folder: Path) -> None:
    (folder / "landing.c.md").write_text((folder / "landing.b.md").read_text() + "\nMore.\n")
    change(folder / "offer.md", "a: 50, b: 50", "a: 40, b: 30, c: 30")
    assert live.refresh().offers["guide"].runs
    (folder / "landing.c.md").unlink()

    offer = live.refresh().offers["guide"]

    assert (offer.split, offer.gone, [fault.kind for fault in live.project.faults]) == (
        {"a": 100}, ("c",), ["unknown-variant"])


def test_a_variant_that_becomes_a_draft_pauses_the_test(live: Live, folder: Path) -> None:
    change(folder / "landing.b.md", "label:", "draft: true\nlabel:")

    assert (live.refresh().offers["guide"].split, live.project.offers["guide"].gone) == ({"a": 100}, ("b",))


def test_a_resting_variant_that_vanishes_is_named_and_the_test_goes_on(live: Live, folder: Path) -> None:
    change(folder / "offer.md", "b: 50}", "b: 50, c: 0}")

    assert live.refresh().offers["guide"].split == {"a": 50, "b": 50}
    assert [fault.kind for fault in live.project.faults] == ["unknown-variant"]


def test_a_variant_that_comes_back_is_shown_again(live: Live, folder: Path) -> None:
    text = (folder / "landing.b.md").read_text()
    (folder / "landing.b.md").unlink()
    live.refresh()
    (folder / "landing.b.md").write_text(text)

    assert (live.refresh().offers["guide"].split, live.project.faults) == ({"a": 50, "b": 50}, ())


def test_an_offer_kept_as_it_was_because_of_another_fault_does_not_show_what_vanished(project: Path, live: Live,
                                                                                      folder: Path) -> None:
    change(folder / "thanks.md", "title:", "titel:")
    (folder / "landing.b.md").unlink()

    offer = live.refresh().offers["guide"]
    again = Live(project)
    after_a_start = again.refresh().offers["guide"]
    again.close()

    assert (offer.split, after_a_start.split) == ({"a": 100}, {"a": 100})
    assert (offer.thanks, after_a_start.thanks.title) == (live.project.offers["guide"].thanks, offer.thanks.title)


def test_a_variant_that_breaks_stays_as_it_was_and_its_test_goes_on(live: Live, folder: Path) -> None:
    page = live.project.offers["guide"].variants["b"]
    change(folder / "landing.b.md", "title:", "titel:")

    assert live.refresh().offers["guide"].variants["b"] is page
    assert live.project.offers["guide"].split == {"a": 50, "b": 50}


def test_a_control_that_vanishes_stays_as_it_was(live: Live, folder: Path) -> None:
    page = live.project.offers["guide"].control
    (folder / "landing.md").unlink()

    assert live.refresh().offers["guide"].control is page
    assert [fault.kind for fault in live.project.faults] == ["variant-without-control"]


def test_nobody_gets_the_vanished_page(client: FlaskClient, app: Flask, folder: Path) -> None:
    agents = [f"Mozilla/5.0 (X11; Linux x86_64; rv:{number}.0) Gecko/20100101 Firefox/{number}.0"
              for number in range(80, 120)]

    def seen() -> set[bool]:
        return {b"Two pages" in client.get("/offers/guide/", headers={"User-Agent": agent}).data for agent in agents}

    assert seen() == {True, False}
    (folder / "landing.b.md").unlink()
    app.extensions["handsel.offers"].refresh()

    assert seen() == {False}


# --- no test ----------------------------------------------------------------------------------------------------------


def test_a_copied_page_changes_nothing_until_a_test_is_started(live: Live, folder: Path) -> None:
    demo = folder.parent / "demo"
    shutil.copy(demo / "landing.md", demo / "landing.b.md")

    assert (live.refresh().offers["demo"].split, live.project.faults) == ({"a": 100}, ())
    assert [str(notice) for notice in live.project.notices] == [
        "offers/demo/landing.b.md: Nobody sees this page until a test of it is started. "
        "Start it: handsel experiment start demo"]


def test_retired_pages_are_neither_served_nor_a_fault(client: FlaskClient, project: Path, folder: Path) -> None:
    (folder / "retired").mkdir()
    shutil.copy(folder / "landing.md", folder / "retired" / "2026-03-02-landing.md")
    found = read(project)

    assert (found.faults, found.notices, sorted(found.offers["guide"].variants)) == ((), (), ["a", "b"])
    for path in ("/offers/guide/retired/2026-03-02-landing.md", "/offers/guide/files/retired/2026-03-02-landing.md",
                 "/offers/guide/retired/"):
        assert client.get(path).status_code == 404


# --- a page that changes ----------------------------------------------------------------------------------------------


def test_a_digest_changes_with_what_visitors_see_and_with_nothing_else(live: Live, folder: Path) -> None:
    first = live.project.offers["guide"].digests
    change(folder / "landing.b.md", "label: How short it is", "label: Short  # a name for the desk")
    (folder / "landing.b.md").write_bytes((folder / "landing.b.md").read_bytes().replace(b"\n", b"\r\n") + b"\r\n \r\n")
    assert live.refresh().offers["guide"].digests == first

    change(folder / "landing.b.md", "Ten minutes", "Nine minutes")

    now = live.refresh().offers["guide"].digests
    assert (now["a"] == first["a"], now["b"] == first["b"]) == (True, False)


def test_a_digest_changes_with_a_picture_beside_the_page(live: Live, folder: Path) -> None:
    (folder / "bea.png").write_bytes(b"one picture")
    (folder / "landing.b.md").write_text((folder / "landing.b.md").read_text() + "\n![Bea reads](bea.png)\n")
    before = live.refresh().offers["guide"].digests
    (folder / "bea.png").write_bytes(b"another one")

    now = live.refresh().offers["guide"].digests
    assert (now["a"] == before["a"], now["b"] == before["b"]) == (True, False)


def test_a_page_that_changes_under_its_test_is_told_in_the_log_once(live: Live, project: Path, folder: Path,
                                                                    caplog: pytest.LogCaptureFixture) -> None:
    other = Live(project)
    other.refresh()
    with caplog.at_level(logging.WARNING, "handsel.offers"):
        change(folder / "landing.b.md", "Ten minutes", "Nine minutes")
        live.refresh()
        other.refresh()
        change(folder / "thanks.md", "title: ", "title: New ")
        live.refresh()
    other.close()

    assert [record.getMessage() for record in caplog.records] == [
        "offers/guide/landing.b.md: The page changed while its test runs: what was counted before belongs to another "
        "page. After more than a slip of the pen, stop the test and start it anew: handsel experiment stop guide "
        "(running-variant-changed)"]


@pytest.mark.parametrize("told", [(), ({"kind": "version", "detail": "b"},)])
def test_check_tells_of_a_page_that_changed_since_the_start_and_does_not_fail(
        app: Flask, project: Path, engine_url: str, told: tuple[dict[str, str], ...]) -> None:
    digests = read(project).offers["guide"].digests
    versions = digests if told else digests | {"b": "0" * 64}
    make_experiment(events=told, versions=versions)

    said = checked(project, engine_url)

    assert (said["ok"], [(notice["where"], notice["kind"]) for notice in said["notices"]]) == (
        True, [("offers/guide/landing.b.md", "running-variant-changed")])


def test_check_tells_of_a_page_that_vanished_from_its_test_though_the_files_alone_look_whole(
        app: Flask, project: Path, engine_url: str, folder: Path) -> None:
    make_experiment({"a": (10, 1), "b": (10, 1), "c": (10, 1)}, versions={})
    change(folder / "offer.md", SPLIT, "")

    said = checked(project, engine_url)

    assert [(fault["where"], fault["kind"]) for fault in said["faults"]] == [
        ("offers/guide/landing.c.md", "running-variant-gone")]


@pytest.mark.parametrize("url", ["postgresql+psycopg://nobody@127.0.0.1:1/none", "sqlite:////nowhere/at/all.db", ""])
def test_check_does_without_a_database(project: Path, url: str) -> None:
    (project / "instance" / "handsel.db").write_bytes(b"no database")

    assert checked(project, url)["ok"]


def checked(project: Path, url: str) -> dict[str, list[dict[str, str]]]:
    """What `handsel check --json` says of the project with that database."""
    said = CliRunner().invoke(group, ["--project", str(project), "check", "--json"], env={"HANDSEL_DATABASE_URL": url})
    found: dict[str, list[dict[str, str]]] = json.loads(said.output)
    return found
