"""Pages: every Markdown file of ``content/``, and how any page, here or in an offer, is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from handsel.content import parse
from handsel.content.body import rendered
from handsel.content.files import Memo, Tree, printable
from handsel.content.parse import Broken, Parsed, Place
from handsel.content.rendered import Rendered
from handsel.content.schema import PageMeta, SiteSettings
from handsel.content.validate import validate
from handsel.errors import Fault

SITE_FILE = "content/_site.yml"
WITH_OWN_TITLE = frozenset({"home", "landing"})
"""The layouts whose Markdown holds the page's one first-level heading; the others draw it from the title."""
RESERVED = frozenset({"desk", "api", "get", "u", "confirm", "hand-off", "preferences", "event", "go", "static",
                      "healthz", "readyz", "metrics", "offers", "cards", "feed.xml", "sitemap.xml", "robots.txt",
                      "tags"})
"""First parts of addresses that the program answers itself."""

_PART = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")

T = TypeVar("T")
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Page:
    """One page. ``path`` is its address such as ``/blog/x/``, ``file`` its path from the project's root.

    ``layout`` is the one that holds: the front matter's, or the folder's. ``changed_at`` is the file's time, in UTC.
    """

    path: str
    file: str
    meta: PageMeta
    layout: str
    body: Rendered
    changed_at: datetime

    @property
    def title(self) -> str:
        """The page's name."""
        return self.meta.title

    def is_live(self, at: datetime) -> bool:
        """Whether visitors may see the page at that instant."""
        return self.meta.is_live(at)


@dataclass(frozen=True)
class Read(Generic[T]):
    """What came of reading one file: its value (None if there is none to be had), its faults, the lines of its keys."""

    file: str
    value: T | None
    faults: tuple[Fault, ...] = ()
    lines: Mapping[Place, int] = field(default_factory=dict)

    def fault(self, place: Place, kind: str, what: str, do: str) -> Fault:
        """A fault on the line of that key."""
        return Parsed(self.file, {}, dict(self.lines)).fault(place, kind, what, do)


@dataclass(frozen=True)
class Reading:
    """All that one reading of the project goes by: the files, what was made of them before, the site's settings."""

    tree: Tree
    memo: Memo
    site: SiteSettings
    settled: bool = True
    """Whether ``site`` is what the marketer wrote; if not, who is missing in it says nothing."""

    @property
    def zone(self) -> ZoneInfo:
        """The timezone in which times without an offset are meant."""
        return ZoneInfo(self.site.timezone)

    def once(self, file: str, make: Callable[[str], Kept], *circumstances: Hashable) -> Kept:
        """What ``make`` gives for ``file``, or gave when neither the file nor the circumstances were different."""
        return self.memo.get(file, self._key(file, *circumstances), lambda: make(file))

    def page(self, file: str) -> Read[Page]:
        """The page of that file of ``content/``."""
        return self.once(file, partial(_page, self))

    def has(self, file: str) -> bool:
        """Whether the page of that file was read before, as it is now."""
        return self.memo.has(file, self._key(file))

    def put(self, file: str, page: Read[Page]) -> None:
        """Take over the page of that file from somebody who has read it."""
        self.memo.put(file, self._key(file), page)

    def _key(self, file: str, *circumstances: Hashable) -> Hashable:
        return (self.tree.stamps[file], self.site.timezone, circumstances)


def read_site(tree: Tree, memo: Memo) -> Read[SiteSettings]:
    """The settings of the whole site."""
    if SITE_FILE not in tree.stamps:
        fault = Fault(SITE_FILE, 0, "missing-site-file", "The site has no settings.",
                      "Write the file with at least `name: …`, or begin with `handsel init`.")
        return Read(SITE_FILE, None, (fault,))
    return memo.get(SITE_FILE, tree.stamps[SITE_FILE], lambda: _site(tree))


def _site(tree: Tree) -> Read[SiteSettings]:
    try:
        parsed, faults = parse.settings(SITE_FILE, tree.read(SITE_FILE))
    except Broken as broken:
        return Read(SITE_FILE, None, (broken.fault,))
    if parsed is None:
        return Read(SITE_FILE, None, tuple(faults))
    site, more = validate(SiteSettings, parsed)
    if site is not None and not _is_zone(site.timezone):
        more.append(parsed.fault(("timezone",), "unknown-timezone", f"There is no timezone '{site.timezone[:60]}'.",
                                 "Write it as Europe/London."))
        site = None
    return Read(SITE_FILE, site, (*faults, *more), parsed.lines)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def read_pages(reading: Reading) -> dict[str, Read[Page]]:
    """Every page of ``content/`` by its file."""
    return {file: reading.page(file) for file in page_files(reading.tree)}


def page_files(tree: Tree) -> list[str]:
    """The files of ``content/`` that are pages."""
    return [file for file in tree.of("content") if file.endswith(".md") and not is_private(file)]


def is_private(file: str) -> bool:
    """Whether a part of the path begins with an underscore: such files are never served."""
    return "/_" in file


