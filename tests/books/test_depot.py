"""Guides in a store that machines share: one machine prints, all give the same bytes, and a store away takes nothing.

The machines are folders with instance/ of their own; the store is a server that speaks S3 and checks signatures.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from factories import make_grant
from handsel import assembly, create_app, storage
from handsel.db import db
from handsel.offers import depot as depots
from handsel.offers import editions
from handsel.offers.editions import Editions
from handsel.worker.books import bind
from support import on_sqlite
from support.books import write_guide
from support.running import wait_until
from support.s3 import S3, Trickle

pytestmark = on_sqlite
SITE = "http://localhost"


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    server = S3()
    yield server
    server.stop()


@pytest.fixture
def s3(server: S3, request: pytest.FixtureRequest) -> Iterator[S3]:
    """The server, answering."""
    yield server
    server.speak()


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    """A part of the bucket that is this test's own."""
    return tmp_path.name


@pytest.fixture
def machine(project: Path, engine_url: str, tmp_path: Path, s3: S3, prefix: str) -> Iterator[Callable[..., Flask]]:
    """Another machine of the same site: its own folder, the same files, database and store."""
    write_guide(project, own_pdf=True)
    with ExitStack() as stack:
        def make(name: str, url: str | None = None) -> Flask:
            root = tmp_path / name
            if not root.exists():
                shutil.copytree(project, root)
            app = create_app(root, ENV="test", SECRET_KEY="a key that all machines of the site share, and nobody else",
                             SITE_URL=SITE, TESTING=True, RATE_LIMITS="off", DATABASE_URL=engine_url,
                             STORAGE_URL=s3.url(prefix) if url is None else url)
            stack.callback(assembly.close, app)
            app.extensions["handsel.offers"].refresh()
            return app

        yield make


def printed(app: Flask) -> list[str]:
    with app.app_context():
        return bind(app)


def given(app: Flask) -> Editions:
    """What a visitor of that machine can have now."""
    project = app.extensions["handsel.offers"].project
    return editions.find(Path(app.instance_path), app.config["PROJECT_ROOT"], project.site, project.offers["guide"],
                         SITE, depot=app.extensions["handsel.depot"])


def change(app: Flask, words: str) -> None:
    """Deploy a changed chapter to a machine."""
    (Path(app.config["PROJECT_ROOT"]) / "offers" / "guide" / "guide" / "02-bill.md").write_text(
        f"# Bill\n\n## The unit\n\n{words}\n")
    app.extensions["handsel.offers"].refresh()


def look_again(app: Flask) -> None:
    """As if so much time had passed that the store is asked anew."""
    app.extensions["handsel.depot"]._asked.clear()
    away = Path(app.instance_path) / "books" / ".away"
    if away.exists():
        past = away.stat().st_mtime - depots.AWAY - 1
        os.utime(away, (past, past))


def test_what_one_machine_prints_all_others_give_byte_for_byte_and_fetch_once(
        machine: Callable[..., Flask], s3: S3) -> None:
    worker, web = machine("worker"), machine("web")
    assert given(web).making == ("epub",)

    assert printed(worker) == ["guide.epub"]
    look_again(web)

    theirs, ours = given(web).files["epub"], given(worker).files["epub"]
    assert theirs.path.is_relative_to(web.instance_path)
    assert theirs.path.read_bytes() == ours.path.read_bytes()
    assert (theirs.digest, theirs.size, theirs.is_newest) == (ours.digest, ours.size, True)
    s3.fall_silent()
    assert given(web).files["epub"] == theirs, "nobody asks for what is here"


def test_a_guide_printed_elsewhere_is_not_printed_again(machine: Callable[..., Flask]) -> None:
    first, second = machine("first"), machine("second")
    assert printed(first) == ["guide.epub"]

    assert printed(second) == []

    assert given(second).files["epub"].digest == given(first).files["epub"].digest


def test_of_two_that_print_at_once_all_give_the_one_that_came_first(machine: Callable[..., Flask], s3: S3) -> None:
    """As with two versions of the printer, which make other bytes of the same chapters."""
    first, second = machine("first"), machine("second")
    printed(first)
    place = given(first).files["epub"].path.parent
    other = Path(second.instance_path) / "books" / "guide" / place.name
    other.mkdir(parents=True)
    (other / "book.epub").write_bytes(b"the same chapters, bound otherwise")
    depot = second.extensions["handsel.depot"]

    depot.give(other, "epub")

    assert (other / "book.epub").read_bytes() == (place / "book.epub").read_bytes()
    assert given(second).files["epub"].digest == given(first).files["epub"].digest


def test_visitors_get_the_file_in_ranges_and_never_an_address_in_the_store(
        machine: Callable[..., Flask], s3: S3, prefix: str) -> None:
    worker, web = machine("worker"), machine("web")
    printed(worker)
    with web.app_context():
        grant = make_grant()
        db.session.commit()
        client, key = web.test_client(), grant.key
        db.session.remove()

    answers = [client.post(f"/get/{key}", data={"as": "epub"})]
    address = answers[0].headers["Location"]
    answers += [client.get(address), client.get(address, headers={"Range": "bytes=30-57"})]
    answers += [client.get(f"/get/{key}"), client.get(address.rpartition("/")[0] + "/read/")]

    assert answers[1].data == given(worker).files["epub"].path.read_bytes()
    assert (answers[2].status_code, answers[2].data) == (206, b"mimetypeapplication/epub+zip")
    for answer in answers:
        assert answer.headers.get("Location", "/").startswith("/")
        told = answer.data + str(answer.headers).encode()
        assert not [word for word in (s3.endpoint, "handsel-files", prefix, s3.key) if word.encode() in told]


