"""``handsel audit``: is everything that was written down still as it was?"""

from __future__ import annotations

import click

from handsel.cli import with_app

SHORTEST = 16  # signs of a seal: fewer could fit by chance
SHOWN = 50  # faults that are named one by one; who changed more than that is found by the first


@click.group("audit")
def audit_command() -> None:
    """Look whether the log of the desk and the consent ledger are untouched.

    \b
    Example:
      handsel audit verify
    """


@audit_command.command("verify")
@click.option("--expect", "expected", multiple=True, metavar="SEAL",
              help="A seal that was printed earlier and must still be there; may be given several times.")
@with_app
def verify(expected: tuple[str, ...]) -> None:
    """Find every entry of the log and every consent that was changed, removed or put in since it was sealed.

    Each entry seals the one before it, so a change shows. What a look at the database alone cannot show is that the
    newest entries were cut off or that all was made anew: keep the two seals that are printed somewhere else, and ask
    for them later with --expect.

    \b
    Examples:
      handsel audit verify
      handsel audit verify --expect 0f3a9c…
    """
    from handsel.accounts import audit
    from handsel.db import snapshot
    from handsel.leads.ledger import checking

    with snapshot() as connection:
        log, ledger = audit.verify(connection), checking.check(connection)
        lost = [seal for seal in expected if len(seal.strip()) < SHORTEST or not any(
            holds(connection, seal.strip().lower()) for holds in (audit.holds, checking.holds))]
    click.echo(f"Log      {log.entries:,} entries; newest seal {log.head or '(none)'}")
    click.echo(f"Ledger   {ledger.entries:,} entries over {ledger.consents:,} consents, {ledger.waiting:,} not sealed "
               f"yet, {ledger.erased:,} erased, {ledger.moved:,} moved; newest seal {ledger.head or '(none)'}")
    faults = [f"log entry {number}: It was changed, or the entry before it was removed." for number in log.wrong]
    faults += [f"{fault.where}: {fault.what}" for fault in ledger.faults]
    faults += [f"--expect {seal}: No entry has this seal. The end was cut off, or all was made anew." for seal in lost]
    for fault in faults[:SHOWN]:
        click.echo(fault, err=True)
    if len(faults) > SHOWN:
        click.echo(f"… and {len(faults) - SHOWN:,} more.", err=True)
    if faults:
        click.echo("Compare with a backup from before: handsel db restore, in a copy of the project.", err=True)
        raise SystemExit(1)
    click.echo("Nothing was changed, removed or put in.")

