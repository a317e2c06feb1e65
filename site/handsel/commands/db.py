"""``handsel db``: bring the database up to date, back it up, restore it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from handsel.cli import opened, with_app


@click.group("db")
def db_command() -> None:
    """Upgrade, back up and restore the database.

    \b
    Example:
      handsel db backup -o /backups/handsel-today
    """


@db_command.command()
def upgrade() -> None:
    """Bring the tables to this release; `handsel run` does it by itself.

    One process upgrades while others wait, and a step that is interrupted is as if it had not begun.

    Example: handsel db upgrade
    """
    from handsel import schema

    with opened():
        before, after = schema.upgrade()
    if before == after:
        click.echo(f"The database is up to date (release {after}).")
    else:
        click.echo(f"Brought the database from {f'release {before}' if before else 'nothing'} to release {after}.")


@db_command.command()
@click.option("-o", "--output", metavar="FILE", help="The file to write, or - for standard output; otherwise a new "
                                                      "one in instance/backups/.")
@with_app
def backup(output: str | None) -> None:
    """Write a backup while the site runs.

    It holds every lead that was acknowledged before the command began, a checksum, and no passwords or keys: keep
    instance/secret_key and instance/config.toml at another safe place. Printed guides are not in it, wherever they are
    kept: the worker prints them anew from the chapters in offers/, which belong in Git with content/ and forms/.

    Example: handsel db backup -o /mnt/backups/monday.zip
    """
    from flask import current_app

    from handsel import backup as backups
    from handsel import clock, storage

    if output == "-":
        backups.write(sys.stdout.buffer)
        return
    folder = Path(current_app.instance_path) / "backups"
    path = Path(output) if output else folder / f"handsel-{clock.now():%Y-%m-%d-%H%M%S}.zip"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        unfinished.chmod(0o600)
        manifest = backups.write(file)
    unfinished.rename(path)
    rows = manifest["rows"]
    click.echo(f"Wrote {path}: {rows['lead']} leads, {rows['capture']} captures, {rows['message']} messages.")
    store = storage.of(current_app)
    if store is not None:
        click.echo(f"Printed guides in {store} are not in it; a worker prints them anew from the chapters in offers/.")


@db_command.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path, yes: bool) -> None:
    """Put a backup in the place of the database.

    Stop the site first. Afterwards all mail is held, since much of what the backup remembers as waiting may have gone
    out since: look at it with `handsel mail due`, and let it go with `handsel mail release`. Whoever was erased since
    the backup is erased again, if the present database or instance/erased.txt remembers it.

    Example: handsel db restore instance/backups/handsel-2026-11-22-130000.zip
    """
    from sqlalchemy import func, select

    from handsel import backup as backups
    from handsel import clock, schema
    from handsel.accounts import audit
    from handsel.db import db, write_connection, writing
    from handsel.leads import erased
    from handsel.mail import pauses
    from handsel.mail.models import Message

    with opened():
        manifest = backups.read_manifest(file)
        rows = manifest["rows"]
        click.echo(f"A backup of {manifest['at']}: {rows['lead']} leads, {rows['message']} messages.")
        if not yes:
            click.confirm("Put it in the place of the present database?", abort=True)
        gone = erased.remembered()
        backups.restore(file)
        schema.upgrade()
        with write_connection() as connection:
            pauses.hold(connection, clock.now(), f"restored from the backup of {manifest['at']}")
        again = erased.erase_again(gone or {}, "command line")
        with writing() as session:
            audit.record(session, "restored a backup", "command line", "database",
                         {"of": manifest["at"], "erased again": again})
        waiting = db.session.scalar(select(func.count()).select_from(Message).where(Message.state == "queued"))
    if gone is None:
        click.echo("The present database could not say who was erased since the backup. Erase them again: "
                   "handsel leads forget")
    elif again:
        click.echo(f"Erased {again} leads again who had been erased since the backup.")
    click.echo(f"Restored. All mail is held; {waiting} messages wait. See them with `handsel mail due`, and let them "
               "go with `handsel mail release`.")
