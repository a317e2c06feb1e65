"""``handsel purge``: throw away what we promised not to keep."""

from __future__ import annotations

import click

from handsel.cli import with_app


@click.command("purge")
@with_app
def purge_command() -> None:
    """Throw away what is too old to keep.

    The worker does the same by itself once a day.

    Example: handsel purge
    """
    from flask import current_app

    from handsel import clock
    from handsel.worker.purge import purge

    thrown = purge(current_app, clock.now())
    for what, number in thrown.items():
        click.echo(f"{number:8}  {what}")
    if not thrown:
        click.echo("Nothing was too old.")
