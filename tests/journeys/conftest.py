"""Running sites and people who walk through them; one site serves all tests of a module."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from support.ledger import Ledger
from support.people import Hands, Keyboard
from support.running import Site
from support.smtp import FaultyServer
from support.tour import Tour
from support.web import Web

TESTS = Path(__file__).parents[1]
OURS = ("content", "offers", "forms")


@pytest.fixture(scope="module")
def mailbox() -> Iterator[FaultyServer]:
    """The mail server of the whole world, as far as this module's site can tell."""
    server = FaultyServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, mailbox: FaultyServer) -> Iterator[Site]:
    """``handsel run`` on a copy of tests/sample/, with its mail going to ``mailbox``."""
    yield from _run(tmp_path_factory, TESTS / "sample", mail_url=mailbox.url)


@pytest.fixture(scope="session")
def warmhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """``handsel run`` on a copy of the repository's own site, with its mail caught in the inbox."""
    yield from _run(tmp_path_factory, TESTS.parent)


@pytest.fixture(scope="session")
def tour(warmhouse: Site) -> Tour:
    """Every kind of page of ``warmhouse``, with something on each."""
    tour = Tour(warmhouse)
    assert tour.stops
    return tour


def _run(folders: pytest.TempPathFactory, source: Path, **settings: Any) -> Iterator[Site]:
    project = folders.mktemp("site") / "project"
    for name in OURS:
        shutil.copytree(source / name, project / name)
    running = Site(project, **settings).start()
    yield running
    running.stop()


@pytest.fixture
def ledger(site: Site) -> Ledger:
    """What the database of ``site`` says."""
    return Ledger(site.project)


@pytest.fixture
def web(site: Site) -> Web:
    """A visitor of ``site`` without a browser."""
    return Web(site.url)


@pytest.fixture
def come(new_context: Callable[..., BrowserContext]) -> Callable[..., Hands]:
    """Opens a browser for somebody: ``come("phone")``; see ``WAYS``. What goes wrong in its pages fails the test."""

    def come(way: str = "scripts", **options: Any) -> Hands:
        context = new_context(**{"locale": "en-GB"} | WAYS[way] | options)
        page = context.new_page()
        return Keyboard(page) if way == "keyboard" else Hands(page)

    return come


WAYS: dict[str, dict[str, Any]] = {
    "scripts": {},
    "no scripts": {"java_script_enabled": False},
    "phone": {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True},
    "keyboard": {},
}
