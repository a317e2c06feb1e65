"""``handsel leads show`` and ``handsel leads forget``: one person on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from handsel.cli import with_app

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from handsel.leads.models import Lead


@click.command("show")
@click.argument("who")
@click.option("--json", "as_json", is_flag=True, help="Everything that we hold about the person, as JSON.")
@with_app
def show_command(who: str, as_json: bool) -> None:
    """Show one lead. WHO is an e-mail address.

    \b
    Examples:
      handsel leads show ann@example.org
      handsel leads show ann@example.org --json > ann.json
    """
    from handsel.accounts import audit
    from handsel.db import db, writing
    from handsel.leads import show

    with writing() as session:
        lead = find(session, who)
        audit.record(session, "showed a lead", "command line", audit.of_lead(lead.key))
    session = db.session()
    lead = find(session, who)
    told = show.everything(session, lead)
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for name, value in told["lead"].items():
        if value not in ("", None, {}):
            click.echo(f"{name.removesuffix('_text'):16} {json.dumps(value) if isinstance(value, dict) else value}")
    click.echo("")
    for at, words in sorted(_events(told)):
        click.echo(f"{at[:16].replace('T', ' ')}  {words}")


def _capture(row: dict[str, str]) -> str:
    if row["form"] == "import":
        return f"came with a file ({row['source']})"
    waits = f" (waits: {row['quarantine']})" if row["quarantine"] else ""
    return f"form {row['form']} of {row['offer'] or 'the preferences page'}{waits}"


def _stage(row: dict[str, str]) -> str:
    why = row["reason"] or (f"the rule '{row['rule']}'" if row["rule"] else "")
    ready = " and ready for sales" if row["hands_over"] else ""
    return f"stage {row['stage']}{ready}" + (f" by {row['actor']}" if row["actor"] else "") + (f": {why}" if why else "")


def _events(told: dict[str, list[dict[str, str]]]) -> list[tuple[str, str]]:
    """What happened, by time (UTC), in a few words each."""
    events = [(row["at"], _capture(row)) for row in told["capture"]]
    events += [(row["proven_at"], "mailbox proven") for row in told["capture"] if row["proven_at"]]
    events += [(row["at"], f"consent {row['purpose']}: {row['state']} ({row['way']})") for row in told["consent"]]
    events += [(row["at"], f"download of {row['offer']}") for row in told["download"]]
    events += [(row["sent_at"] or row["due_at"], f"{row['kind']} {row['step'] or row['offer']}: {row['state']}")
               for row in told["message"]]
    events += [(row["at"], _stage(row)) for row in told["stage_change"]]
    events += [(row["at"], f"sale of {int(row['cents']) / 100:.2f} {row['currency']}") for row in told["sale"]]
    return events


@click.command("forget")
@click.argument("who")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_app
def forget_command(who: str, yes: bool) -> None:
    """Erase one person for good. WHO is an e-mail address.

    What stays are counts, and a hash of the address that keeps our letters away from it.

    \b
    Example:
      handsel leads forget ann@example.org
    """
    from handsel import clock
    from handsel.db import db, writing
    from handsel.leads import forget

    lead = find(db.session(), who)
    if not yes:
        click.confirm(f"Erase {lead.email} and all that hangs on it?", abort=True)
    with writing() as session:
        lead = find(session, who)
        address = lead.email
        forget.forget(session, lead, clock.now(), "command line")
    forget.scrub()
    forget.clear_inbox(address)
    click.echo(f"{address} is erased.")


def find(session: Session, who: str) -> Lead:
    """The lead of an address. Raises HandselError if there is none."""
    from sqlalchemy import select

    from handsel.errors import HandselError
    from handsel.leads.address import normalised
    from handsel.leads.models import Lead

    lead = session.scalars(select(Lead).where(Lead.email == normalised(who))).first()
    if lead is None:
        raise HandselError("handsel leads", f"There is no lead with the address {who}.",
                           "Look for it with: handsel leads export --search WORDS")
    return lead
