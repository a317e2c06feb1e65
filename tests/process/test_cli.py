"""The commands as somebody types them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import delete, select, update

from factories import make_account, make_capture, make_hit, make_message
from handsel import cli
from handsel import clock as house_clock
from handsel.db import db, writing
from handsel.leads.confirm import prove
from handsel.leads.consents import Way
from handsel.leads.models import Capture, Lead
from handsel.traffic.models import Tally
from handsel.worker.qualifying import qualify_now
from support import on_sqlite
from support.clock import Clock
from support.funnel import ADVICE, make_visit, take
from support.names import NameServer
from support.running import SOURCE

ROOT = Path(__file__).parents[2]
Handsel = Callable[..., Result]


def all_commands(command: click.Command, name: str = "handsel") -> list[tuple[str, click.Command]]:
    """Every command with its whole name."""
    with click.Context(command) as ctx:
        if not isinstance(command, click.Group):
            return [(name, command)]
        return [found for below in command.list_commands(ctx)
                for found in all_commands(command.get_command(ctx, below) or command, f"{name} {below}")]


def test_every_command_helps_with_an_example() -> None:
    found = dict(all_commands(cli.group))
    assert set(cli.COMMANDS) <= {name.split()[1] for name in found}
    without = [name for name, command in found.items() if f"{' '.join(name.split()[:2])}" not in (command.help or "")]
    assert without == []


def test_every_group_helps_with_an_example() -> None:
    groups = [cli.group, *(cli.group.get_command(click.Context(cli.group), name) for name in cli.COMMANDS)]
    assert [each.name for each in groups if isinstance(each, click.Group) and "Example" not in (each.help or "")] == []


def test_a_command_that_there_is_not_is_answered_with_the_nearest() -> None:
    said = CliRunner().invoke(cli.group, ["chek"])
    assert said.exit_code == 2
    assert "There is no command 'chek'. Did you mean 'check'?" in said.output


def test_the_project_may_stand_before_or_after_the_command(project: Path) -> None:
    before = CliRunner().invoke(cli.group, ["--project", str(project), "config", "--json"])
    after = CliRunner().invoke(cli.group, ["config", "--json", "--project", str(project)])
    assert (before.exit_code, before.output) == (0, after.output)


def test_a_command_finds_the_project_that_it_stands_in(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "instance" / "config.toml").write_text('log_level = "ERROR"\n')
    monkeypatch.chdir(project / "offers" / "guide")
    said = CliRunner().invoke(cli.group, ["config", "--json"])
    assert json.loads(said.output)["log_level"]["value"] == "ERROR"


def test_our_commands_also_stand_under_flask(project: Path) -> None:
    (project / "wsgi.py").write_text((ROOT / "wsgi.py").read_text())
    said = subprocess.run([sys.executable, "-m", "flask", "handsel", "db", "upgrade"], cwd=project, check=True,
                          capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(SOURCE)})
    assert said.stdout == "Brought the database from nothing to release 0001.\n"


def test_a_command_on_a_database_without_tables_says_what_to_do(project: Path) -> None:
    said = CliRunner().invoke(cli.group, ["purge", "--project", str(project)])
    assert (said.exit_code, said.stderr) == (1, "database: It has no tables yet.\n  Run: handsel db upgrade\n")


@on_sqlite
def test_config_shows_where_each_value_came_from_and_no_secret(handsel: Handsel, project: Path) -> None:
    (project / "instance" / "config.toml").write_text('site_url = "https://press.example"\n')
    said = handsel("config", HANDSEL_MAIL_URL="smtp://user:canary@mail.example:587?token=canary",
                   HANDSEL_SECRET_KEY="canary-" * 8)
    rows = {line.split()[0]: line for line in said.output.splitlines()}
    assert re.search(r"https://press\.example\s+config\.toml", rows["site_url"])
    assert re.search(r"smtp://user:\*{8}@mail\.example:587\?…\s+environment", rows["mail_url"])
    assert re.search(r"FULL\s+default", rows["synchronous"])
    assert "canary" not in said.output


def test_rebuilding_makes_the_views_that_were_kept_up(app: Flask, handsel: Handsel, clock: Clock) -> None:
    take(app, "ann@example.org", (ADVICE,), first_name="Ann", company="Kettle Ltd", colour="blue")
    prove_all(clock.now)
    for path in ("/offers/guide/", "/offers/guide/", "/blog/"):
        app.extensions["handsel.traffic"].record("view", path, make_visit(), "guide", "a")
    clock.move(days=1)
    take(app, "ann@example.org", first_name="Mallory")  # a claim that nobody proved
    take(app, "ben@example.org", company="Blue Door")
    app.extensions["handsel.traffic"].record("submit", "/offers/guide/", make_visit(), "guide", "a")
    app.extensions["handsel.traffic"].flush()
    qualify_now(app)
    db.session.rollback()
    kept = views()
    with writing() as session:
        session.execute(update(Lead).values(
            first_name="Somebody", company="", custom={}, tags_text="", offers_text="nothing", consent_text="all",
            source="nowhere", captured_at=clock.now, last_capture_at=clock.now, confirmed_at=None))
        session.execute(delete(Tally))

    said = handsel("rebuild")

    assert said.output.splitlines()[-1] == (
        "Rebuilt 2 leads, the tallies of 2 days and the counts of 0 experiments.")
    db.session.rollback()
    assert views() == kept


def prove_all(at: datetime) -> None:
    """Everyone presses the button in the mail."""
    with writing() as session:
        for capture in session.scalars(select(Capture)):
            prove(session, capture, Way("download"), at)


def views() -> list[object]:
    """All that is believed: the columns of leads, and the tallies."""
    return [*db.session.execute(select(Lead.__table__).order_by(Lead.id)),
            *db.session.execute(select(Tally.__table__).order_by(Tally.day, Tally.path, Tally.kind))]


def test_purging_says_what_it_threw_away(app: Flask, handsel: Handsel) -> None:
    make_hit(at=house_clock.now() - timedelta(days=500))
    assert re.search(r"^ +1  visits", handsel("purge").output, re.M)
    assert handsel("purge").output == "Nothing was too old.\n"


def test_the_doctor_names_all_that_is_unsafe_or_missing(app: Flask, handsel: Handsel) -> None:
    make_message(kind="delivery", due_at=house_clock.now() - timedelta(hours=1))
    make_capture(at=house_clock.now() + timedelta(hours=2))
    said = handsel("doctor", HANDSEL_RATE_LIMITS="off", HANDSEL_SITE_URL="http://press.co.uk",
                   HANDSEL_MAIL_URL="smtp://127.0.0.1:1")
    assert said.exit_code == 1
    for words in ("HANDSEL_ENV: It is `test`", "The site is not on https", "Rate limits are off",
                  "The mail server does not let us in", "1 messages should have gone out more than 15 minutes ago",
                  "clock: It is behind", "No owner has a password", "Mail comes from hello@press.example",
                  "There is no backup of the last seven days"):
        assert words in said.output, said.output


@on_sqlite
def test_the_doctor_is_content_with_a_safe_installation(
        app: Flask, handsel: Handsel, project: Path, smtp: object) -> None:
    make_account(password_hash="x")
    settings = project / "content" / "_site.yml"
    settings.write_text(settings.read_text().replace("press.example", "press.invalid-domain-of-ours.co.uk"))
    (project / "instance").chmod(0o700)
    domain = "press.invalid-domain-of-ours.co.uk"
    with NameServer({(domain, "TXT"): ['"v=spf1 -all"'], (domain, "MX"): ["10 mx.provider.net."],
                     (f"_dmarc.{domain}", "TXT"): ['"v=DMARC1; p=none"']}) as names:
        said = handsel("doctor", HANDSEL_ENV="production", HANDSEL_SITE_URL="https://press.co.uk",
                       HANDSEL_TRUSTED_PROXIES="1", HANDSEL_MAIL_URL=getattr(smtp, "url", ""),
                       HANDSEL_DNS_SERVER=names.address)
    mend = [line for line in said.output.splitlines() if line.startswith("mend") and "disk" not in line]
    assert mend == [], said.output
    assert f"know  DNS of {domain}: It publishes no DKIM key" in said.output


@on_sqlite
def test_production_refuses_what_is_for_trying_out(handsel: Handsel) -> None:
    said = handsel("config", HANDSEL_ENV="production", HANDSEL_RATE_LIMITS="off")
    assert (said.exit_code, said.stderr) == (
        1, "HANDSEL_RATE_LIMITS: Rate limits cannot be off in production.\n  Remove the setting.\n")
