"""Whether an installation is fit to be shown to the world: every unsafe or missing setting, with what to do.

Each check is a small function that gives findings; a check that cannot be made says so as a finding too.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import func, select, text

from handsel import clock, schema, storage
from handsel.accounts.models import Account
from handsel.config import Value
from handsel.db import db, is_sqlite
from handsel.errors import HandselError
from handsel.leads.models import Capture
from handsel.mail import pauses, records
from handsel.mail.address import read as read_mail_address
from handsel.mail.models import Message
from handsel.offers import editions

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
RESERVED = (".example", ".invalid", ".test", ".localhost", "example.com", "example.org", "example.net")
LITTLE = 1 << 30  # bytes: below one gigabyte a busy day and a backup do not both fit
LATE = timedelta(minutes=15)
OLD = timedelta(days=7)


@dataclass(frozen=True)
class Finding:
    """Something to mend (``bad``) or to know: where, what, what to do."""

    bad: bool
    where: str
    what: str
    do: str


Check = Callable[[Flask], Iterator[Finding]]


def examine(app: Flask) -> list[Finding]:
    """All findings about ``app``, in an order in which one would mend them."""
    found: list[Finding] = []
    for check in (_settings, _keys, _folders, _database, _scale, _mail, _sender, _queue, _clocks, _content, _guides,
                  _storage, _people, _backups):
        try:
            found.extend(check(app))
        except HandselError as error:
            found.append(Finding(True, error.where, error.what, error.do))
    return found


def _values(app: Flask) -> dict[str, Value]:
    values = app.config["HANDSEL_SETTINGS"]
    assert isinstance(values, dict)
    return values


def _settings(app: Flask) -> Iterator[Finding]:
    config = app.config
    if config["ENV"] != "production":
        yield Finding(True, "HANDSEL_ENV", f"It is `{config['ENV']}`, which allows what is only for trying out.",
                      "Set HANDSEL_ENV=production.")
    url = urlsplit(str(config["SITE_URL"] or app.extensions["handsel.offers"].project.site.url))
    host = url.hostname or ""
    if host in LOOPBACK or host.endswith(RESERVED) or not host:
        yield Finding(True, "HANDSEL_SITE_URL", f"Links in mails lead to {url.geturl() or 'nowhere'}.",
                      "Set HANDSEL_SITE_URL to the address that visitors use, such as https://www.your-domain.com.")
    elif url.scheme != "https":
        yield Finding(True, "HANDSEL_SITE_URL", "The site is not on https: what visitors type travels in the open.",
                      "Get a certificate (a proxy such as Caddy does it by itself) and set the https address.")
    if config["RATE_LIMITS"] == "off":
        yield Finding(True, "HANDSEL_RATE_LIMITS", "Rate limits are off, so a robot may flood strangers with mail.",
                      "Remove the setting.")
    if config["CLOCK_FILE"]:
        yield Finding(True, "HANDSEL_CLOCK_FILE", "The clock is moved.", "Remove the setting.")
    if is_sqlite() and config["SYNCHRONOUS"] != "FULL":
        yield Finding(True, "HANDSEL_SYNCHRONOUS", "The last captures may be lost when the power fails.",
                      "Remove the setting, unless you accept that.")
    if url.scheme == "https" and not config["TRUSTED_PROXIES"]:
        yield Finding(True, "HANDSEL_TRUSTED_PROXIES", "Behind a proxy, all visitors would count as one.",
                      "Set it to the number of proxies in front of us, usually 1.")
    if os.geteuid() == 0:
        yield Finding(False, "user", "This command runs as root; the site should not.",
                      "Make a user for it that owns the project folder.")


def _keys(app: Flask) -> Iterator[Finding]:
    instance = Path(app.instance_path)
    for name in ("secret_key", "config.toml", "handsel.db"):
        path = instance / name
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) and _others_get_in(instance):
            yield Finding(True, f"instance/{name}", "Other users of this machine may read it.",
                          f"Run: chmod 700 instance && chmod 600 instance/{name}")


def _others_get_in(folder: Path) -> bool:
    return bool(folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _folders(app: Flask) -> Iterator[Finding]:
    instance = Path(app.instance_path)
    if not os.access(instance, os.W_OK | os.X_OK):
        yield Finding(True, "instance/", "This user may not write there.", "Give the folder to the site's user.")
    room = shutil.disk_usage(instance)
    if room.free < LITTLE or room.free < room.total / 20:
        yield Finding(True, "disk", f"Only {room.free / (1 << 30):.1f} GB of {room.total / (1 << 30):.0f} GB are free.",
                      "Make room: when the disk is full, forms are answered with a request to try again.")


def _database(app: Flask) -> Iterator[Finding]:
    schema.require_current()
    if not is_sqlite():
        return
    with db.engine.connect() as connection:
        mode = connection.scalar(text("PRAGMA journal_mode"))
        said = connection.scalar(text("PRAGMA quick_check(1)"))
    if mode != "wal":
        yield Finding(True, "database", f"Its journal is `{mode}`, so readers and writers block each other.",
                      "Put instance/ on a local disk: network folders do not allow WAL.")
    if said != "ok":
        yield Finding(True, "database", f"It is damaged: {said}.", "Restore the last backup: handsel db restore FILE")


def _scale(app: Flask) -> Iterator[Finding]:
    """What several machines share must not lie on one of them."""
    if is_sqlite():
        return
    values = _values(app)
    if not values["SECRET_KEY"].value:
        yield Finding(True, "HANDSEL_SECRET_KEY", "With PostgreSQL there may be several machines, and each would make "
                      "a key of its own: links and sign-ins of one would be refused by the others.",
                      "Set the same key on all: copy instance/secret_key into HANDSEL_SECRET_KEY.")
    if not values["REDIS_URL"].value:
        yield Finding(False, "HANDSEL_REDIS_URL", "Rate limits are counted on each machine by itself.",
                      "With more than one web machine, set HANDSEL_REDIS_URL.")


def _mail(app: Flask) -> Iterator[Finding]:
    url = str(app.config["MAIL_URL"])
    if not url:
        yield Finding(True, "HANDSEL_MAIL_URL", "No mail leaves this machine; all of it is caught in the inbox.",
                      "Set HANDSEL_MAIL_URL=smtp://user:password@host:587 of your mail provider.")
        return
    server = read_mail_address(url)
    if server.tls == "off" and server.host not in LOOPBACK:
        yield Finding(True, "HANDSEL_MAIL_URL", "Mail travels to the server in the open.",
                      "Use port 587 or 465, or add ?tls=starttls.")
    from handsel.mail.smtp import MailServer

    refused = MailServer(app, "localhost").probe()
    if refused is not None:
        yield Finding(True, "HANDSEL_MAIL_URL", f"The mail server does not let us in: {refused.text}",
                      "Check host, port, user and password with your mail provider.")


def _sender(app: Flask) -> Iterator[Finding]:
    """Whether receivers can see that mail from our domain is ours."""
    site = app.extensions["handsel.offers"].project.site
    address = parseaddr(site.mail.from_)[1] if site.mail else ""
    domain = address.rpartition("@")[2]
    if not domain or domain.endswith(RESERVED):
        yield Finding(True, "content/_site.yml", f"Mail comes from {address or 'no address of its own'}.",
                      "Set `mail: {from: …}` to an address of your own domain.")
        return
    if not app.config["MAIL_URL"]:
        return
    try:
        found = records.look(domain, records.resolver(str(app.config["DNS_SERVER"])))
    except records.Silent:
        yield Finding(False, "DNS", f"The records of {domain} could not be looked up from here.",
                      "Check its SPF, DKIM and DMARC records from another place, or set HANDSEL_DNS_SERVER.")
        return
    for bad, what, do in records.judge(found):
        yield Finding(bad, f"DNS of {domain}", what, do)


def _queue(app: Flask) -> Iterator[Finding]:
    now = clock.now()
    with db.engine.connect() as connection:
        for pause in pauses.current(connection):
            yield Finding(True, "mail", f"It stands still ({pause.scope}): {pause.reason}",
                          "Mend the cause; `handsel mail release` lifts a hold.")
        late = connection.scalar(select(func.count()).select_from(Message).where(
            Message.state == "queued", Message.due_at < now - LATE, Message.kind != "letter")) or 0
        failed = connection.scalar(select(func.count()).select_from(Message).where(
            Message.state == "failed", Message.created_at > now - OLD)) or 0
    if late:
        yield Finding(True, "mail", f"{late} messages should have gone out more than 15 minutes ago.",
                      "Check that `handsel run` or `handsel work` runs.")
    if failed:
        yield Finding(False, "mail", f"{failed} messages of the last week could not be delivered.",
                      "See why at the desk, under messages.")


def _clocks(app: Flask) -> Iterator[Finding]:
    now = clock.now()
    with db.engine.connect() as connection:
        newest = connection.scalar(select(func.max(Capture.at)))
        theirs = None if is_sqlite() else connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())"))
    if newest is not None and newest > now + timedelta(minutes=5):
        yield Finding(True, "clock", f"It is behind: the newest capture was made at {newest:%Y-%m-%d %H:%M} UTC.",
                      "Set the clock and keep it right with NTP; letters go out by it.")
    if theirs is not None and abs(float(theirs) - time.time()) > 5:
        yield Finding(True, "clock", "This machine and the database's differ by more than 5 seconds.",
                      "Keep both right with NTP.")


def _content(app: Flask) -> Iterator[Finding]:
    faults = len(app.extensions["handsel.offers"].project.faults)
    if faults:
        yield Finding(True, "files", f"{faults} faults in content/, offers/ and forms/.", "Run: handsel check")


def _guides(app: Flask) -> Iterator[Finding]:
    """Whether the PDFs of guides can be printed, and were."""
    project = app.extensions["handsel.offers"].project
    waiting = editions.to_print(project.offers.values())
    hindrance = editions.hindrance() if waiting else None
    if hindrance is not None:
        yield Finding(False, "guides", *hindrance)
        return
    for offer in waiting:
        url = editions.site_url(app.config, project.site)
        newest = editions.newest(Path(app.instance_path), project.site, offer, url)
        why = newest / "no-pdf"
        if why.is_file():
            yield Finding(True, f"offers/{offer.slug}", f"The PDF of its guide could not be printed: {why.read_text()}",
                          "The log of the worker says more; a restart of the worker tries again.")


def _storage(app: Flask) -> Iterator[Finding]:
    """Whether the store that machines share takes what it is given, and gives it back."""
    store = storage.of(app)
    if store is not None:
        try:
            store.try_out()
        except HandselError as error:
            yield Finding(True, storage.SETTING, f"{error.where}: {error.what}", error.do)
    elif not is_sqlite() and any(offer.asset and offer.asset.book
                                 for offer in app.extensions["handsel.offers"].project.offers.values()):
        yield Finding(False, storage.SETTING, "Printed guides stay on the machine whose worker made them.",
                      "With more than one web machine, set it to a bucket of theirs, or run a worker on each.")


def _people(app: Flask) -> Iterator[Finding]:
    with db.engine.connect() as connection:
        owners = connection.scalar(select(func.count()).select_from(Account).where(
            Account.role == "owner", Account.active.is_(True), Account.password_hash.is_not(None))) or 0
    if not owners:
        yield Finding(True, "accounts", "No owner has a password, so only this machine's console lets anyone in.",
                      "Sign in with the link that `handsel run` prints and set one, or: handsel user add")


def _backups(app: Flask) -> Iterator[Finding]:
    made: list[Any] = sorted((Path(app.instance_path) / "backups").glob("*.zip"), key=lambda path: path.stat().st_mtime)
    if not made or time.time() - made[-1].stat().st_mtime > OLD.total_seconds():
        yield Finding(False, "backups", "There is no backup of the last seven days in instance/backups/.",
                      "Run `handsel db backup` every night, and copy what it writes to another machine.")
