"""The repository's own site beside the small sample: what visitors of a real one would get."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from handsel import assembly, create_app

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's content, offers and forms. Tests share it and do not write to it."""
    folder = tmp_path_factory.mktemp("house") / "project"
    for name in ("content", "offers", "forms"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "instance").mkdir()
    return folder


KEY = "a key for tests, long enough to be taken for a real one"


def open_app(root: Path, database: Path, template: Path) -> Flask:
    shutil.copyfile(template, database)
    return create_app(
        root,
        ENV="test",
        SECRET_KEY=KEY,
        SITE_URL="http://localhost",
        RATE_LIMITS="off",
        DATABASE_URL=f"sqlite:///{database}",
    )


@pytest.fixture
def site(house: Path, sqlite_template: Path, tmp_path: Path) -> Iterator[Flask]:
    """An application on the repository's own site."""
    app = open_app(house, tmp_path / "house.db", sqlite_template)
    yield app
    assembly.close(app)


@pytest.fixture
def small(project: Path, sqlite_template: Path, tmp_path: Path) -> Iterator[Flask]:
    """An application on the test's own project, for tests in which the database plays no part."""
    app = open_app(project, tmp_path / "small.db", sqlite_template)
    yield app
    assembly.close(app)


@pytest.fixture
def ask() -> Callable[..., tuple[str, dict[str, str], bytes]]:
    """``ask(app, "/path", **environ)``: one request as a server hands it in; (status, headers, body as sent)."""

    def get(app: Flask, path: str, **more: str) -> tuple[str, dict[str, str], bytes]:
        from werkzeug.test import EnvironBuilder

        method = more.pop("method", "GET")
        environ = EnvironBuilder(path, base_url=more.pop("base_url", None), method=method).get_environ()
        environ |= {
            "PATH_INFO": path.encode().decode("latin-1"),
            "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
            "REMOTE_ADDR": "198.51.100.7",
            **more,
        }
        said: list[tuple[str, list[tuple[str, str]]]] = []
        body = b"".join(app.wsgi_app(environ, lambda status, headers, *_: said.append((status, headers))))
        status, headers = said[0]
        return status, dict(headers), body

    return get
