"""A guide as it is read from its files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from handsel.offers.book import Book, Shelf, html
from handsel.offers.library import Offer
from handsel.offers.project import Project, read
from support.books import write_guide

REPOSITORY = Path(__file__).parents[2]
SHELF = Shelf(lambda path: f"p/{path.rpartition('/')[2]}", lambda chapter, place: f"{chapter.name}.x#{place}", "https://s")


def guide_of(project: Project) -> tuple[Offer, Book]:
    offer = project.offers["guide"]
    assert offer.asset is not None
    assert offer.asset.book is not None
    return offer, offer.asset.book


def test_chapters_come_in_the_order_of_their_numbers_with_titles_as_plain_text(project: Path) -> None:
    write_guide(project)

    found = read(project)

    assert found.faults == ()
    assert [(chapter.name, chapter.number, chapter.title) for chapter in guide_of(found)[1].chapters] == [
        ("01-welcome", None, "Before you begin: a word"), ("02-bill", 1, "Read your bill")]


def test_one_text_is_a_guide_of_one_chapter(project: Path) -> None:
    folder = project / "offers" / "guide"
    (folder / "tips.md").write_text("# Tips\n\nSit down.\n")
    (folder / "offer.md").write_text((folder / "offer.md").read_text().replace("guide.pdf", "tips.md"))

    found = read(project)

    assert found.faults == ()
    assert [chapter.title for chapter in guide_of(found)[1].chapters] == ["Tips"]


def test_links_pictures_and_places_are_where_the_edition_keeps_them(project: Path) -> None:
    write_guide(project)
    book = guide_of(read(project))[1]

    welcome, bill = (html(book, chapter, SHELF) for chapter in book.chapters)

    assert 'href="02-bill.x#c-02-bill-the-unit"' in welcome
    assert 'href="https://s/blog/first-post/"' in welcome
    assert '<h2 id="c-02-bill-the-unit">' in bill
    assert '<img src="p/meter.png" alt="A meter on a wall">' in bill
    assert "<caption>What things cost.</caption>" in bill
    assert '<li class="task">☐ I have read the meter</li>' in bill
    assert 'id="c-02-bill-fn-1"' in bill
    assert 'href="02-bill.x#c-02-bill-fn-1"' in bill


def test_any_changed_file_makes_it_another_guide(project: Path) -> None:
    folder = write_guide(project)
    first = guide_of(read(project))[1].digest
    (folder / "meter.png").write_bytes((folder / "meter.png").read_bytes() + b"\0")
    second = guide_of(read(project))[1].digest
    (folder / "02-bill.md").write_text((folder / "02-bill.md").read_text().replace("four", "five"))
    third = guide_of(read(project))[1].digest

    assert len({first, second, third}) == 3
    assert guide_of(read(project))[1].digest == third


def test_a_faulty_chapter_keeps_the_guide_as_it_was(project: Path) -> None:
    folder = write_guide(project)
    before = read(project)
    (folder / "02-bill.md").write_text("## The unit\n\nWords.\n")

    after = read(project, before)

    assert [fault.kind for fault in after.faults] == ["chapter-without-title"]
    assert guide_of(after)[1] == guide_of(before)[1]


def test_what_authors_write_in_a_chapter_cannot_run(project: Path) -> None:
    folder = write_guide(project)
    (folder / "02-bill.md").write_text(
        '# Bill\n\n<script>alert(1)</script><img src="meter.png" onerror="x()" alt="A meter"> '
        '[a](javascript:x) <svg onload="x()"></svg> words\n')

    book = guide_of(read(project))[1]
    words = html(book, book.chapters[1], SHELF)

    assert not {"script", "onerror", "onload", "javascript"} & set(words.replace("=", " ").replace(":", " ").split())
    assert "<script" not in words


@pytest.mark.parametrize("command", ["check", "doctor"])
def test_check_and_doctor_say_what_to_install(project: Path, tmp_path: Path, command: str) -> None:
    write_guide(project)
    missing = tmp_path / "without" / "weasyprint"
    missing.mkdir(parents=True)
    (missing / "__init__.py").write_text("raise OSError('cannot load library libpango-1.0-0')\n")

    around = os.environ | {"PYTHONPATH": str(missing.parent)}
    if command == "doctor":
        subprocess.run([sys.executable, "-m", "handsel", "db", "upgrade"], cwd=project, env=around, check=True)

    told = subprocess.run([sys.executable, "-m", "handsel", command], cwd=project, capture_output=True, text=True,
                          env=around, check=False)

    assert "WeasyPrint lacks a library of the system (cannot load library libpango-1.0-0)" in told.stdout
    assert "apt-get install libpango-1.0-0 libpangoft2-1.0-0" in told.stdout
    if command == "check":
        assert told.returncode == 0, told.stdout


def test_the_samples_guide_has_its_twelve_numbered_chapters() -> None:
    offer = read(REPOSITORY).offers["home-energy-guide"]

    assert offer.asset is not None
    assert offer.asset.book is not None
    assert [chapter.number for chapter in offer.asset.book.chapters] == [None, *range(1, 13), None]
    assert offer.asset.book.pdf is not None
    assert offer.asset.book.pdf.pages == 20
