"""``handsel user``: who may enter the desk."""

from __future__ import annotations

import sys

import click

from handsel.cli import with_app
from handsel.commands.key import key_command

CONSOLE = "command line"


@click.group("user")
def user_command() -> None:
    """Add people to the desk, change what they may do, and let them in; make keys for programs.

    \b
    Examples:
      handsel user add ada@example.org --role owner
      handsel user link ada@example.org
    """


user_command.add_command(key_command)


@user_command.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(["owner", "marketer", "sales"]), default="sales", show_default=True,
              help="What the person may do.")
@click.option("--name", default="", help="The person's name.")
@with_app
def add(email: str, role: str, name: str) -> None:
    """Add an account and print a link with which the person signs in and chooses a password.

    \b
    Example:
      handsel user add ada@example.org --role marketer --name "Ada Marsh"
    """
    from handsel import db
    from handsel.accounts import roster

    with db.writing() as session:
        account = roster.add(session, email, role, name, actor=CONSOLE)
        address = account.email
        link = _link(session, account.id)
    click.echo(f"{address} has an account ({role}). This link signs in once, within a day:\n{link}")


@user_command.command("list")
@with_app
def list_accounts() -> None:
    """List the accounts with their roles.

    \b
    Example:
      handsel user list
    """
    from sqlalchemy import select

    from handsel.accounts.models import Account
    from handsel.db import db, instant_text

    accounts = db.session.scalars(select(Account).order_by(Account.email)).all()
    if not accounts:
        click.echo("There are no accounts yet. Add one: handsel user add you@example.org --role owner")
    for account in accounts:
        state = "disabled" if not account.active else "active" if account.password_hash else "no password"
        seen = instant_text(account.signed_in_at)[:10] if account.signed_in_at else "never"
        click.echo(f"{account.email:40}  {account.role:8}  {state:11}  signed in {seen:10}  {account.name}".rstrip())


@user_command.command("role")
@click.argument("email")
@click.argument("role", type=click.Choice(["owner", "marketer", "sales"]))
@with_app
def role(email: str, role: str) -> None:
    """Give an account another role; it signs in anew.

    \b
    Example:
      handsel user role ada@example.org owner
    """
    from handsel import db
    from handsel.accounts import roster

    with db.writing() as session:
        roster.change_role(session, roster.named(session, email), role, actor=CONSOLE)
    click.echo(f"{email} is now {role}.")


@user_command.command("disable")
@click.argument("email")
@click.option("--undo", is_flag=True, help="Let the account in again.")
@with_app
def disable(email: str, undo: bool) -> None:
    """Shut an account out at once; its sessions and links end.

    \b
    Example:
      handsel user disable ada@example.org
    """
    from handsel import db
    from handsel.accounts import roster

    with db.writing() as session:
        act = roster.enable if undo else roster.disable
        act(session, roster.named(session, email), actor=CONSOLE)
    click.echo(f"{email} may sign in again." if undo else f"{email} is disabled and signed out.")


@user_command.command("link")
@click.argument("email")
@with_app
def link(email: str) -> None:
    """Print a link that signs an account in once, within a day.

    \b
    Example:
      handsel user link ada@example.org
    """
    from handsel import db
    from handsel.accounts import audit, roster
    from handsel.errors import HandselError

    with db.writing() as session:
        account = roster.named(session, email)
        if not account.active:
            raise HandselError(email, "The account is disabled.", f"Run: handsel user disable --undo {email}")
        audit.record(session, "made a sign-in link", CONSOLE, f"account:{account.id}")
        address = _link(session, account.id)
    click.echo(address)


@user_command.command("password")
@click.argument("email")
@click.option("--stdin", is_flag=True, help="Read the password from standard input.")
@with_app
def password(email: str, stdin: bool) -> None:
    """Set an account's password; it is asked for and not shown. Every session of the account ends.

    \b
    Examples:
      handsel user password ada@example.org
      pass show handsel | handsel user password ada@example.org --stdin
    """
    from handsel import db
    from handsel.accounts import roster

    with db.writing() as session:
        roster.named(session, email)
    typed = sys.stdin.readline().rstrip("\n") if stdin else click.prompt("New password", hide_input=True,
                                                                        confirmation_prompt=True, err=True)
    with db.writing() as session:
        roster.set_password(session, roster.named(session, email), typed, actor=CONSOLE)
    click.echo(f"{email} has a new password.")


def _link(session: object, account_id: int) -> str:
    from flask import current_app
    from sqlalchemy.orm import Session

    from handsel import clock
    from handsel.accounts import links

    assert isinstance(session, Session)
    secret, _ = links.make(session, account_id, clock.now(), links.FROM_CONSOLE)
    return links.link_address(current_app, secret)