def stray_faults(reading: Reading) -> Iterator[Fault]:
    """Files of ``content/`` that nothing reads, because of their name."""
    for file in reading.tree.of("content"):
        if file.endswith((".yml", ".yaml")) and not is_private(file):
            yield Fault(file, 0, "unknown-file", "Settings among pages are read by nobody.",
                        "Delete the file, or let its name begin with _ to keep it out of the way.")
        elif file == "content/_site.yaml":
            yield Fault(file, 0, "unknown-file", "The site's settings are read from _site.yml.", "Rename the file.")


def assets(tree: Tree) -> dict[str, str]:
    """The public files of ``content/`` by their address: all that is neither Markdown nor YAML."""
    return {file.removeprefix("content"): file for file in tree.of("content")
            if not file.endswith((".md", ".yml", ".yaml")) and not is_private(file)}


def address(file: str) -> str:
    """The address of a page's file: ``content/blog/x.md`` -> ``/blog/x/``."""
    way = file.removeprefix("content/").removesuffix(".md").split("/")
    if way[-1] == "index":
        way.pop()
    return "/" + "".join(f"{part}/" for part in way)


def default_layout(path: str) -> str:
    """The layout of a page whose front matter names none, by the folder it is in."""
    if path == "/":
        return "home"
    if path.startswith("/guide/"):
        return "guide"
    return "post" if path.startswith("/blog/") and path != "/blog/" else "page"


def _page(reading: Reading, file: str) -> Read[Page]:
    path = address(file)
    faults: list[Fault] = []
    parts = path.strip("/").split("/") if path != "/" else []
    if bad := [part for part in parts if not _PART.fullmatch(part)]:
        faults.append(Fault(printable(file), 0, "bad-file-name",
                            f"'{printable(bad[0])}' cannot be part of an address.",
                            "Rename it with small letters, digits and hyphens."))
    if parts and parts[0] in RESERVED:
        faults.append(Fault(file, 0, "reserved-address", f"The program itself answers at /{parts[0]}/.",
                            "Move the file to another folder."))
    read = read_page(reading, file, path, default_layout(path))
    return Read(file, None if faults else read.value, (*faults, *read.faults), read.lines)


def read_page(reading: Reading, file: str, path: str, layout: str, **circumstances: Any) -> Read[Page]:
    """One page with the faults that its file alone can show; ``circumstances`` go to ``render``."""
    try:
        parsed, faults = parse.markdown(file, reading.tree.read(file))
    except Broken as broken:
        return Read(file, None, (broken.fault,))
    if parsed is None:
        return Read(file, None, tuple(faults))
    meta, more = validate(PageMeta, parsed, {"zone": reading.zone})
    body = rendered(parsed.body, file=file, first_line=parsed.body_line, kind="page", **circumstances)
    faults = [*faults, *more, *body.faults]
    if meta is None:
        return Read(file, None, tuple(faults), parsed.lines)
    changed_at = datetime.fromtimestamp(reading.tree.stamps[file][0] // 1_000_000_000, UTC)
    # Only letters are sent as plain text; a page's would be a quarter of what a thousand pages weigh in each process.
    page = Page(path, file, meta, meta.layout or layout, replace(body, text=""), changed_at)
    return Read(file, page, (*faults, *_page_faults(page, parsed)), parsed.lines)


def _page_faults(page: Page, parsed: Parsed) -> list[Fault]:
    """What is wrong with the page by itself."""
    meta, faults = page.meta, []
    if meta.publish_at and meta.unpublish_at and meta.unpublish_at <= meta.publish_at:
        faults.append(parsed.fault(("unpublish_at",), "ends-before-it-begins",
                                   "The page is taken down before it is put up.",
                                   "Set unpublish_at to a time after publish_at."))
    if meta.image and not meta.image_alt:
        faults.append(parsed.fault(("image",), "image-without-alt", "The page's image has no alternative text.",
                                   "Add `image_alt: …`: what is to be seen, for those who cannot."))
    faults += [Fault(page.file, image.line, "image-without-alt",
                     f"The image '{image.src[:80]}' has no alternative text.",
                     "Write it between the brackets: ![what is to be seen](…).")
               for image in page.body.images if not (image.alt or "").strip()]
    return faults + _heading_faults(page, parsed)


def _heading_faults(page: Page, parsed: Parsed) -> list[Fault]:
    count = page.body.h1_count
    if page.layout in WITH_OWN_TITLE:
        if count == 0:
            return [Fault(page.file, parsed.body_line, "no-h1", "The page has no first-level heading.",
                          "Begin the hero block with a line `# …`.")]
        if count > 1:
            return [Fault(page.file, _first_line(parsed, 2), "two-h1",
                          f"The page has {count} first-level headings.",
                          "Keep one `# …` and write the others as `## …`.")]
    elif count:
        return [Fault(page.file, _first_line(parsed, 1), "two-h1",
                      "The page has a first-level heading beside its title.",
                      "Write it as `## …`; the title is drawn from the front matter.")]
    return []


def _first_line(parsed: Parsed, nth: int) -> int:
    """The line of the nth first-level heading, or of the body."""
    found = [parsed.body_line + place for place, line in enumerate(parsed.body.split("\n")) if line.startswith("# ")]
    return found[nth - 1] if len(found) >= nth else parsed.body_line
