"""All that was read of a project, before anything is chosen to be shown."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from handsel.content.files import Tree
from handsel.content.library import Page, Read, Reading, address, assets
from handsel.content.schema import SiteSettings
from handsel.forms.library import CaptureForm
from handsel.offers.library import Letter
from handsel.offers.read import IMAGES, Folder

MADE = frozenset({"/feed.xml", "/sitemap.xml", "/robots.txt", "/favicon.svg", "/favicon.ico", "/desk/"})
"""Addresses that the program answers in every project."""


@dataclass(frozen=True)
class World:
    """All that was read, before anything is chosen to be shown."""

    reading: Reading
    at: datetime
    site_read: Read[SiteSettings]
    forms: dict[str, Read[CaptureForm]]
    pages: dict[str, Read[Page]]
    folders: dict[str, Folder]
    mails: dict[str, Read[Letter]]
    rules: dict[str, Read[Any]]
    """The files of rules on leads, by their name in the rulebook."""
    by_path: dict[str, Read[Page]] = field(default_factory=dict)
    """Pages by address; of two with the same address the first."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Each alias with the address it leads to; of two the first."""

    @property
    def site(self) -> SiteSettings:
        """The settings that hold."""
        return self.reading.site

    @property
    def tree(self) -> Tree:
        """The files that were read."""
        return self.reading.tree

    def lacks(self, name: str, known: Iterable[str]) -> bool:
        """Whether ``name`` is certainly not among the authors or topics of the settings."""
        return self.reading.settled and name not in known

    @cached_property
    def assets(self) -> dict[str, str]:
        """The public files of ``content/`` by their address."""
        return assets(self.tree)

    @cached_property
    def written(self) -> set[str]:
        """The addresses of all pages, those included that cannot be read now: their own faults say enough."""
        return set(map(address, self.pages))

    @cached_property
    def made(self) -> set[str]:
        """Addresses that the program makes out of what there is: archives and lists of tags."""
        made = set(MADE)
        if any(path.startswith("/blog/") for path in self.written):
            made.add("/blog/")
        for read in self.by_path.values():
            if read.value and read.value.layout == "post" and not read.value.meta.draft:
                made.update({"/blog/", *(f"/blog/tags/{tag}/" for tag in read.value.meta.tags)})
                made.update({"/blog/tags/"} if read.value.meta.tags else ())
        return made

    def knows(self, path: str) -> bool:
        """Whether something answers at that address."""
        if path in self.written or path in self.assets or path in self.made or path in self.aliases:
            return True
        if path.startswith("/offers/"):
            return self._knows_offer(path)
        return path.startswith(("/desk/", "/static/"))

    def _knows_offer(self, path: str) -> bool:
        slug, _, rest = path.removeprefix("/offers/").partition("/")
        if slug not in self.folders:
            return False
        name = rest.removeprefix("files/")
        return path.endswith("/") if not rest else name != rest and f"offers/{slug}/{name}" in self.tree.stamps

    def paths(self) -> Iterator[str]:
        """Every address that a link could mean."""
        yield from self.by_path
        yield from (f"/offers/{slug}/" for slug in self.folders)
        yield from self.assets
        for file in self.tree.of("offers"):
            if file.lower().endswith(IMAGES) and file.count("/") > 1:
                yield beside(file, file.split("/", 2)[2])


def beside(file: str, name: str) -> str:
    """The address of a picture that lies beside the Markdown file which names it."""
    folder, _, _ = file.rpartition("/")
    if folder.startswith("offers/"):
        slug = folder.split("/")[1]
        return posixpath.normpath(f"/offers/{slug}/files/{name}")
    return posixpath.normpath(f"/{folder.removeprefix('content').strip('/')}/{name}")
