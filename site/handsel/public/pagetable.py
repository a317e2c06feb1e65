"""The page table: known pages are answered from bytes in front of Flask; everything else goes on to Flask.

A page is drawn and compiled when it is first asked for, and kept until a file changes or a date comes that changes
what is to be seen. One state is swapped for the next as a whole, so a request never sees half of a change.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import Flask

from handsel import clock
from handsel.experiments.assign import pick
from handsel.experiments.batch import Split
from handsel.forms.asking import asks_later
from handsel.leads import token
from handsel.public.compile import Compiled, compiled, encoding_for
from handsel.public.files import Files
from handsel.public.press import Hole, Press
from handsel.public.shares import Shares, is_shifted
from handsel.public.sheets import Sheet, find, next_change
from handsel.traffic.visitor import Visit

if TYPE_CHECKING:
    from handsel.offers.project import Project
    from handsel.public.frame import Frame

log = logging.getLogger(__name__)
Start = Callable[..., Any]
# Marks that campaigns and mail programs put on links; they change nothing about the page.
_HARMLESS = re.compile(r"(?:(?:utm_[a-z]+|gclid|fbclid|msclkid|ref|mc_cid|mc_eid)=[^&;=]*(?:&|$))+")


@dataclass(frozen=True)
class Entry:
    """One address: its pages by variant, and how visitors are shared out (by the files, unless ``shifted``)."""

    sheet: Sheet
    split: tuple[tuple[str, int], ...]
    pages: dict[str, Compiled]
    shifted: bool = False
    asks_later: bool = False
    """A form on it asks people who are known other questions than strangers."""


@dataclass(frozen=True)
class State:
    """Everything known of one project until ``until`` (None: until a file changes)."""

    project: Project
    press: Press
    until: datetime | None
    table: dict[str, Entry] = field(default_factory=dict)
    frames: dict[tuple[str, frozenset[str]], Frame] = field(default_factory=dict)
    """Of the pages that Flask draws, by layout and parts."""


class PageTable:
    """A WSGI application in front of another. ``inner`` answers what the table does not."""

    def __init__(self, app: Flask, inner: Callable[..., Iterable[bytes]]) -> None:
        self.app = app
        self.inner = inner
        self.live = app.extensions["handsel.offers"]
        self.traffic = app.extensions["handsel.traffic"]
        self.key = token.signing_key(app.config["SECRET_KEY"])
        self.files = Files(inner, app.config["PROJECT_ROOT"], lambda: self.live.project)
        self.shares = Shares(app)
        self._state: State | None = None

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        state = self._state
        if state is not None:
            entry = state.table.get(environ["PATH_INFO"])
            if entry is not None and self._usual(environ) and not (entry.asks_later and "HTTP_COOKIE" in environ):
                now = clock.now()
                if state.project is self.live.project and (state.until is None or now < state.until):
                    return self._answer(entry, environ, start_response, now)
        return self.files(environ, start_response)

    def _answer(self, entry: Entry, environ: dict[str, Any], start_response: Start, now: datetime) -> Iterable[bytes]:
        visit = self.traffic.visit(environ, now)
        offer = entry.sheet.offer
        variant = pick(visit.unit, offer.slug, self.split(entry, now)) if offer else ""
        page = entry.pages[variant]
        self.traffic.record("view", page.path, visit, page.offer, variant, at=now)
        encoding = encoding_for(environ.get("HTTP_ACCEPT_ENCODING", ""))
        packed = page.packed[encoding]
        rows = packed.secure_rows if environ["wsgi.url_scheme"] == "https" else packed.plain_rows
        if packed.etag and packed.etag in environ.get("HTTP_IF_NONE_MATCH", ""):
            start_response(
                "304 Not Modified", [row for row in rows if row[0] not in {"Content-Type", "Content-Encoding"}]
            )
            return []
        tokens: list[bytes] = []
        if page.holes:
            at = int(now.timestamp() * 1000)
            tokens = [self.mint(hole, visit, page.path, at).encode() for hole in page.holes]
        body = [packed.start, page.end(encoding, tokens)] if tokens else [packed.start]
        start_response("200 OK", [*rows, ("Content-Length", str(sum(map(len, body))))])
        return body if environ["REQUEST_METHOD"] == "GET" else []  # granian sends a list in one go

    def split(self, entry: Entry, now: datetime) -> Split:
        """How the visitors of a page are shared out now."""
        return self.shares.split(entry.sheet.offer, now) if entry.shifted and entry.sheet.offer else entry.split

    def _usual(self, environ: dict[str, Any]) -> bool:
        """Whether nothing about a request asks for more than the page as everyone gets it."""
        query = environ.get("QUERY_STRING")
        return (
            environ["REQUEST_METHOD"] in {"GET", "HEAD"}
            and not environ.get("SCRIPT_NAME")
            and ("HTTP_COOKIE" not in environ or self.traffic.known.alone(environ))
            and (not query or _harmless(query))
        )

    def mint(self, hole: Hole, visit: Visit, path: str, at_ms: int, asked: tuple[str, ...] = ()) -> str:
        """A form token for one hole of the page at ``path``; ``asked`` where its questions are not those for all."""
        return token.mint(
            self.key, visit, offer=hole.offer, form=hole.form, variant=hole.variant, page=path, at_ms=at_ms,
            asked=asked,
        )

    def state(self) -> State:
        """The state of the project as it stands now."""
        project, now = self.live.project, clock.now()
        state = self._state
        if state is None or state.project is not project or (state.until is not None and now >= state.until):
            self.files.forget()
            if state is None or state.project.notices != project.notices:
                for notice in project.notices:
                    log.info("%s", notice)
            base = (self.app.config["SITE_URL"] or project.site.url).rstrip("/")
            press = Press(self.app.jinja_env, project, base, self.files, now)
            self._state = state = State(project, press, next_change(project, now))
        return state

    def sheet(self, path: str) -> tuple[State, Sheet | None]:
        """What stands at ``path`` now."""
        state = self.state()
        return state, find(state.project, path, state.press.at)

    def entry(self, state: State, sheet: Sheet) -> Entry:
        """The pages of ``sheet``, compiled now if they never were; the table answers with them from here on."""
        key = sheet.path.encode().decode("latin-1")  # as WSGI writes paths
        found = state.table.get(key)
        if found is None:
            split = tuple(sheet.offer.split.items()) if sheet.offer else ()
            pages = {variant: compiled(state.press, sheet, variant) for variant in sheet.variants}
            shifted = sheet.offer is not None and is_shifted(sheet.offer)
            forms = {state.project.forms[hole.form] for page in pages.values() for hole in page.holes
                     if hole.form in state.project.forms}
            state.table[key] = found = Entry(sheet, split, pages, shifted, any(map(asks_later, forms)))
        return found

    def compile_all(self) -> int:
        """Compile every page at once; how many there are."""
        from handsel.public.sheets import addresses

        state = self.state()
        for path in addresses(state.project, state.press.at):
            sheet = find(state.project, path, state.press.at)
            if sheet is not None:
                self.entry(state, sheet)
        return len(state.table)


@lru_cache(maxsize=4096)
def _harmless(query: str) -> bool:
    return _HARMLESS.fullmatch(query) is not None
