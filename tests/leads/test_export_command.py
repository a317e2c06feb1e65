"""``handsel leads export``: the file that sales asks for, whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import insert, select, text

from factories import NOON, make_lead
from handsel import cli
from handsel.accounts.models import AuditEntry
from handsel.db import db, writing
from handsel.leads.models import Lead
from support import on_sqlite
from support.sheets import read_xlsx


@pytest.fixture
def handsel(app: Flask, engine_url: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("HANDSEL_DATABASE_URL", engine_url)
    monkeypatch.setenv("HANDSEL_SECRET_KEY", app.config["SECRET_KEY"])

    def run(*args: str) -> Result:
        result = CliRunner().invoke(cli.group, ["--project", str(project), "leads", "export", *args])
        db.session.rollback()
        return result

    return run


def test_a_file_holds_the_leads_of_the_filter_and_only_its_owner_can_read_it(handsel, clock, tmp_path):
    make_lead(email="ada@example.org", name="Ada", offers=("guide",), tags=("energy",))
    make_lead(email="tom@example.org", name="Tom", offers=("demo",))
    path = tmp_path / "leads.csv"
    said = handsel("--offer", "guide", "--since", "2026-03-01", "--bom", "-o", str(path))
    assert said.exit_code == 0, said.output
    assert said.stderr == f"1 lead is in {path}\n"
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfemail,name,")
    assert [line.split(b",")[0] for line in data.splitlines()[1:]] == [b"ada@example.org"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    entry = db.session.scalars(select(AuditEntry)).one()
    assert (entry.actor, entry.action) == ("command line", "exported leads")
    assert entry.detail == {"rows": 1, "format": "csv", "offer": "guide", "since": "2026-03-01"}


def test_the_name_of_the_file_chooses_the_format(handsel, clock, tmp_path):
    make_lead(name="Ada")
    path = tmp_path / "leads.xlsx"
    handsel("-o", str(path))
    assert read_xlsx(path.read_bytes()).sheets[0][1][1] == "Ada"


def test_standard_output_holds_the_leads_and_nothing_else(handsel, clock):
    make_lead(name="Ada")
    for form in ("csv", "xlsx"):
        said = handsel("--format", form, "-o", "-")
        assert said.stderr == ""
        assert said.stdout_bytes[:6] == (b"email," if form == "csv" else b"PK\x03\x04\x14\x00")


@pytest.mark.parametrize(("args", "words"), [
    (("--offer", "gude"), "Did you mean 'guide'?"), (("--tag", "nope"), "There is no tag 'nope'."),
    (("--stage", "vip"), "There is no stage"), (("--since", "soon"), "no date"),
])
def test_a_filter_that_means_nothing_leaves_no_file(handsel, clock, tmp_path, args, words):
    make_lead(offers=("guide",), tags=("energy",))
    path = tmp_path / "leads.csv"
    said = handsel(*args, "-o", str(path))
    assert said.exit_code == 1
    assert words in said.output
    assert list(tmp_path.glob("leads.csv*")) == []


@on_sqlite
def test_an_old_file_stays_when_the_new_one_cannot_be_finished(handsel, clock, tmp_path):
    """A row that another program broke stops the export after it has begun to write."""
    path = tmp_path / "leads.csv"
    path.write_text("the old one")
    make_lead(plain=False, custom={"a": 1})
    make_lead(plain=False)
    with db.engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("UPDATE lead SET tags_text = CAST(x'ff' AS TEXT) WHERE id = 2"))
    assert handsel("-o", str(path)).exit_code == 1
    assert path.read_text() == "the old one"
    assert sorted(tmp_path.glob("leads*")) == [path]


def test_a_terminal_sees_a_bar(handsel, app, project, clock, tmp_path):
    """The command runs on a real pseudo-terminal."""
    import pty

    with writing() as session:
        session.execute(insert(Lead), [
            {"key": f"key{n:019}", "email": f"p{n}@example.org", "address": f"p{n}@example.org", "captured_at": NOON,
             "last_capture_at": NOON} for n in range(5000)])
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "handsel", "--project", str(project), "leads", "export", "-o",
               str(tmp_path / "l.csv")]
    done = subprocess.run(command, stderr=theirs, stdout=subprocess.PIPE, check=False, timeout=60)
    os.close(theirs)
    said = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 0, said
    assert "100%" in said
    assert "5,000 leads are in" in said
    assert (tmp_path / "l.csv").read_bytes().count(b"\r\n") == 5001


def test_columns_and_layouts_are_named_on_the_command_line(handsel, clock):
    make_lead(email="ada@example.org", name="Ada Marsh", stage="mql", score=12, custom={"seats": 4})
    said = handsel("--columns", "score, email,seats").stdout.splitlines()
    assert said == ["score,email,seats", "12,ada@example.org,4"]
    said = handsel("--columns", "email,custom").stdout.splitlines()
    assert said == ["email,seats,team_size,wishes", "ada@example.org,4,,"]
    said = handsel("--layout", "HubSpot").stdout.splitlines()
    assert said[0].startswith("Email,First name,Last name,")
    assert said[1].startswith("ada@example.org,Ada,Marsh,")


@pytest.mark.parametrize(("args", "words"), [
    (("--columns", "emial"), "Did you mean 'email'?"), (("--columns", ","), "no column"),
    (("--layout", "hubspt"), "Did you mean 'hubspot'?"), (("--owner", "eve@example.org"), "owner"),
    (("--columns", "email", "--layout", "hubspot"), "either"), (("--segment", "nobody"), "no segment")])
def test_a_column_layout_or_filter_that_there_is_not_writes_nothing(handsel, clock, tmp_path, args, words):
    make_lead()
    path = tmp_path / "leads.csv"
    said = handsel(*args, "-o", str(path))
    assert (said.exit_code, path.exists()) == (1, False)
    assert words in said.output


def test_a_nightly_file_holds_what_is_new_since_the_night_before(handsel, clock, tmp_path):
    make_lead(email="ada@example.org")
    path = tmp_path / "new.csv"
    night = ("--layout", "pipedrive", "--since-last", "-o", str(path))
    assert handsel(*night).stderr.startswith("1 lead is in")
    make_lead(email="bob@example.org")
    handsel("--layout", "pipedrive", "-o", "-")
    assert handsel(*night).stderr.startswith("1 lead is in")
    assert "bob@example.org" in path.read_text()
    assert handsel(*night).stderr.startswith("0 leads are in")
    handsel("--layout", "pipedrive", "--remember", "-o", "-")
    assert handsel(*night).stderr.startswith("0 leads are in")


def test_layouts_and_columns_are_listed(handsel, app, project, clock):
    make_lead(custom={"seats": 4})
    said = CliRunner().invoke(cli.group, ["--project", str(project), "leads", "layouts"]).output
    for words in ("hubspot: Email, First name", "salesforce: First Name", "Columns: email, name", "seats"):
        assert words in said


def test_one_lead_goes_into_an_address_book(handsel, project, clock, tmp_path):
    make_lead(email="ada@example.org", name="Ada Marsh")
    path = tmp_path / "ada.vcf"
    said = CliRunner().invoke(cli.group, ["--project", str(project), "leads", "vcard", "Ada@example.org", "-o",
                                          str(path)])
    assert said.exit_code == 0, said.output
    assert path.read_bytes().startswith(b"BEGIN:VCARD\r\nVERSION:4.0\r\n")
    db.session.rollback()
    assert db.session.scalars(select(AuditEntry.action)).all() == ["exported a lead"]
