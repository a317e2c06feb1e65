"""Public pages as people meet them, in Chromium: readable, reachable by keyboard, in both schemes, and quiet."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from support.hostile import payloads

Axe = Callable[..., None]
KINDS = {
    "home": "/",
    "page": "/about/",
    "post": "/blog/draughts-first/",
    "archive": "/blog/",
    "tag": "/blog/tags/heating/",
    "manual": "/guide/blocks/",
    "landing page": "/offers/home-energy-guide/",
    "long form": "/offers/heat-pump-whitepaper/",
    "newsletter": "/offers/newsletter/",
    "error": "/no-such-page/",
}
STATES = [(scheme, width) for scheme in ("light", "dark") for width in (320, 1280)]


def serve(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def url(site: Flask) -> Iterator[str]:
    """The address of the repository's own site."""
    yield from serve(site)


@pytest.fixture
def small_url(small: Flask) -> Iterator[str]:
    """The address of the test's own project."""
    yield from serve(small)


def overflow(page: Page) -> int:
    found: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_axe_finds_nothing_and_nothing_overflows(page: Page, url: str, axe: Axe, kind: str) -> None:
    page.goto(url + KINDS[kind])
    for scheme, width in STATES:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        axe(page)
        assert overflow(page) == 0, (scheme, width)


@pytest.mark.parametrize("variant", ["a", "b"])
def test_each_variant_of_a_landing_page_is_as_good(
    page: Page, small: Flask, small_url: str, axe: Axe, variant: str
) -> None:
    table = small.extensions["handsel.pages"]
    entry = table.entry(*table.sheet("/offers/guide/"))
    only = {variant: entry.pages[variant]}
    table.state().table["/offers/guide/"] = type(entry)(entry.sheet, ((variant, 100),), only)

    page.goto(small_url + "/offers/guide/")

    for scheme, width in STATES:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        axe(page)


def test_a_form_with_mistakes_is_clear_in_every_state(browser: Browser, url: str, axe: Axe) -> None:
    page = browser.new_page()
    page.goto(url + "/offers/heat-pump-whitepaper/")
    page.fill("[name=name]", "Ann Reader")
    page.click("form .button")

    assert page.title().startswith("Error: ")
    assert page.evaluate("document.activeElement.className") == "summary"
    assert page.input_value("[name=name]") == "Ann Reader"
    for scheme, width in STATES:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        axe(page)
        assert overflow(page) == 0
    page.click(".summary a >> nth=0")
    assert page.evaluate("document.activeElement.name") == "email"
    described = page.get_attribute("[name=email]", "aria-describedby")
    assert page.inner_text(f"#{described}") == page.inner_text(".summary a >> nth=0")
    page.close()


def test_without_scripts_the_form_works_the_same(browser: Browser, url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url + "/offers/home-energy-guide/")
    page.fill("[name=email]", "not an address")
    page.click("form .button")

    assert page.title().startswith("Error: ")
    assert page.locator(".summary a").count() == 1
    assert page.input_value("[name=email]") == "not an address"
    assert page.locator("[name=form-token]").count() == 1
    context.close()


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Page, url: str) -> None:
    page.goto(url + "/offers/home-energy-guide/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    assert page.locator(".skip").bounding_box()["width"] > 50  # type: ignore[index]

    seen = []
    for _ in range(60):
        state = page.evaluate(
            "(() => { const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();"
            " return [e.tagName, e.name || e.textContent.trim().slice(0, 30), s.outlineStyle,"
            " parseFloat(s.outlineWidth),"
            " b.width > 0 && b.height > 0] })()"
        )
        if state[0] == "BODY":
            break
        seen.append(state)
        page.keyboard.press("Tab")

    assert [state for state in seen if state[2] != "solid" or state[3] < 3 or not state[4]] == []
    everything = page.locator(
        "a:visible, button:visible, input:not([type=hidden]):not([tabindex='-1']):visible, summary:visible"
    )
    assert len(seen) == everything.count()


def test_a_page_from_right_to_left_is_the_mirror_of_one_from_left_to_right(page: Page, url: str, axe: Axe) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(url + "/offers/home-energy-guide/")
    before = page.locator(".top .name").bounding_box()
    page.evaluate("document.documentElement.dir = 'rtl'")
    after = page.locator(".top .name").bounding_box()

    assert before is not None
    assert after is not None
    assert after["x"] + after["width"] == pytest.approx(
        1280 - before["x"], abs=16
    )  # a scroll bar may stand on either side
    assert overflow(page) == 0
    page.set_viewport_size({"width": 320, "height": 800})
    assert overflow(page) == 0
    axe(page)


def test_words_half_as_long_again_break_nothing(page: Page, url: str) -> None:
    page.goto(url + "/offers/home-energy-guide/")
    page.evaluate(
        "document.querySelectorAll('label, .button, h1, h2, summary, .top a, .foot a').forEach(e => {"
        " const t = [...e.childNodes].reverse().find(n => n.nodeType == 3 && n.textContent.trim());"
        " if (t) t.textContent += ' ' + t.textContent.slice(0, Math.ceil(t.textContent.length * .4)) })"
    )
    for width in (320, 768, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert overflow(page) == 0, width


def test_a_landing_page_is_one_request_and_shifts_nothing(browser: Browser, url: str) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(message.text))
    page.goto(url + "/offers/newsletter/", wait_until="load")
    shift = page.evaluate(
        "new Promise(done => { let sum = 0;"
        " new PerformanceObserver(list => list.getEntries().forEach(e => sum += e.value))"
        ".observe({type: 'layout-shift', buffered: true}); setTimeout(() => done(sum), 200) })"
    )

    before_the_fold = [address for address in asked if not address.endswith((".svg", ".avif"))]
    assert before_the_fold == [f"{url}/offers/newsletter/"]
    assert shift == 0
    page.close()


@pytest.mark.parametrize("guarded", [True, False])
def test_hostile_words_of_an_author_run_nothing_and_call_nobody(
    browser: Browser, small: Flask, small_url: str, project: Path, guarded: bool
) -> None:
    plain = (text for text in payloads("xss", "markdown_xss") if not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text))
    words = "\n\n".join(plain).encode("utf-8", "ignore").decode()
    (project / "content" / "hostile.md").write_text(f"---\ntitle: Hostile\n---\n{words}\n", encoding="utf-8")
    small.extensions["handsel.offers"].refresh()
    context = browser.new_context(bypass_csp=not guarded)
    page = context.new_page()
    happened: list[Any] = []
    page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: happened.append(request.url) if not request.url.startswith(small_url) else None)
    page.on("console", lambda message: happened.append(message.text) if "Content Security" in message.text else None)

    page.goto(small_url + "/hostile/")
    page.wait_for_timeout(500)

    assert page.inner_text("h1 >> nth=0") == "Hostile"
    assert page.locator("main script, main iframe, main object, main [onclick], main [onerror]").count() == 0
    assert happened == []
    context.close()


def test_print_leaves_out_what_paper_cannot_do(page: Page, url: str) -> None:
    page.goto(url + "/offers/home-energy-guide/")
    page.emulate_media(media="print", color_scheme="dark")

    assert not page.locator("form.card").is_visible()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(0, 0, 0)"


def test_forced_colours_keep_edges_and_focus(page: Page, url: str, axe: Axe) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(url + "/offers/home-energy-guide/")
    page.focus("[name=email]")

    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert page.evaluate("getComputedStyle(document.querySelector('.button')).borderTopStyle") == "solid"
