"""The printed editions: EPUB by us, PDF by WeasyPrint in a process of its own, kept under instance/books/."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from flask import Flask
from pypdf import PdfReader

from handsel.doctor import examine
from handsel.offers import editions
from handsel.worker.books import LEFT_OUT, bind
from support import on_sqlite
from support.books import PIXEL, edition, write_guide

pytestmark = on_sqlite
XHTML = "{http://www.w3.org/1999/xhtml}"


def refresh(app: Flask) -> None:
    app.extensions["handsel.offers"].refresh()


def test_the_epub_holds_every_chapter_as_xml_in_the_order_of_its_contents(project: Path, app: Flask) -> None:
    write_guide(project)
    refresh(app)

    assert bind(app) == ["guide.epub", "guide.pdf"]

    with zipfile.ZipFile(edition(project, "epub")) as book:
        first = book.infolist()[0]
        assert (first.filename, first.compress_type, book.read("mimetype")) == (
            "mimetype", zipfile.ZIP_STORED, b"application/epub+zip")
        pages = {name: ElementTree.fromstring(book.read(name)) for name in book.namelist() if name.endswith(".xhtml")}
        package = ElementTree.fromstring(book.read("EPUB/book.opf"))
        assert book.read("EPUB/pictures/1.png") == PIXEL
    listed = [link.get("href") for link in pages["EPUB/nav.xhtml"].iter(f"{XHTML}a")]
    spine = [item.get("idref") for item in package.iter("{http://www.idpf.org/2007/opf}itemref")]
    assert listed == ["01-welcome.xhtml", "02-bill.xhtml"]
    assert spine == ["cover", "nav", "c-01-welcome", "c-02-bill"]
    welcome = "".join(pages["EPUB/01-welcome.xhtml"].itertext())
    assert "Before you begin: a word" in welcome
    assert "You need ten minutes & a chair." in welcome
    told = {element.tag.rpartition("}")[2]: element.text for element in package[0] if "dc/elements" in element.tag}
    assert (told["title"], told["creator"], told["language"], told["publisher"]) == (
        "The small guide", "Ada Quill", "en", app.extensions["handsel.offers"].project.site.name)


def test_the_checker_of_the_standard_finds_nothing_wrong_with_the_epub(project: Path, app: Flask) -> None:
    """Every block that a book may hold, footnotes, marks and odd letters among them."""
    folder = write_guide(project)
    (folder / "03-blöcke & more.md").unlink(missing_ok=True)
    (folder / "03-blocks.md").write_text((Path(__file__).parent / "every-block.md").read_text())
    refresh(app)
    bind(app)

    checked = subprocess.run(["java", "-jar", shutil.which("epubcheck") or "/usr/bin/epubcheck",
                              edition(project, "epub")], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 fatals / 0 errors / 0 warnings" in checked.stdout


def test_the_same_chapters_give_the_same_bytes(project: Path, app: Flask) -> None:
    write_guide(project)
    refresh(app)
    bind(app)
    first = {kind: edition(project, kind).read_bytes() for kind in ("epub", "pdf")}
    shutil.rmtree(project / "instance" / "books")

    bind(app)

    assert {kind: edition(project, kind).read_bytes() for kind in ("epub", "pdf")} == first


def test_the_pdf_has_a_cover_contents_with_page_numbers_running_heads_and_what_it_is(project: Path, app: Flask) -> None:
    write_guide(project)
    refresh(app)
    bind(app)

    book = PdfReader(edition(project, "pdf"))

    words = [page.extract_text() for page in book.pages]
    assert len(words) == 4
    assert {"Contents", "Before", "Read", "bill", "3", "4"} <= set(words[1].split()), "with the pages they begin on"
    assert "Chapter 1" in words[3]
    assert words[3].count("Read your bill") == 2, "as the heading and at the head of the page"
    assert book.metadata is not None
    assert (book.metadata.title, book.metadata.author) == ("The small guide", "Ada Quill")
    assert [entry.title for entry in book.outline if not isinstance(entry, list)] == [  # type: ignore[union-attr]
        "Contents", "Before you begin: a word", "Chapter 1Read your bill"]
    assert (edition(project, "pdf").parent / "pages").read_text() == "4"


def test_a_guide_is_printed_anew_only_when_it_changed_and_old_editions_go(project: Path, app: Flask) -> None:
    folder = write_guide(project, own_pdf=True)
    refresh(app)
    bind(app)
    assert bind(app) == []
    for number in range(4):
        (folder / "02-bill.md").write_text(f"# Bill\n\n## The unit\n\nEdition {number}.\n")
        refresh(app)
        assert bind(app) == ["guide.epub"]

    assert len(list((project / "instance" / "books" / "guide").glob("*/book.epub"))) == 3


def test_a_finished_pdf_beside_the_chapters_is_given_instead_of_a_printed_one(project: Path, app: Flask) -> None:
    write_guide(project, own_pdf=True)
    refresh(app)

    assert bind(app) == ["guide.epub"]

    offer = app.extensions["handsel.offers"].project.offers["guide"]
    site = app.extensions["handsel.offers"].project.site
    found = editions.find(project / "instance", project, site, offer, "http://localhost")
    assert found.files["pdf"].path == project / "offers" / "guide" / "guide.pdf"
    assert (found.files["pdf"].pages, found.making) == (2, ())


def test_without_weasyprint_the_epub_is_printed_and_the_pdf_is_left_out_and_named(
        project: Path, app: Flask, caplog: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_guide(project)
    refresh(app)
    missing = tmp_path / "without" / "weasyprint"
    missing.mkdir(parents=True)
    (missing / "__init__.py").write_text("raise OSError('cannot load library libpango-1.0-0')\n")
    monkeypatch.setenv("PYTHONPATH", str(missing.parent))

    assert bind(app) == ["guide.epub"]

    assert LEFT_OUT % "guide" in caplog.text
    offer, site = (app.extensions["handsel.offers"].project.offers["guide"],
                   app.extensions["handsel.offers"].project.site)
    found = editions.find(project / "instance", project, site, offer, "http://localhost")
    assert (list(found.files), found.making) == (["epub"], ())
    assert bind(app) == [], "not tried again and again"
    monkeypatch.delenv("PYTHONPATH")
    assert bind(app, anew=True) == ["guide.pdf"], "tried again when the worker starts anew"


def test_doctor_has_nothing_to_say_where_pdfs_can_be_printed(project: Path, app: Flask) -> None:
    write_guide(project)
    refresh(app)

    assert [finding for finding in examine(app) if finding.where == "guides"] == []


def test_the_printer_reads_nothing_but_the_pictures_of_the_book(project: Path, app: Flask, tmp_path: Path) -> None:
    secret = tmp_path / "secret.svg"
    secret.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="9">hush-hush</text></svg>')
    folder = write_guide(project)
    drawing = ('<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="99" '
               'height="99">{}<text y="20">seen</text></svg>')
    (folder / "meter.svg").write_text(drawing.format(""))
    (folder / "02-bill.md").write_text("# Bill\n\nWords.\n\n![A meter](meter.svg)\n")
    refresh(app)
    # Changed after it was checked, so that only the printer itself stands in the way.
    (folder / "meter.svg").write_text(drawing.format(f'<image xlink:href="{secret.as_uri()}" width="99" height="99"/>'))

    bind(app)

    words = "".join(page.extract_text() for page in PdfReader(edition(project, "pdf")).pages)
    assert "seen" in words
    assert "hush-hush" not in words
