"""``handsel run`` and ``handsel serve``: the site in a few processes under one parent."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import click

from handsel import __version__, config
from handsel.cli import project_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from handsel.processes import Child, Parent

HOST = click.option("--host", default="127.0.0.1", show_default=True,
                    help="The address to listen on; 0.0.0.0 for all of this machine's.")
PORT = click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="The port.")
WORKERS = click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64),
                       help="Web processes; each answers many requests at once.")


@click.command("run")
@HOST
@PORT
@WORKERS
def run_command(host: str, port: int, workers: int) -> None:
    """Run the whole site: web, mail worker, inbox.

    Brings the database up to date, prints where to go and a sign-in link, and runs until Ctrl-C. While no mail server
    is set, mail is caught in the inbox of the desk.

    Example: handsel run --port 8080
    """
    from handsel.processes import undisturbed

    root = project_root()
    with undisturbed():
        parent = _whole_site(root, host, port, workers)
    _keep(parent, root)
    click.echo("Stopped.")


def _whole_site(root: Path, host: str, port: int, workers: int) -> Parent:
    from handsel import assembly, create_app, schema, server
    from handsel.accounts import first_link, links
    from handsel.db import db

    given = _own_address(root, host, port)
    listener = server.listen(host, port)
    app = create_app(root, **given)
    server.start_log(app)
    with app.app_context():
        before, after = schema.upgrade()
        link = first_link(app, base_url=_base(app, host, port))
        db.session.remove()
        db.engine.dispose()  # children must not share a connection
    links.remember_address(root / "instance", _base(app, host, port))
    assembly.close(app)
    if before not in {"", after}:
        click.echo(f"Brought the database from release {before} to {after}.")

    def tell(word: dict[str, Any]) -> None:
        _say_where(root, word, link, inbox=not app.config["MAIL_URL"])

    parent = _parent(tell)
    for number in range(workers):
        parent.add(f"web-{number + 1}", server.web(listener, root, given, _news(_base(app, host, port))), rolling=True)
    parent.add("mail", server.mail(listener, root, given))
    return parent


@click.command("serve")
@HOST
@PORT
@WORKERS
def serve_command(host: str, port: int, workers: int) -> None:
    """Serve the web pages only; `handsel work` sends the mail.

    For many processes or machines on one PostgreSQL. SIGHUP starts the workers anew without refusing a visitor.

    Example: handsel serve --host 0.0.0.0 --workers 4
    """
    from handsel.processes import undisturbed

    root = project_root()
    with undisturbed():
        parent = _web_alone(root, host, port, workers)
    _keep(parent, root)


def _web_alone(root: Path, host: str, port: int, workers: int) -> Parent:
    from handsel import create_app, schema, server
    from handsel.db import db

    listener = server.listen(host, port)
    app = create_app(root)
    server.start_log(app)
    with app.app_context():
        schema.require_current()
        db.engine.dispose()
    base = _base(app, host, port)
    parent = _parent(lambda word: click.echo(f"Handsel {__version__} serves {word['name']} on {base}"))
    for number in range(workers):
        parent.add(f"web-{number + 1}", server.web(listener, root, {}, _news(base)), rolling=True)
    return parent


def _keep(parent: Parent, root: Path) -> None:
    from handsel import backup

    with backup.in_use(root / "instance"):
        parent.run()


def _own_address(root: Path, host: str, port: int) -> dict[str, Any]:
    """For trying out, links lead to where we listen, whatever address the site will have one day."""
    settings = config.load(root)
    if settings["ENV"].value == "production" or settings["SITE_URL"].value:
        return {}
    return {"SITE_URL": _local(host, port)}


def _local(host: str, port: int) -> str:
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104  the words for "everywhere" are no place to go to
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _base(app: Flask, host: str, port: int) -> str:
    return str(app.config["SITE_URL"] or _local(host, port)).rstrip("/") + "/"


def _news(base: str) -> Callable[[Flask], dict[str, Any]]:
    """What the first web worker tells its parent: the site's name, its offers, and how many faults its files have."""

    def news(app: Flask) -> dict[str, Any]:
        project = app.extensions["handsel.offers"].project
        return {
            "base": base, "name": project.site.name, "faults": len(project.faults),
            "offers": [(offer.meta.title, f"/offers/{offer.slug}/") for offer in project.offers.values()],
        }

    return news


def _parent(tell: Callable[[dict[str, Any]], None]) -> Parent:
    from handsel.processes import Parent

    told = False

    def on_ready(child: Child, word: bytes) -> None:
        nonlocal told
        if child.rolling and not told:
            told = True
            tell(json.loads(word))
        else:
            logging.getLogger("handsel.processes").info("the %s process is ready", child.name)

    return Parent(on_ready)


def _say_where(root: Path, word: dict[str, Any], link: str, inbox: bool) -> None:
    base = word["base"]
    click.echo(f"\nHandsel {__version__} serves {click.style(word['name'], bold=True)} from {root}\n")
    click.echo(f"  Site     {base}")
    for title, path in word["offers"]:
        click.echo(f"  Offer    {urljoin(base, path)}   {title}")
    if inbox:
        click.echo(f"  Inbox    {urljoin(base, '/desk/inbox')}   mail is caught here until HANDSEL_MAIL_URL is set")
    click.echo(f"  Desk     {urljoin(base, '/desk/')}")
    click.echo(f"  Sign in  {link}   (works once)")
    if word["faults"]:
        some = "1 fault" if word["faults"] == 1 else f"{word['faults']} faults"
        click.echo(f"\n  {some} in the files; see them with: handsel check")
    click.echo("\nStop with Ctrl-C.", nl=True)
