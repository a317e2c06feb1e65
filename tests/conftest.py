"""The fixtures of all tests: a project, both databases, a clock, a mail server, a running site, a browser."""

from __future__ import annotations

import contextvars
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page
from sqlalchemy import text

from handsel import assembly, cli, create_app, schema
from handsel import clock as handsel_clock
from handsel.db import db
from support.clock import Clock
from support.postgres import Postgres
from support.running import Site
from support.smtp import FaultyServer

SAMPLE = Path(__file__).parent / "sample"
KEY = "a key for tests, long enough to be taken for a real one"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of tests/sample/ that the test may change."""
    folder = tmp_path / "project"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("instance"))
    (folder / "instance").mkdir()
    return folder


@pytest.fixture(scope="session")
def postgres() -> Postgres:
    """The PostgreSQL server of this run."""
    return Postgres()


def _make_tables() -> None:
    """The tables as the models say; tests/process proves that the migrations make the same."""
    db.create_all()
    with db.engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": schema.head()})


def _empty_project(folder: Path) -> Path:
    (folder / "content").mkdir(parents=True)
    return folder


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a migrated database that tests copy."""
    url = postgres.create()
    app = create_app(_empty_project(tmp_path_factory.mktemp("template") / "p"), ENV="test", SECRET_KEY=KEY,
                     DATABASE_URL=url.render_as_string(hide_password=False))
    with app.app_context():
        _make_tables()
        db.engine.dispose()
    assembly.close(app)
    assert url.database is not None
    yield url.database
    postgres.drop(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file that tests copy."""
    root = _empty_project(tmp_path_factory.mktemp("template") / "s")
    app = create_app(root, ENV="test", SECRET_KEY=KEY)
    with app.app_context():
        _make_tables()
        db.engine.dispose()
    assembly.close(app)
    path = root / "instance" / "handsel.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def engine_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated, empty database of the test's own: a test that takes it runs once on each engine."""
    if request.param == "sqlite":
        path = tmp_path / "test.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.create(request.getfixturevalue("postgres_template"))
    yield url.render_as_string(hide_password=False)
    postgres.drop(url)


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, engine_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table, on the engine of ``engine_url``."""
    if engine_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.create()
    yield url.render_as_string(hide_password=False)
    postgres.drop(url)


class Client(FlaskClient):
    """A client whose requests know nothing of the test's own application context, as over a network."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        response = contextvars.Context().run(super().open, *args, **kwargs)
        if has_app_context():
            db.session.rollback()  # so that the test sees what the request committed
        return response


@pytest.fixture
def make_app(project: Path, engine_url: str) -> Iterator[Callable[..., Flask]]:
    """Builds an application on the test's project and database; settings as keywords."""
    made: list[Flask] = []

    def make(**config: Any) -> Flask:
        app = create_app(project, **{"ENV": "test", "SECRET_KEY": KEY, "SITE_URL": "http://localhost", "TESTING": True,
                                     "RATE_LIMITS": "off", "DATABASE_URL": engine_url} | config)
        app.test_client_class = Client
        made.append(app)
        return app

    yield make
    for app in made:
        assembly.close(app)
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """The application, with its context open for the test's own look into the database. Limits are off."""
    app = make_app()
    with app.app_context():
        yield app
        db.session.remove()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without scripts."""
    return app.test_client()


@pytest.fixture
def handsel(project: Path, engine_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command of ours on the test's project and database."""
    monkeypatch.setenv("HANDSEL_DATABASE_URL", engine_url)
    monkeypatch.setenv("HANDSEL_ENV", "test")

    def run(*arguments: str, **environ: str) -> Result:
        return CliRunner().invoke(cli.group, ["--project", str(project), *arguments], env=environ)

    return run


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The clock of this process, which stands still; for other processes see ``Site.move_clock``."""
    moved = Clock()
    handsel_clock.use(moved)
    yield moved
    handsel_clock.use(handsel_clock.system_now)


@pytest.fixture
def smtp() -> Iterator[FaultyServer]:
    """A real mail server: ``smtp.url``, ``smtp.wait()``, ``smtp.fail("rcpt", "550 no such mailbox")``."""
    server = FaultyServer()
    yield server
    server.stop()


@pytest.fixture
def start_site(project: Path) -> Iterator[Callable[..., Site]]:
    """Starts ``handsel run`` on the test's project; see Site for what it takes."""
    sites: list[Site] = []

    def start(*args: Any, wait: bool = True, **settings: Any) -> Site:
        site = Site(settings.pop("project", project), *args, **settings)
        sites.append(site)
        return site.start(wait)

    yield start
    for site in sites:
        site.stop()


@pytest.fixture
def running(start_site: Callable[..., Site], smtp: FaultyServer) -> Site:
    """A running site on SQLite that hands its mail to ``smtp``: ``running.url``, ``running.sign_in``."""
    return start_site(mail_url=smtp.url)


# The browser: Debian's Chromium, driven by Playwright.

CHROMIUM = os.environ.get("HANDSEL_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return browser_type_launch_args | {
        "executable_path": CHROMIUM,
        "args": ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
    }


@pytest.fixture
def axe() -> Callable[..., None]:
    """``axe(page)`` fails with what axe-core finds wrong on the page as it stands; ``axe(page, "color-contrast")`` asks
    for some rules alone."""
    from axe_playwright_python.base import AXE_SCRIPT

    def check(page: Any, *rules: str) -> None:
        if not page.evaluate("typeof axe === 'object'"):
            page.evaluate(AXE_SCRIPT)
        options = {"resultTypes": ["violations"]} | ({"runOnly": {"type": "rule", "values": rules}} if rules else {})
        found = page.evaluate("options => axe.run(options).then(told => told.violations)", options)
        said = [f"{item['id']}: {item['help']}: {', '.join(str(node['target']) for node in item['nodes'][:5])}"
                for item in found]
        assert not said, f"{page.url}\n" + "\n".join(said)

    return check


@pytest.fixture
def posting(make_app: Callable[..., Flask], smtp: FaultyServer, clock: Clock) -> Iterator[Flask]:
    """The application with a mail server, time standing at NOON; its context is open."""
    app = make_app(MAIL_URL=smtp.url, MAIL_TIMEOUT=0.5)
    with app.app_context():
        yield app
        db.session.remove()


@pytest.fixture
def work(posting: Flask, engine_url: str, project: Path, smtp: FaultyServer,
         clock: Clock) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts ``handsel work`` on the test's project and database; time is the system's, as it is for that process."""
    clock.set(handsel_clock.system_now())
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        settings = os.environ | {"HANDSEL_DATABASE_URL": engine_url, "HANDSEL_MAIL_URL": smtp.url,
                                 "HANDSEL_ENV": "test", "HANDSEL_SECRET_KEY": KEY,
                                 "HANDSEL_SITE_URL": "http://localhost"}
        started.append(subprocess.Popen([sys.executable, "-m", "handsel", "--project", str(project), "work"],
                                        env=settings))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def look(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page of a browser of its own, with options such as ``viewport`` and ``color_scheme``."""
    contexts = []

    def open_(**options: Any) -> Page:
        contexts.append(browser.new_context(**options))
        page: Page = contexts[-1].new_page()
        return page

    yield open_
    for context in contexts:
        context.close()
