"""Pages that say they are the same in different languages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from handsel.content.library import Page, Read
from handsel.errors import Fault


def translation_faults(pages: Iterable[tuple[str, Read[Page]]], language: str) -> Iterator[tuple[str, Fault]]:
    """Two pages that both claim to be the same in one language: (unit, fault). ``language`` is the site's own."""
    first: dict[tuple[str, str], str] = {}
    for unit, read in pages:
        page = read.value
        if page is None or not page.meta.translation_key or page.meta.draft:
            continue
        key = (page.meta.translation_key, page.meta.lang or language)
        other = first.setdefault(key, read.file)
        if other != read.file:
            yield unit, read.fault(("translation_key",), "duplicate-translation",
                                   f"{other} is already the page '{key[0]}' in the language {key[1]}.",
                                   "Set `lang: …` to the language of this page, or give it another key.")