def test_while_the_store_is_silent_the_edition_before_is_given_and_the_page_says_when_to_come_again(
        machine: Callable[..., Flask], s3: S3, caplog: pytest.LogCaptureFixture) -> None:
    worker, web = machine("worker"), machine("web")
    printed(worker)
    before = given(web).files["epub"]
    change(web, "Four things.")
    change(worker, "Four things.")
    s3.fall_silent()

    found = given(web)
    again = given(web)

    assert found.files["epub"].path == again.files["epub"].path == before.path
    assert (found.files["epub"].is_newest, found.away) == (False, True)
    assert printed(worker) == ["guide.epub"], "it is printed all the same"
    assert worker.extensions["handsel.depot"].owing
    page = _contents(web)
    assert "we cannot reach a newer one just now: look again in two minutes" in page
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 2, "once by each machine"
    assert all(line.endswith("It does not answer. Check the endpoint and the network; we go on trying.")
               for line in told)

    s3.speak()
    printed(worker)
    look_again(web)
    assert given(web).files["epub"].path.read_bytes() == given(worker).files["epub"].path.read_bytes()
    assert (given(web).away, worker.extensions["handsel.depot"].owing) == (False, False)


def test_a_new_machine_says_when_to_come_again_if_the_store_is_silent(machine: Callable[..., Flask], s3: S3) -> None:
    web = machine("web")
    s3.fall_silent()

    page = _contents(web)

    assert "We cannot reach the EPUB just now." in page
    assert "in two minutes" in page
    assert "Begin to read" in page


def _contents(app: Flask) -> str:
    with app.app_context():
        key = make_grant().key
        db.session.commit()
        db.session.remove()
    return app.test_client().post(f"/get/{key}", follow_redirects=True).text


def test_a_new_machine_gives_the_edition_before_until_the_changed_guide_is_printed(
        machine: Callable[..., Flask]) -> None:
    worker = machine("worker")
    printed(worker)
    web = machine("web")
    change(web, "Five things.")

    found = given(web).files["epub"]

    assert (found.is_newest, found.path.read_bytes()) == (False, given(worker).files["epub"].path.read_bytes())


def test_a_machine_killed_while_it_puts_leaves_nothing_half(
        machine: Callable[..., Flask], s3: S3, prefix: str, tmp_path: Path) -> None:
    worker, web = machine("worker", url=""), machine("web")
    printed(worker)
    place = given(worker).files["epub"].path.parent
    line = Trickle(s3.port, most=3000)
    killed = subprocess.Popen([sys.executable, "-c", f"""
from pathlib import Path
from handsel.offers.depot import Depot
from handsel.storage import Store, read
Depot(Store(read({s3.url(prefix, endpoint=line.endpoint)!r})), Path({worker.instance_path!r})).give(
    Path({str(place)!r}), "epub")
"""])
    wait_until(line.stalled.is_set, 20, "the upload is under way")

    killed.send_signal(signal.SIGKILL)
    killed.wait()
    line.stop()

    assert not [name for name in s3.objects(prefix) if name.endswith(".json")]
    assert "epub" not in given(web).files
    whole = machine("worker")
    printed(whole)
    look_again(web)
    assert given(web).files["epub"].path.read_bytes() == (place / "book.epub").read_bytes()


def test_what_arrives_damaged_is_never_given(
        machine: Callable[..., Flask], s3: S3, prefix: str, caplog: pytest.LogCaptureFixture) -> None:
    worker, web = machine("worker"), machine("web")
    printed(worker)
    name, data = next((name, data) for name, data in s3.objects(prefix).items() if name.endswith(".epub"))
    s3.put(prefix + name, data[:-100])

    assert "epub" not in given(web).files

    assert "is damaged. Delete that object's folder and restart a worker." in caplog.text
    assert list((Path(web.instance_path) / "books").rglob("*book.epub*")) == []


def test_editions_long_out_of_date_and_of_guides_that_are_gone_leave_the_store(
        machine: Callable[..., Flask], s3: S3, prefix: str) -> None:
    worker = machine("worker")
    for number in range(5):
        change(worker, f"Edition {number}.")
        printed(worker)
    s3.put(f"{prefix}/books/README", b"somebody else's")
    assert sum(name.endswith(".json") for name in s3.objects(prefix)) <= 4, "one too many, until the next time"
    printed(worker)
    assert sum(name.endswith(".json") for name in s3.objects(prefix)) == 3

    offer = Path(worker.config["PROJECT_ROOT"]) / "offers" / "guide" / "offer.md"
    offer.write_text(offer.read_text().replace("asset: guide/", "asset: guide.pdf"))
    worker.extensions["handsel.offers"].refresh()
    printed(worker)

    assert list(s3.objects(prefix)) == ["/books/README"]


def test_what_was_lost_from_the_store_is_put_there_again(machine: Callable[..., Flask], s3: S3, prefix: str) -> None:
    worker = machine("worker")
    printed(worker)
    before = s3.objects(prefix)
    storage.of(worker).delete([f"books{name.removeprefix('/books')}" for name in before])  # type: ignore[union-attr]
    assert s3.objects(prefix) == {}

    assert printed(worker) == []

    assert s3.objects(prefix) == before


def test_a_backup_says_that_printed_guides_are_not_in_it(
        machine: Callable[..., Flask], handsel: Callable[..., Any], s3: S3, prefix: str, tmp_path: Path) -> None:
    made = handsel("db", "backup", "-o", str(tmp_path / "b.zip"), HANDSEL_STORAGE_URL=s3.url(prefix))

    assert made.exit_code == 0, made.output
    assert (f"Printed guides in s3://handsel-files/{prefix} are not in it; a worker prints them anew from the chapters "
            "in offers/.") in made.output
