"""The file that an offer gives: found beside it, measured, and never anything from outside the project."""

from __future__ import annotations

import hashlib
import mimetypes
import re
import zlib
from dataclasses import replace
from functools import partial
from pathlib import Path

from handsel.content.files import Tree
from handsel.content.library import Read, Reading
from handsel.errors import Fault, nearest
from handsel.offers.book import is_book, read_book
from handsel.offers.codes import read_codes
from handsel.offers.library import Asset
from handsel.offers.schema import OfferMeta

MOST_BYTES_FOR_PAGES = 64 * 1024 * 1024  # above this the pages of a PDF are not counted
MOST_INFLATED = 8 * 1024 * 1024
MEDIA_TYPES = {".epub": "application/epub+zip", ".webp": "image/webp", ".avif": "image/avif", ".md": "text/markdown",
               ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
               ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
               ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation"}

_PAGES = re.compile(rb"/Type\s*/Pages\b[^>]*?/Count\s+(\d{1,6})|/Count\s+(\d{1,6})[^>]*?/Type\s*/Pages\b", re.S)
_OBJECTS = re.compile(rb"/Type\s*/ObjStm\b[^>]{0,200}>>\s*stream\r?\n", re.S)


def read_asset(reading: Reading, offer: Read[OfferMeta], folder: str, name: str) -> Read[Asset]:
    """The file ``name`` of the offer's folder, or why there is none."""
    tree, file = reading.tree, f"{folder}/{name}"
    if ".." in name.split("/") or name.startswith("/"):
        return Read(file, None, (offer.fault(("asset",), "missing-asset", f"'{name[:80]}' is not beside the offer.",
                                             "Put the file into the offer's folder and write its name alone."),))
    if is_book(reading, folder, name):
        return _guide(reading, offer, folder, name)
    if file not in tree.stamps:
        return Read(file, None, (_missing(tree, offer, folder, name),))
    if tree.stamps[file][1] == 0:
        return Read(file, None, (offer.fault(("asset",), "empty-asset", f"The file '{name}' is empty.",
                                             "Put the finished file in its place."),))
    if offer.value is not None and offer.value.kind == "coupon" and name.lower().endswith(".csv"):
        return reading.once(file, partial(_codes, tree), "codes")
    return reading.once(file, partial(_measure, tree))


def _codes(tree: Tree, file: str) -> Read[Asset]:
    """A list of codes."""
    codes, faults = read_codes(tree, file)
    measured = _measure(tree, file).value
    asset = replace(measured, codes=codes) if measured and codes else None
    return Read(file, asset, tuple(faults))


def _guide(reading: Reading, offer: Read[OfferMeta], folder: str, name: str) -> Read[Asset]:
    """A guide that we print, and the finished PDF beside it if there is one."""
    book, faults = read_book(reading, offer, folder, name)
    plain = name.rstrip("/").removesuffix(".md")
    file, own = f"{folder}/{name.rstrip('/')}", f"{folder}/{plain}.pdf"
    if book is None:
        return Read(file, None, tuple(faults))
    if own in reading.tree.stamps and reading.tree.stamps[own][1]:
        book = replace(book, pdf=reading.once(own, partial(_measure, reading.tree)).value)
    return Read(file, Asset(file, plain, "text/html", 0, book.digest, None, book), tuple(faults))


def _missing(tree: Tree, offer: Read[OfferMeta], folder: str, name: str) -> Fault:
    files = [file.removeprefix(f"{folder}/") for file in tree.of("offers") if file.startswith(f"{folder}/")]
    if any(file.startswith(name.rstrip("/") + "/") for file in files):
        return offer.fault(("asset",), "asset-is-a-folder", f"'{name}' is a folder.",
                           "Name one file in it, such as the finished PDF.")
    known = [file for file in files if not file.endswith((".md", ".yml"))]
    return offer.fault(("asset",), "missing-asset", f"The file '{name[:80]}' is not in {folder}/.",
                       nearest(name, known) or "Put it there, or delete the line.")


def _measure(tree: Tree, file: str) -> Read[Asset]:
    path = tree.path(file)
    try:
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        fault = Fault(file, 0, "unreadable-file", f"The file cannot be read: {error.strerror}.",
                      "Give the user that runs Handsel the right to read it.")
        return Read(file, None, (fault,))
    name, size = path.name, tree.stamps[file][1]
    media_type = MEDIA_TYPES.get(path.suffix.lower()) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    pages = _pages(path, size) if media_type == "application/pdf" else None
    return Read(file, Asset(file, name, media_type, size, digest, pages))


def _pages(path: Path, size: int) -> int | None:
    """How many pages the PDF has, as its own page tree says; None if it does not say so plainly."""
    if size > MOST_BYTES_FOR_PAGES:
        return None
    data = path.read_bytes()
    counts = _counts(data)
    for stream in _OBJECTS.finditer(data):
        try:
            counts += _counts(zlib.decompressobj().decompress(data[stream.end():], MOST_INFLATED))
        except zlib.error:
            continue
    return max(counts, default=None)


def _counts(data: bytes) -> list[int]:
    return [int(found[1] or found[2]) for found in _PAGES.finditer(data)]
