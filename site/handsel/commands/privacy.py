"""``handsel privacy``: what this installation does with personal data."""

from __future__ import annotations

import json

import click

from handsel.cli import with_app


@click.group("privacy")
def privacy_command() -> None:
    """Say what this installation does with personal data.

    \b
    Example:
      handsel privacy report
    """


@privacy_command.command("report")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@with_app
def report(as_json: bool) -> None:
    """Print the register of processing: purposes, forms, tables, receivers and how long everything is kept.

    It is made of the settings, the files and the tables as they are now, so it is true as long as nothing changes. For
    one person's data, see: handsel leads show --json, handsel leads proof.

    \b
    Examples:
      handsel privacy report
      handsel privacy report --json > register.json
    """
    from flask import current_app

    from handsel.leads.privacy import register
    from handsel.offers.live import current

    told = register.register(current(), current_app.config)
    click.echo(json.dumps(told, indent=2, ensure_ascii=False) if as_json else "\n".join(register.lines(told)))
