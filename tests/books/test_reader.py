"""Behind the button of a guide: reading it on the web, and its editions to take along."""

from __future__ import annotations

import html
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from factories import make_grant
from handsel.db import db
from handsel.leads.models import Download, Grant
from handsel.worker.books import bind
from support.books import PIXEL, edition, write_guide
from support.running import Site
from support.web import Web

BUTTON = "Read it now"


def text(page: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text.partition("</style>")[2])).split())


def opened(app: Flask, client: FlaskClient, project: Path, **fields: Any) -> tuple[Grant, str]:
    """A guide opened by its button: the grant and the address of the contents."""
    write_guide(project)
    app.extensions["handsel.offers"].refresh()
    grant = make_grant(**fields)
    answer = client.post(f"/get/{grant.key}")
    assert answer.status_code == 303
    return grant, answer.headers["Location"]


def test_the_button_opens_the_contents_and_the_chapters_lead_to_each_other(
        project: Path, app: Flask, client: FlaskClient) -> None:
    _, contents = opened(app, client, project)

    page = client.get(contents)
    assert "Contents Before you begin: a word 1 Read your bill" in text(page)
    first = client.get(f"{contents}01-welcome/")
    assert f'<a rel="next" href="{contents}02-bill/">' in first.text
    assert f'href="{contents}02-bill/#c-02-bill-the-unit"' in first.text
    second = client.get(f"{contents}02-bill/")
    assert 'id="c-02-bill-the-unit"' in second.text
    assert f'<img src="{contents}pictures/1.png" alt="A meter on a wall" width="1" height="1">' in second.text
    assert client.get(f"{contents}pictures/1.png").data == PIXEL
    whole = client.get(f"{contents}all/")
    assert 'href="#c-02-bill-the-unit"' in whole.text
    assert "You need ten minutes & a chair." in text(whole)
    assert "Leave the meter's seal alone." in text(whole)


def test_reading_is_private_runs_nothing_and_counts_nothing(project: Path, app: Flask, client: FlaskClient) -> None:
    grant, contents = opened(app, client, project)
    addresses = [contents, f"{contents}01-welcome/", f"{contents}all/", f"{contents}pictures/1.png"]

    for address in addresses * 2:
        page = client.get(address)
        assert page.status_code == 200
        assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "private" in page.headers["Cache-Control"]
        assert "Set-Cookie" not in page.headers
        assert "<script" not in page.text if page.mimetype == "text/html" else True

    db.session.refresh(grant)
    assert grant.uses_left == 4
    assert db.session.scalar(select(func.count()).select_from(Download)) == 1


def test_one_reads_on_while_the_link_lives_and_is_led_back_to_the_button_after(
        project: Path, app: Flask, client: FlaskClient, clock: Any) -> None:
    grant, contents = opened(app, client, project)

    clock.move(days=6)
    assert client.get(f"{contents}02-bill/").status_code == 200
    clock.move(days=2)
    back = client.get(f"{contents}02-bill/")

    assert (back.status_code, back.headers["Location"]) == (303, f"/get/{grant.key}")
    assert "This link has run out" in text(client.get(f"/get/{grant.key}"))


def test_nobody_reads_with_another_ones_press_or_none(project: Path, app: Flask, client: FlaskClient) -> None:
    _, contents = opened(app, client, project)
    other = make_grant()
    press = contents.split("/")[3]

    assert client.get(f"/get/{other.key}/{press}/read/").headers["Location"] == f"/get/{other.key}"
    assert client.get(f"/get/{'a' * 22}/{press}/read/").status_code == 404
    assert client.get(f"{contents}pictures/9.png").status_code == 404
    assert client.get(f"{contents}pictures/..%2f..%2foffer.md").headers["Location"] == contents
    assert client.get(f"{contents}03-gone/").headers["Location"] == contents


def test_until_it_is_printed_the_page_says_so_and_then_gives_it(
        project: Path, app: Flask, client: FlaskClient) -> None:
    grant, contents = opened(app, client, project)
    assert "Download" not in text(client.get(f"/get/{grant.key}"))
    assert "The PDF is being made right now." in text(client.get(contents))
    early = client.post(f"/get/{grant.key}", data={"as": "pdf"}, follow_redirects=True)
    assert "The PDF is being made right now." in text(early)

    bind(app)

    page = client.get(f"/get/{grant.key}")
    assert "Download PDF Download EPUB PDF, 4 pages, " in text(page)
    for kind in ("pdf", "epub"):
        got = client.post(f"/get/{grant.key}", data={"as": kind}, follow_redirects=True)
        assert got.data == edition(project, kind).read_bytes()
        assert got.headers["Content-Disposition"] == (
            f'attachment; filename="The small guide to finishing books.{kind}"')
    db.session.refresh(grant)
    assert grant.uses_left == 4, "the same hand within a minute: one press"
    part = client.get(f"/get/{grant.key}/{contents.split('/')[3]}/x.epub", headers={"Range": "bytes=30-57"})
    assert (part.status_code, part.data) == (206, b"mimetypeapplication/epub+zip")


def test_while_a_changed_guide_is_printed_the_edition_before_is_given_and_named_so(
        project: Path, app: Flask, client: FlaskClient) -> None:
    _, contents = opened(app, client, project)
    bind(app)
    before = edition(project, "epub").read_bytes()
    chapter = project / "offers" / "guide" / "guide" / "02-bill.md"
    chapter.write_text(chapter.read_text().replace("four things", "five things"))
    app.extensions["handsel.offers"].refresh()

    assert "five things" in text(client.get(f"{contents}02-bill/"))
    assert "(a newer one is being made now)" in text(client.get(contents))
    assert client.get(f"{contents.removesuffix('read/')}x.epub").data == before


@pytest.fixture
def site(project: Path, start_site: Callable[..., Site]) -> Site:
    write_guide(project)
    return start_site(project=project)


def test_a_guide_is_read_with_the_keyboard_in_light_and_dark_without_fault(
        site: Site, page: Any, axe: Callable[..., None]) -> None:
    """The worker of a running site prints it by itself; a person finds all of it with Tab and Enter."""
    visitor = Web(site.url)
    landing = visitor.get("/offers/guide/")
    site.move_clock(seconds=10)
    thanks = visitor.send(landing, landing.form("form-token"), email="ann@example.org")
    assert thanks.status == 303
    with sqlite3.connect(site.project / "instance" / "handsel.db") as database:
        key = database.execute("SELECT key FROM download_grant").fetchone()[0]
    page.goto(f"{site.url}/get/{key}")
    axe(page)
    page.get_by_role("button", name=BUTTON).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/read/")
    axe(page)
    page.get_by_role("link", name="Begin to read").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/01-welcome/")
    page.locator("a[rel=next]").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/02-bill/")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            axe(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(page.url.replace("02-bill", "all"))
    axe(page)
