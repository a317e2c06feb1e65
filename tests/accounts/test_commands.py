"""``handsel user``: letting people in from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select

from handsel import cli
from handsel.accounts import passwords, roster
from handsel.accounts.models import Account, AuditEntry
from handsel.db import db
from support.desk import AtDesk, token_of


@pytest.fixture
def handsel(app: Flask, engine_url: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("HANDSEL_DATABASE_URL", engine_url)
    monkeypatch.setenv("HANDSEL_SECRET_KEY", app.config["SECRET_KEY"])

    def run(*args: str, typed: str | None = None) -> Result:
        result = CliRunner().invoke(cli.group, ["--project", str(project), *args], input=typed)
        db.session.rollback()
        return result

    return run


def account(email: str) -> Account:
    found = roster.by_email(db.session(), email)
    assert found is not None
    return found


def test_a_person_is_added_and_comes_in_by_the_printed_link(handsel, app):
    said = handsel("user", "add", "Ada@Example.org", "--role", "marketer", "--name", "Ada Marsh")
    assert said.exit_code == 0, said.output
    link = said.output.splitlines()[-1]
    here = AtDesk(app)
    page = here.get("/desk/enter/" + link.rpartition("/")[2])
    assert "Ada Marsh" in page.text
    answer = here.client.post(page.request.path, data={"csrf_token": token_of(page.text)})
    assert answer.headers["Location"] == "/desk/password"
    assert here.get("/desk/").status_code == 200


def test_roles_disabling_and_passwords_change_from_the_command_line(handsel):
    handsel("user", "add", "ada@example.org", "--role", "owner")
    handsel("user", "add", "kit@example.org", "--role", "sales")
    assert handsel("user", "role", "kit@example.org", "marketer").output == "kit@example.org is now marketer.\n"
    assert handsel("user", "password", "kit@example.org", "--stdin", typed="zinc harbour ladder moth\n").exit_code == 0
    assert passwords.matches(account("kit@example.org").password_hash, "zinc harbour ladder moth")
    assert handsel("user", "disable", "kit@example.org").exit_code == 0
    assert "disabled" in handsel("user", "link", "kit@example.org").output
    listed = handsel("user", "list").output.splitlines()
    assert [line.split()[:3] for line in listed] == [
        ["ada@example.org", "owner", "no"], ["kit@example.org", "marketer", "disabled"]]
    handsel("user", "disable", "--undo", "kit@example.org")
    assert account("kit@example.org").active
    actors = set(db.session.scalars(select(AuditEntry.actor)))
    assert actors == {"command line"}


def test_mistakes_are_answered_with_what_to_do(handsel):
    assert "Did you mean" not in handsel("user", "list").output
    handsel("user", "add", "ada@example.org", "--role", "owner")
    unknown = handsel("user", "role", "adda@example.org", "sales")
    assert unknown.exit_code == 1
    assert "Did you mean 'ada@example.org'?" in unknown.output
    assert "already" in handsel("user", "add", "ada@example.org").output
    assert "last owner" in handsel("user", "disable", "ada@example.org").output
    weak = handsel("user", "password", "ada@example.org", "--stdin", typed="short\n")
    assert weak.exit_code == 1
    assert "12 characters" in weak.output
