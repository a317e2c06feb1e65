"""The file that an offer gives, and which files beside it everyone may see."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from handsel.offers.library import Asset, even_split
from handsel.offers.project import read


def test_an_asset_is_measured(project: Path) -> None:
    data = (project / "offers" / "guide" / "guide.pdf").read_bytes()

    assert read(project).offers["guide"].asset == Asset(
        "offers/guide/guide.pdf", "guide.pdf", "application/pdf", len(data), hashlib.sha256(data).hexdigest(), 2)


def test_the_pages_of_a_packed_pdf_are_counted(project: Path) -> None:
    from pypdf import PdfReader
    from weasyprint import HTML

    file = project / "offers" / "guide" / "guide.pdf"
    text = "".join(f"<h1 style='break-before:page'>{n}</h1>" for n in range(23))
    HTML(string=f"<p>Cover</p>{text}").write_pdf(file, full_fonts=False, uncompressed_pdf=False)

    asset = read(project).offers["guide"].asset

    assert asset is not None
    assert asset.pages == len(PdfReader(file).pages)


@pytest.mark.parametrize(("name", "media_type"), [("a.epub", "application/epub+zip"), ("a.zip", "application/zip"),
                                                  ("a.unheard-of", "application/octet-stream")])
def test_other_files_have_no_pages(project: Path, name: str, media_type: str) -> None:
    (project / "offers" / "guide" / name).write_bytes(b"PK")
    offer = project / "offers" / "guide" / "offer.md"
    offer.write_text(offer.read_text().replace("asset: guide.pdf", f"asset: {name}"))

    asset = read(project).offers["guide"].asset

    assert asset is not None
    assert (asset.media_type, asset.pages) == (media_type, None)


@pytest.mark.parametrize("name", ["../../content/privacy.md", "/etc/passwd", "../demo/offer.md"])
def test_an_asset_lies_beside_its_offer(project: Path, name: str) -> None:
    offer = project / "offers" / "guide" / "offer.md"
    offer.write_text(offer.read_text().replace("asset: guide.pdf", f"asset: {name}"))

    found = read(project)

    assert [fault.kind for fault in found.faults] == ["missing-asset"]
    assert found.offers["guide"].asset is None


def test_of_the_files_beside_an_offer_only_pictures_that_its_pages_show_are_public(project: Path) -> None:
    folder = project / "offers" / "guide"
    for name in ("shown.png", "not-shown.png", "notes.txt"):
        (folder / name).write_bytes((project / "content" / "images" / "ticket.png").read_bytes())
    thanks = folder / "thanks.md"
    thanks.write_text(thanks.read_text() + "\n![The guide on a table](shown.png)\n")

    found = read(project)

    assert found.faults == ()
    assert found.assets == {"/images/ticket.png": "content/images/ticket.png",
                            "/offers/guide/files/shown.png": "offers/guide/shown.png"}


def test_an_even_split_adds_up() -> None:
    assert even_split(["a", "b", "c"]) == {"a": 34, "b": 33, "c": 33}
