"""``handsel mail``: what goes out when, how it will look, and what keeps it back."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import click

from handsel.cli import with_app
from handsel.errors import HandselError


@click.group("mail")
def mail_command() -> None:
    """See, try and release the mail that goes out.

    \b
    Example:
      handsel mail preview home-energy-guide 00-delivery
    """


@mail_command.command("due")
@click.option("--days", default=7, show_default=True, type=click.IntRange(0, 3650), help="How far to look ahead.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="The most lines.")
@with_app
def due_command(days: int, limit: int) -> None:
    """List what goes out when, what is late, and what stands still.

    Times are in the site's timezone.

    Example: handsel mail due --days 2
    """
    from flask import current_app
    from sqlalchemy import func, select

    from handsel import clock
    from handsel.db import db
    from handsel.mail import pauses, queue
    from handsel.mail.models import Message

    zone = ZoneInfo(current_app.extensions["handsel.offers"].project.site.timezone)
    at = clock.now()
    waiting = Message.state.in_(("queued", "claimed"))
    ahead = waiting & (Message.due_at <= at + timedelta(days=days))
    with db.engine.connect() as connection:
        for pause in pauses.current(connection):
            click.echo(_pause_words(pause, zone))
        rows = connection.execute(
            select(Message.due_at, Message.kind, Message.offer, Message.step, Message.state, Message.reason)
            .where(ahead).order_by(Message.due_at, Message.id).limit(limit)).all()
        number = connection.execute(select(func.count()).where(ahead)).scalar_one()
        held = queue.held(connection)
        balance = queue.balance(connection)
    for row in rows:
        late = "late  " if row.due_at < at - timedelta(minutes=1) else "      "
        what = f"{row.offer}/{row.step}".strip("/") or row.kind
        click.echo(f"{row.due_at.astimezone(zone):%Y-%m-%d %H:%M}  {late}{row.kind:9} {what}"
                   f"{'  ' + row.reason if row.reason else ''}")
    if number > len(rows):
        click.echo(f"… and {number - len(rows)} more; see them with --limit {number}.")
    if not rows:
        click.echo(f"Nothing goes out in the next {days} days.")
    if held:
        click.echo(f"{held} held for you to look at; let them go with: handsel mail release")
    click.echo(f"So far: {balance.sent} sent, {balance.queued} waiting, {balance.failed} failed, "
               f"{balance.unknown} unknown, {balance.suppressed} suppressed, {balance.cancelled} cancelled.")


def _pause_words(pause: Any, zone: ZoneInfo) -> str:
    if pause.kind == "hold":
        return f"All mail is held: {pause.reason} Let it go with: handsel mail release"
    where = "All mail" if pause.scope == "server" else f"Mail to {pause.scope}"
    return f"{where} waits until {pause.until_at.astimezone(zone):%Y-%m-%d %H:%M}: {pause.reason}"


@mail_command.command("preview")
@click.argument("offer")
@click.argument("step", default="")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
              help="Write it there: .html, .txt or .eml by the name's ending; - for the raw mail on standard output.")
@with_app
def preview_command(offer: str, step: str, output: Path | None) -> None:
    """Show a letter as it will arrive, filled with sample values.

    OFFER is an offer's folder name, or one of our own mails: sign-in, confirm, delivery. STEP is a letter's name or
    number; the delivery if left out.

    Example: handsel mail preview home-energy-guide 01 -o letter.html
    """
    from flask import current_app

    from handsel.worker import sample

    made = sample.make(cast(Any, current_app)._get_current_object(), offer, step)
    if output is None:
        click.echo(f"Subject: {made.subject}\n\n{made.text}", nl=False)
        size = len(made.html.encode())
        click.echo(f"\n(The HTML part has {size / 1000:.1f} kB; see it with -o letter.html)", err=True)
    elif str(output) == "-":
        sys.stdout.buffer.write(made.data)
    else:
        parts = {".html": made.html.encode(), ".txt": made.text.encode(), ".eml": made.data}
        if output.suffix not in parts:
            raise HandselError(str(output), "The file's ending says nothing.", "Use .html, .txt or .eml.")
        output.write_bytes(parts[output.suffix])
        click.echo(f"Wrote {output}.")


@mail_command.command("test")
@click.argument("offer")
@click.argument("step", default="")
@click.option("--to", required=True, metavar="ADDRESS", help="Where to send it.")
@with_app
def send_test_command(offer: str, step: str, to: str) -> None:
    """Send one letter with sample values to yourself, past the queue.

    Its links lead nowhere: nobody can be confirmed or unsubscribed by them.

    Example: handsel mail test home-energy-guide 01 --to me@example.org
    """
    from email_validator import EmailNotValidError, validate_email
    from flask import current_app

    from handsel.worker import sample

    try:
        address = validate_email(to, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise HandselError(to, "That is not an e-mail address.", "Check it for typing slips.") from error
    app = cast(Any, current_app)._get_current_object()
    answer = sample.send(app, sample.make(app, offer, step, to=address), address)
    if answer.outcome != "sent":
        raise HandselError("the mail server", answer.text, "See HANDSEL_MAIL_URL.")
    click.echo(f"Sent to {address}: {answer.text}")


@mail_command.command("release")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_app
def release_command(yes: bool) -> None:
    """Let go what is held: all mail after a restore, or letters whose moment may have passed.

    Also tries a mail server or domain that is paused again at once.

    Example: handsel mail release --yes
    """
    from handsel import clock
    from handsel.db import db, write_connection
    from handsel.mail import pauses, queue

    with db.engine.connect() as connection:
        standing = pauses.current(connection)
        held = queue.held(connection)
        waiting = queue.balance(connection).queued
    if not standing and not held:
        click.echo("Nothing is held.")
        return
    on_hold = any(pause.kind == "hold" for pause in standing)
    click.echo(f"{held} letters are held{', and all mail with them' if on_hold else ''}; "
               f"{waiting} messages wait in all.")
    if not yes:
        click.confirm("Let them go out?", abort=True)
    with write_connection() as connection:
        pauses.go_on(connection, [pauses.HOLD])
        pauses.probe_now(connection)
        queue.release(connection, clock.now())
    click.echo("They go out now.")
