"""What pages weigh: the figures of the design, measured in bytes as they travel."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import brotli
import pytest
from flask import Flask

from handsel.public.sheets import addresses

Ask = Callable[..., tuple[str, dict[str, str], bytes]]
FIRST_FLIGHT = 14_200
STYLE_RAW, STYLE_SMALL = 8_000, 2_800


def pages(app: Flask) -> list[str]:
    state = app.extensions["handsel.pages"].state()
    return addresses(state.project, state.press.at)


def on_the_wire(status: str, headers: dict[str, str], body: bytes) -> int:
    """Bytes of an answer over HTTP/1.1, with the lines that the server adds."""
    lines = [
        f"HTTP/1.1 {status}",
        *(f"{name}: {value}" for name, value in headers.items()),
        "Server: granian",
        "Date: Sun, 22 Nov 2026 12:00:00 GMT",
        "",
    ]
    return sum(len(line) + 2 for line in lines) + len(body)


@pytest.mark.parametrize("which", ["small", "site"])
def test_every_page_fits_the_first_packets_of_a_connection(
    which: str, request: pytest.FixtureRequest, ask: Ask
) -> None:
    app = request.getfixturevalue(which)
    for path in pages(app):
        for browser in (
            "Mozilla/5.0 (X11; rv:1.0) Gecko",
            "Mozilla/5.0 (X11; rv:2.0) Gecko",
            "Mozilla/5.0 (X11; rv:3.0) Gecko",
        ):
            answer = ask(app, path, HTTP_ACCEPT_ENCODING="gzip, deflate, br", HTTP_USER_AGENT=browser)
            assert answer[1]["Content-Encoding"] == "br"
            assert on_the_wire(*answer) <= FIRST_FLIGHT, path


@pytest.mark.parametrize("which", ["small", "site"])
def test_the_style_in_a_page_keeps_its_budget(which: str, request: pytest.FixtureRequest) -> None:
    app = request.getfixturevalue(which)
    table = app.extensions["handsel.pages"]
    table.compile_all()
    for path, entry in table.state().table.items():
        for variant, page in entry.pages.items():
            style = re.findall(rb"<style>(.*?)</style>", page.start, re.S)
            assert len(style) == 1
            assert len(style[0]) <= STYLE_RAW, (path, variant, len(style[0]))
            assert len(brotli.compress(style[0])) <= STYLE_SMALL, (path, variant)


class Requests(HTMLParser):
    """What a browser fetches for a page before anybody does anything, and whether anything runs."""

    def __init__(self) -> None:
        super().__init__()
        self.at_once: list[str] = []
        self.later: list[str] = []
        self.scripts: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script":
            self.scripts.append(given)
        elif tag == "link" and given.get("rel") in {"stylesheet", "preload", "modulepreload"}:
            self.at_once.append(str(given["href"]))
        elif tag in {"img", "video", "iframe", "source"} and not str(given.get("src", "")).startswith("data:"):
            (self.later if given.get("loading") == "lazy" or given.get("preload") == "none" else self.at_once).append(
                str(given.get("src"))
            )


@pytest.mark.parametrize("which", ["small", "site"])
def test_a_page_is_one_request_and_no_script(which: str, request: pytest.FixtureRequest, ask: Ask) -> None:
    app = request.getfixturevalue(which)
    for path in pages(app):
        seen = Requests()
        seen.feed(ask(app, path)[2].decode())
        assert [script for script in seen.scripts if script.get("type") != "application/ld+json"] == [], path
        assert len(seen.at_once) <= 1, (path, seen.at_once)  # a hero's picture
        assert not [address for address in seen.at_once + seen.later if not address.startswith("/")], path


def test_pictures_have_a_size_and_only_that_of_a_hero_is_fetched_first(site: Flask, ask: Ask) -> None:
    for path in pages(site):
        pictures: list[dict[str, Any]] = [
            dict(re.findall(r'([a-z]+)="([^"]*)"', found))
            for found in re.findall(r"<img [^>]+>", ask(site, path)[2].decode())
        ]
        for picture in pictures:
            assert picture.get("width"), (path, picture)
            assert picture.get("height"), (path, picture)
        first = [picture["src"] for picture in pictures if picture.get("fetchpriority") == "high"]
        assert len(first) == (1 if path == "/" else 0), path
