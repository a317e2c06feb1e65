"""Starting, stopping and shipping a test of landing pages, as changes of files; nothing is written here."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from handsel.errors import HandselError, nearest
from handsel.offers.library import CONTROL, Offer
from handsel.offers.project import Project
from handsel.offers.writing import Change, edited, unwritable

RETIRED = "retired"
"""The folder beside ``offer.md`` for landing pages that were replaced: never served, never a fault."""


def offer_of(project: Project, slug: str) -> Offer:
    """The offer of that slug, by its present or a former one. Raises HandselError."""
    found = project.offer(slug)
    if found is None:
        raise HandselError(f"offers/{slug}", "There is no such offer.", nearest(slug, project.offers))
    return found


def started(project: Project, offer: Offer, block: Mapping[str, Any]) -> list[Change]:
    """The changes that start a test: ``offer.md`` gets its ``experiment`` block."""
    return [_edit(project, offer, block)]


def stopped(project: Project, offer: Offer) -> list[Change]:
    """The changes that end a test without shipping: the block goes, the challengers stay and are not shown."""
    return [_edit(project, offer, None)]


def shipped(project: Project, offer: Offer, variant: str, on: date) -> list[Change]:
    """The changes that put ``variant`` in the place of the control.

    The old pages are kept first, then the test ends (everybody sees the control), then the winner takes its place: so
    whoever looks at the folder between two of them finds a whole offer.
    """
    root, folder = project.past.tree.root, f"offers/{offer.slug}"
    page_file(offer, variant)
    pages = {name: page_file(offer, name) for name in offer.shown}  # a draft waits for another test
    texts = {name: _read(root, file) for name, file in pages.items()}
    kept = [Change(_free(root, folder, file.rsplit("/", 1)[1], on), None, texts[name])
            for name, file in pages.items() if name != variant]
    gone = [Change(file, texts[name], None) for name, file in pages.items() if name != CONTROL]
    return [*kept, *stopped(project, offer), Change(pages[CONTROL], texts[CONTROL], texts[variant]), *gone]


def page_file(offer: Offer, variant: str) -> str:
    """The file of that variant's landing page, by its path from the project's root. Raises HandselError."""
    page = offer.variants.get(variant)
    if page is None:
        raise HandselError(f"offers/{offer.slug}", f"There is no variant '{variant[:20]}'.",
                           nearest(variant, offer.variants))
    return page.file


def diff(project: Project, offer: Offer, variant: str) -> list[str]:
    """What changes for visitors when ``variant`` takes the place of the control, as lines of a unified diff."""
    root, old, new = project.past.tree.root, page_file(offer, CONTROL), page_file(offer, variant)
    before, after = (_read(root, file).decode("utf-8", "replace").splitlines() for file in (old, new))
    return list(difflib.unified_diff(before, after, old, new, lineterm="", n=2))


def _edit(project: Project, offer: Offer, block: Mapping[str, Any] | None) -> Change:
    file = f"offers/{offer.slug}/offer.md"
    before = _read(project.past.tree.root, file)
    return Change(file, before, edited(file, before, block))


def _read(root: Path, file: str) -> bytes:
    try:
        return (root / file).read_bytes()
    except OSError as error:
        raise unwritable(file, error) from error


def _free(root: Path, folder: str, name: str, on: date) -> str:
    """A name in the folder of retired pages that is not taken: ``retired/2026-11-22-landing.md``."""
    number = 1
    while True:
        file = f"{folder}/{RETIRED}/{on}-{name.removesuffix('.md')}{f'-{number}' if number > 1 else ''}.md"
        if not (root / file).exists():
            return file
        number += 1
