"""What is wrong with the look that the settings ask for: the font of headings, logos that do not belong together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from handsel.content import woff2
from handsel.content.files import Tree
from handsel.content.library import Read
from handsel.content.parse import Broken
from handsel.content.schema import THEME_FOLDER, SiteSettings
from handsel.errors import Fault, nearest


def look_faults(tree: Tree, read: Read[SiteSettings]) -> Iterator[Fault]:
    """The faults of ``theme:`` that need a look at other files."""
    if read.value is None:
        return
    theme = read.value.theme
    if theme.logo_dark and not theme.logo:
        yield read.fault(("theme", "logo_dark"), "dark-logo-alone", "The logo for the dark stands alone.",
                         "Add `logo: …`, or call this one `logo`.")
    if theme.font_file:
        yield from _font_faults(tree, read, theme.font_file)


def _font_faults(tree: Tree, read: Read[SiteSettings], file: str) -> Iterator[Fault]:
    place, name = ("theme", "headings"), PurePath(file).name
    if file not in tree.stamps:
        fonts = [PurePath(found).name for found in tree.of("content")
                 if found.startswith(f"{THEME_FOLDER}/") and found.endswith(".woff2")]
        yield read.fault(place, "missing-font", f"There is no font {file}.",
                         nearest(name, fonts) or f"Put it into {THEME_FOLDER}/.")
        return
    size = tree.stamps[file][1]
    if size > woff2.LARGEST:
        yield read.fault(place, "oversized-font",
                         f"The font {name} has {size:,} bytes; a page takes {woff2.LARGEST:,}.",
                         "Make a subset of it with the letters that your headings use.")
        return
    try:
        woff2.read(tree.read(file))
    except ValueError as error:
        yield read.fault(place, "bad-font", f"The file {name} {error}.",
                         "Save the font as WOFF2: one font, not a collection.")
    except Broken as broken:
        yield broken.fault
