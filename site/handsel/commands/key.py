"""``handsel user key``: keys of machines to the API."""

from __future__ import annotations

import click

from handsel.cli import with_app

CONSOLE = "command line"


@click.group("key")
def key_command() -> None:
    """Keys with which programs read the API.

    \b
    Examples:
      handsel user key add dashboard
      handsel user key revoke hs_1a2b3c4d
    """


@key_command.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(["owner", "marketer", "sales", "product"]), default="marketer",
              show_default=True, help="What the program may read: what a person of this role may. `product` tells "
                                      "events and reads nothing.")
@with_app
def add(name: str, role: str) -> None:
    """Make a key and print it. It is shown this once; NAME says which program has it.

    \b
    Example:
      handsel user key add dashboard --role marketer
      handsel user key add our-app --role product
    """
    from handsel import db
    from handsel.accounts import keys

    with db.writing() as session:
        key, _ = keys.make(session, name, role, actor=CONSOLE)
    click.echo(key)
    click.echo("Keep it now: it cannot be shown again.", err=True)


@key_command.command("list")
@with_app
def list_keys() -> None:
    """List the keys with their names and roles; of the keys themselves only how they begin.

    \b
    Example:
      handsel user key list
    """
    from handsel.accounts import keys
    from handsel.db import db, instant_text

    rows = keys.every(db.session())
    if not rows:
        click.echo("There are no keys yet. Make one: handsel user key add NAME")
    for row in rows:
        state = f"revoked {instant_text(row.revoked_at)[:10]}" if row.revoked_at else "works"
        click.echo(f"hs_{row.prefix}…  {row.role:8}  {state:18}  made {instant_text(row.created_at)[:10]}  {row.name}")


@key_command.command("revoke")
@click.argument("key")
@with_app
def revoke(key: str) -> None:
    """Let a key work no more, at once. KEY is how it begins, such as hs_1a2b3c4d.

    \b
    Example:
      handsel user key revoke hs_1a2b3c4d
    """
    from handsel import db
    from handsel.accounts import keys

    with db.writing() as session:
        row = keys.revoke(session, key, actor=CONSOLE)
        name = row.name
    click.echo(f"The key of {name} works no more.")
