"""The builder of segments in a browser: the sentence and the count follow what is typed, and axe finds nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from factories import make_account, make_lead
from handsel import clock
from handsel.accounts import links
from handsel.db import db, writing
from support import on_sqlite

pytestmark = on_sqlite
LONG = "Donaudampfschifffahrtsgesellschaftswohnungsbaugenossenschaft"
TEXT = f"""\
segments:
  readers: {{label: {LONG}, note: {LONG}, tag: readers, when: {{job_title: {{contains: {LONG}}}, offer: guide}}}}
  odd: {{label: Odd, when: {{any: [{{tag: reader, stage: mql}}]}}}}
"""


@pytest.fixture
def desk(app: Flask, project: Path, page: Page) -> Iterator[str]:
    """The address of a desk at which the browser is signed in."""
    (project / "content" / "_segments.yml").write_text(TEXT)
    app.extensions["handsel.offers"].refresh()
    for title in ("Head of reading", "Head of writing", "Editor"):
        make_lead(job_title=title)
    account = make_account("sales")
    with writing() as session:
        secret, _ = links.make(session, account.id, clock.now(), links.BY_MAIL)
    db.session.rollback()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/desk"
    page.goto(f"{address}/enter/{secret}")
    page.get_by_role("button", name="Sign in").click()
    yield address
    page.goto("about:blank")
    server.shutdown()
    thread.join()


def test_the_sentence_and_the_count_follow_what_is_typed(
        desk: str, page: Page, axe: Callable[..., None], project: Path) -> None:
    page.goto(f"{desk}/segments/new")
    axe(page)
    said = page.locator("#said")
    expect(said).to_contain_text("Nobody yet.")
    page.get_by_label("Name").fill("Heads")
    page.get_by_label("What do you want to ask about?").select_option("Job title")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#r0-op")).to_be_focused()
    page.keyboard.type("con")
    page.keyboard.press("Tab")
    page.keyboard.type("head of")
    expect(said).to_contain_text("Everyone who has a job title that contains “head of”.")
    expect(said).to_contain_text("2 leads")
    page.keyboard.type(" reading")
    expect(said).to_contain_text("1 lead")
    axe(page)
    page.locator("#r0-op").select_option("is known")
    expect(page.locator("#r0-value")).to_be_hidden()
    expect(said).to_contain_text("3 leads")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Undo", exact=True).wait_for()
    assert "  heads:\n    label: Heads\n    when:\n      job_title: {known: true}\n" in (
        project / "content" / "_segments.yml").read_text()
    axe(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "/readers", "/odd"])
def test_every_screen_fits_a_phone_and_axe_finds_nothing(
        desk: str, page: Page, axe: Callable[..., None], path: str, scheme: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{desk}/segments{path}")
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_form_with_a_problem_says_so_and_takes_the_focus(desk: str, page: Page, axe: Callable[..., None]) -> None:
    page.goto(f"{desk}/segments/new")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_title("Error: New segment · Little Press")
    problem = page.get_by_role("alert")
    expect(problem).to_be_focused()
    expect(problem).to_contain_text("Add at least one condition: a segment never means everybody.")
    axe(page)
