"""The page table and Flask give the same page, in every encoding, and the table leaves what is unusual to Flask."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import brotli
import pytest
from flask import Flask

from factories import NOON
from handsel.leads import token
from handsel.public.compile import encoding_for
from handsel.public.press import Hole
from handsel.public.sheets import addresses, find

Ask = Callable[..., tuple[str, dict[str, str], bytes]]
TOKEN = re.compile(rb'(name="form-token" form="[a-z0-9-]+" value=")([A-Za-z0-9_-]+)')


def without_tokens(body: bytes) -> bytes:
    return TOKEN.sub(rb"\1", body)


def every_page(app: Flask) -> list[str]:
    state = app.extensions["handsel.pages"].state()
    found: list[str] = addresses(state.project, state.press.at)
    assert len(found) > 3
    return found


@pytest.mark.parametrize("which", ["small", "site"])
def test_table_and_flask_give_the_same_bytes_for_every_page(
    which: str, request: pytest.FixtureRequest, ask: Ask
) -> None:
    app = request.getfixturevalue(which)
    for path in every_page(app):
        _, first_headers, first = ask(app, path, HTTP_ACCEPT_ENCODING="br")  # Flask: the table does not know it yet
        _, headers, body = ask(app, path, HTTP_ACCEPT_ENCODING="br")
        _, through, flask = ask(app, path, HTTP_ACCEPT_ENCODING="br", HTTP_COOKIE="a=b")

        assert len(first) == len(body) == len(flask) == int(headers["Content-Length"])
        body, first, flask = map(brotli.decompress, (body, first, flask))
        assert without_tokens(body) == without_tokens(first) == without_tokens(flask), path
        assert without_tokens(ask(app, path, HTTP_COOKIE="a=b")[2]) == without_tokens(body)
        for name in ("Content-Type", "Cache-Control", "Vary", "ETag", "Content-Encoding", "Content-Security-Policy",
                     "Referrer-Policy"):
            assert headers.get(name) == through.get(name) == first_headers.get(name), (path, name)


@pytest.mark.parametrize("which", ["small", "site"])
def test_a_compiled_page_is_the_page_as_drawn_with_its_tokens(which: str, request: pytest.FixtureRequest) -> None:
    app = request.getfixturevalue(which)
    table = app.extensions["handsel.pages"]
    state = table.state()
    for path in every_page(app):
        sheet = find(state.project, path, state.press.at)
        for variant, page in table.entry(state, sheet).pages.items():

            def name(hole: Hole) -> str:
                return "token-of-" + "-".join(hole)

            drawn = state.press.draw(sheet, variant, name).html.encode()

            tokens = [name(hole).encode() for hole in page.holes]
            assert page.whole(tokens) == drawn, path
            assert brotli.decompress(page.body("br", tokens)) == drawn, path
            assert gzip.decompress(page.body("gzip", tokens)) == drawn, path


def test_each_visit_gets_tokens_that_say_what_was_shown(small: Flask, ask: Ask) -> None:
    table = small.extensions["handsel.pages"]
    tickets = []
    for _ in range(3):
        _, headers, body = ask(small, "/offers/guide/", QUERY_STRING="utm_source=letter&utm_campaign=may")
        ticket = token.read(table.key, TOKEN.findall(body)[0][1].decode())
        assert ticket is not None
        assert (ticket.offer, ticket.form, ticket.page, ticket.source) == ("guide", "short", "/offers/guide/", "letter")
        assert headers["Cache-Control"] == "private, no-cache"
        assert "ETag" not in headers
        tickets.append((ticket.nonce, ticket.variant))
    assert len({nonce for nonce, _ in tickets}) == 3
    assert len({variant for _, variant in tickets}) == 1


def test_both_variants_are_shown_and_each_visitor_keeps_one(small: Flask, ask: Ask) -> None:
    shown: dict[str, set[bytes]] = {}
    for _ in range(2):
        for number in range(30):
            browser = f"Mozilla/5.0 (X11; Linux x86_64; rv:{number}.0) Gecko/20100101 Firefox/{number}.0"
            _, _, body = ask(small, "/offers/guide/", HTTP_USER_AGENT=browser)
            shown.setdefault(browser, set()).add(without_tokens(body))
    assert {len(pages) for pages in shown.values()} == {1}
    assert len(set.union(*shown.values())) == 2


def test_a_page_without_a_form_is_asked_for_again_and_not_sent_again(small: Flask, ask: Ask) -> None:
    ask(small, "/privacy/")
    for encoding in ("", "br", "gzip"):
        _, headers, _ = ask(small, "/privacy/", HTTP_ACCEPT_ENCODING=encoding)
        status, again, body = ask(small, "/privacy/", HTTP_ACCEPT_ENCODING=encoding, HTTP_IF_NONE_MATCH=headers["ETag"])

        assert status == "304 Not Modified"
        assert body == b""
        assert again["ETag"] == headers["ETag"]
        assert headers["Cache-Control"] == "public, no-cache"


def test_a_head_request_tells_the_length_and_sends_nothing(small: Flask, ask: Ask) -> None:
    _, _, page = ask(small, "/privacy/")
    status, headers, body = ask(small, "/privacy/", method="HEAD")

    assert (status, body, headers["Content-Length"]) == ("200 OK", b"", str(len(page)))


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", ""),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("identity", ""),
        ("*", "br"),
        ("*;q=0", ""),
        ("gzip;q=0.5, br;q=0.1", "br"),
        ("BR", "br"),
        ("br;q=x", ""),
        ("brotli", ""),
    ],
)
def test_the_encoding_is_one_that_the_browser_takes(accepted: str, expected: str) -> None:
    assert encoding_for(accepted) == expected


@pytest.mark.parametrize("size", [1, 255, 256, 65_535])
def test_uncompressed_ends_are_sound_at_every_length(size: int) -> None:
    from handsel.public.compile import pack

    page = pack("/", ["<p>start</p>" * 50, "x" * (size - 1)], (0,), (Hole("a", "b", ""),), security=[], own=True)
    tokens = [b"t"]

    assert brotli.decompress(page.body("br", tokens)) == page.whole(tokens)
    assert gzip.decompress(page.body("gzip", tokens)) == page.whole(tokens)
    assert len(page.rest(tokens)) == size


def test_a_saved_file_is_live_at_the_next_look(small: Flask, ask: Ask, project: Path) -> None:
    _, _, before = ask(small, "/privacy/")
    ask(small, "/privacy/")
    path = project / "content" / "privacy.md"
    path.write_text(path.read_text() + "\nA sentence that is new.\n")
    small.extensions["handsel.offers"].refresh()

    _, _, after = ask(small, "/privacy/")

    assert b"A sentence that is new." in after
    assert b"A sentence that is new." not in before


def test_a_page_comes_and_goes_on_the_minute(small: Flask, ask: Ask, project: Path, clock: Any) -> None:
    begins, ends = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    front = f"title: Autumn\npublish_at: {begins.isoformat()}\nunpublish_at: {ends.isoformat()}"
    (project / "content" / "autumn.md").write_text(f"---\n{front}\n---\nLeaves.\n")
    small.extensions["handsel.offers"].refresh()
    seen = []
    for minutes in (0, 59, 1, 30, 29, 1):
        clock.move(minutes=minutes)
        ask(small, "/autumn/")
        seen.append(ask(small, "/autumn/")[0][:3])

    assert seen == ["404", "404", "200", "200", "200", "404"]
