"""``handsel doctor``: is this installation fit for the world?"""

from __future__ import annotations

import sys

import click

from handsel.cli import opened


@click.command("doctor")
def doctor_command() -> None:
    """Name every unsafe or missing setting.

    Says what to do about each, and ends with exit code 1 if there is any. Looks at settings, keys, folders, disk,
    database, mail server, DNS, queue, clocks, files, shared storage, accounts and backups. Nothing is changed and no
    mail is sent; into shared storage it puts a small object, and takes it away again.

    Example: handsel doctor
    """
    from handsel.doctor import examine

    with opened() as app:
        found = examine(app)
    for finding in sorted(found, key=lambda finding: not finding.bad):
        mark = click.style("mend", fg="red") if finding.bad else click.style("know", fg="yellow")
        click.echo(f"{mark}  {finding.where}: {finding.what}\n      {finding.do}")
    bad = sum(finding.bad for finding in found)
    if bad:
        click.echo(f"\n{bad} to mend before the world may come.")
        sys.exit(1)
    click.echo("All is well.")
