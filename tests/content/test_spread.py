"""Helpers on other cores bring the same pages, or none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from handsel.content import spread
from handsel.content.files import Memo, scan
from handsel.content.library import Reading, read_pages
from handsel.content.schema import SiteSettings
from handsel.offers.project import read

SITE = SiteSettings(name="Little Press", timezone="Europe/London")


@pytest.fixture
def many(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with enough pages for two helpers, some of them faulty."""
    monkeypatch.setattr(spread, "WORTH", 10)
    monkeypatch.setattr(spread.os, "sched_getaffinity", lambda process: {0, 1, 2})
    for number in range(30):
        key = "titel" if number % 10 == 7 else "title"
        (project / "content" / "blog" / f"post-{number}.md").write_text(
            f"---\n{key}: Post {number}\ndate: 2026-03-{1 + number % 28:02} 09:00\n---\n"
            "/// note | One\n\nWords.\n///\n")
    return project


def test_helpers_bring_the_same_pages_as_reading_them_here(many: Path) -> None:
    with_helpers = Reading(scan(many), Memo(), SITE)
    alone = Reading(scan(many), Memo(), SITE)

    assert spread.read_all_pages(with_helpers) == read_pages(alone)


def test_helpers_that_fail_are_no_loss(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = read_pages(Reading(scan(many), Memo(), SITE))
    for program in ("/bin/false", "/bin/echo", "/nowhere/python"):
        monkeypatch.setattr(sys, "executable", program)

        assert spread.read_all_pages(Reading(scan(many), Memo(), SITE)) == alone


def test_nothing_is_read_by_helpers_that_was_read_before(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read(many)
    (many / "content" / "blog" / "post-3.md").write_text("---\ntitle: Another\n---\nWords.\n")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    second = read(many, first)

    assert second.pages["/blog/post-3/"].title == "Another"
    assert second.pages["/blog/post-4/"] is first.pages["/blog/post-4/"]
