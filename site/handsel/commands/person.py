"""``handsel leads show``, ``proof`` and ``forget``: one person on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from handsel.cli import with_app

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from handsel.leads.models import Lead

NO_DAY = "9000"  # letters that are held, or wait for sales, stand beyond all days that come


@click.command("show")
@click.argument("who")
@click.option("--json", "as_json", is_flag=True, help="Everything that we hold about the person, as JSON.")
@click.option("--zip", "as_zip", metavar="FILE", help="Everything, as a zip of CSV tables; - is standard output.")
@with_app
def show_command(who: str, as_json: bool, as_zip: str | None) -> None:
    """Show one lead. WHO is an e-mail address.

    With --json or --zip it is the answer to a person who asks what we hold: every row of every table that tells of
    them, with all mailboxes that somebody merged, and without the names of who works here.

    \b
    Examples:
      handsel leads show ann@example.org
      handsel leads show ann@example.org --json > ann.json
      handsel leads show ann@example.org --zip ann.zip
    """
    from handsel.accounts import audit
    from handsel.db import db, writing
    from handsel.leads.privacy import parcel

    with writing() as session:
        lead = find(session, who)
        audit.record(session, "showed a lead", "command line", audit.of_lead(lead.key))
    session = db.session()
    lead = find(session, who)
    told = parcel.everything(session, lead, staff=not (as_json or as_zip))
    if as_json:
        click.echo(parcel.as_json(told))
        return
    if as_zip:
        with click.open_file(as_zip, "wb") as file:
            file.write(parcel.as_zip(told))
        return
    for name, value in told["lead"].items():
        if value not in ("", None, {}):
            click.echo(f"{name.removesuffix('_text'):16} {json.dumps(value) if isinstance(value, dict) else value}")
    click.echo("")
    for at, words in sorted(_events(told)):
        click.echo(f"{at[:16].replace('T', ' ') if at < NO_DAY else 'waits':16}  {words}")


def _capture(row: dict[str, str]) -> str:
    if row["form"] == "import":
        return f"came with a file ({row['source']})"
    waits = f" (waits: {row['quarantine']})" if row["quarantine"] else ""
    return f"form {row['form']} of {row['offer'] or 'the preferences page'}{waits}"


def _stage(row: dict[str, str]) -> str:
    why = row["reason"] or (f"the rule '{row['rule']}'" if row["rule"] else "")
    ready = " and ready for sales" if row["hands_over"] else ""
    by = f" by {row['actor']}" if row["actor"] else ""
    return f"stage {row['stage']}{ready}{by}" + (f": {why}" if why else "")


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


@click.command("proof")
@click.argument("who")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@with_app
def proof_command(who: str, as_json: bool) -> None:
    """Print what proves each consent of a person. WHO is an e-mail address.

    The exact words, the form, page and variant they stood on, when and how they were agreed to, from which network and
    browser, the mail by which the mailbox was proven and what the mail server answered, and the seal of each event in
    the consent ledger, with the word whether it still fits.

    \b
    Examples:
      handsel leads proof ann@example.org
      handsel leads proof ann@example.org --json > proof.json
    """
    from flask import current_app

    from handsel.accounts import audit
    from handsel.db import db, writing
    from handsel.leads.address import normalised
    from handsel.leads.ledger import proof
    from handsel.mail.compose import message_id
    from handsel.offers.live import current
    from handsel.worker.house import house

    with writing() as session:
        lead = _lead_of(session, who)
        if lead is not None:
            audit.record(session, "printed the proof of consents", "command line", audit.of_lead(lead.key))
    domain, secret = house(current_app, current().site).domain, str(current_app.config["SECRET_KEY"]).encode()
    told = proof.proof(db.session(), normalised(who), lambda key: message_id(secret, key, domain))
    click.echo(json.dumps(told, indent=2, ensure_ascii=False) if as_json else "\n".join(proof.lines(told)))
    if not told["fits"]:
        raise SystemExit(1)


@click.command("forget")
@click.argument("who")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_app
def forget_command(who: str, yes: bool) -> None:
    """Erase one person for good. WHO is an e-mail address.

    With it go the mailboxes that somebody merged with this one. What stays are counts, and a hash of each address that
    keeps our letters away from it.

    \b
    Example:
      handsel leads forget ann@example.org
    """
    from handsel import clock
    from handsel.db import db, writing
    from handsel.leads import forget
    from handsel.leads.privacy import parcel

    boxes = [box.email for box in parcel.mailboxes(db.session(), find(db.session(), who))]
    if not yes:
        click.confirm(f"Erase {' and '.join(boxes)}, and all that hangs on {'it' if len(boxes) == 1 else 'them'}?",
                      abort=True)
    at = clock.now()
    with writing() as session:
        lead = find(session, who)
        since = lead.captured_at
        addresses = forget.forget_person(session, lead, at, "command line")
    forget.finish(addresses, at)
    click.echo(f"{' and '.join(addresses)} {'is' if len(addresses) == 1 else 'are'} erased.")
    taken = forget.exports_since(db.session(), since)
    if taken:
        click.echo(f"Files that were exported before may still hold them; {taken} exports were made since they came.")


def _lead_of(session: Session, who: str) -> Lead | None:
    from sqlalchemy import select

    from handsel.leads.address import normalised
    from handsel.leads.models import Lead

    return session.scalars(select(Lead).where(Lead.email == normalised(who))).first()


def find(session: Session, who: str) -> Lead:
    """The lead of an address. Raises HandselError if there is none."""
    from handsel.errors import HandselError

    lead = _lead_of(session, who)
    if lead is None:
        raise HandselError("handsel leads", f"There is no lead with the address {who}.",
                           "Look for it with: handsel leads export --search WORDS")
    return lead
