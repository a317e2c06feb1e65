"""Putting the house together: settings, database, subjects, audiences, in this order."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from handsel import bytecode, clock, config, db, headers, limits, schema, storage


def assemble(root: Path, given: dict[str, Any]) -> Flask:
    """The application of the project at ``root``; see ``handsel.create_app``."""
    settings = config.load(root, given)
    instance = root / "instance"
    instance.mkdir(mode=0o700, exist_ok=True)  # leads and keys are nobody else's
    app = Flask("handsel", instance_path=str(instance), static_folder=None)
    app.config.update(given, PROJECT_ROOT=root, HANDSEL_SETTINGS=settings)
    app.config.update({name: value.value for name, value in settings.items()})
    app.config["SECRET_KEY"] = settings["SECRET_KEY"].value or config.secret_key(instance)
    app.config["MAX_CONTENT_LENGTH"] = settings["MAX_BODY_BYTES"].value
    if settings["CLOCK_FILE"].value:
        clock.use(clock.ShiftedClock(Path(settings["CLOCK_FILE"].value)))
    db.init(app, settings["DATABASE_URL"].value, settings["SYNCHRONOUS"].value)
    if "flask_migrate" in sys.modules:  # the `flask` command has loaded it; then its `flask db` works too
        schema.prepare(app)
    bytecode.init_app(app)
    headers.init_app(app)
    limits.init_app(app)
    storage.init_app(app)
    _subjects(app)
    _audiences(app)
    proxies = settings["TRUSTED_PROXIES"].value
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, proxies, proxies, proxies, proxies)  # type: ignore[method-assign]
    return app


def _subjects(app: Flask) -> None:
    """Each subject with something to keep open hangs it under ``app.extensions["handsel.<name>"]``."""
    from handsel import accounts, leads, mail, offers, traffic

    for subject in (offers, accounts, traffic, mail, leads):
        subject.init_app(app)


def _audiences(app: Flask) -> None:
    from handsel import api, desk, marketing, owner, public, sales

    desk.init_app(app)
    for audience in (owner, marketing, sales, api, public):
        audience.init_app(app)
    desk.check_roles(app)


def close(app: Flask) -> None:
    """End what the parts keep open (threads, files, unwritten rows): before a process ends, and after a test.

    Each part under ``app.extensions["handsel.…"]`` that has a ``close()`` is closed, the last one hung up first.
    """
    for name, part in reversed(list(app.extensions.items())):
        if name.startswith("handsel.") and hasattr(part, "close"):
            part.close()
