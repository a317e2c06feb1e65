"""Putting the house together: settings, database, subjects, audiences, in this order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from handsel import clock, config, db


def assemble(root: Path, given: dict[str, Any]) -> Flask:
    """The application of the project at ``root``; see ``handsel.create_app``."""
    settings = config.load(root, given)
    instance = root / "instance"
    instance.mkdir(exist_ok=True)
    app = Flask("handsel", instance_path=str(instance), static_folder=None)
    app.config.update({name: value.value for name, value in settings.items()})
    app.config.update(given, PROJECT_ROOT=root, HANDSEL_SETTINGS=settings)
    app.config["SECRET_KEY"] = settings["SECRET_KEY"].value or config.secret_key(instance)
    app.config["MAX_CONTENT_LENGTH"] = settings["MAX_BODY_BYTES"].value
    if settings["CLOCK_FILE"].value:
        clock.use(clock.ShiftedClock(Path(settings["CLOCK_FILE"].value)))
    db.init(app, settings["DATABASE_URL"].value, settings["SYNCHRONOUS"].value)
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
    from handsel import api, marketing, owner, public, sales

    for audience in (owner, marketing, sales, api, public):
        audience.init_app(app)
