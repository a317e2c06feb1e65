"""The register says what the tables, the forms and the settings say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner
from flask import Flask

from handsel.cli import group
from handsel.db import Base
from handsel.leads.privacy import register
from handsel.leads.privacy.traces import NOBODY
from handsel.offers.live import current


def told(app: Flask) -> register.Register:
    return register.register(current(), app.config)


def test_it_names_every_column_of_every_table_and_says_what_each_is_for(app: Flask) -> None:
    tables = told(app)["tables"]
    assert {name: set(row["columns"]) for name, row in tables.items()} == {
        name: set(table.columns.keys()) for name, table in Base.metadata.tables.items() if name not in NOBODY}
    assert set(told(app)["not about visitors"]) == set(NOBODY)
    assert [name for name, row in tables.items() if row["for"] == "?"] == []
    assert set(register.PURPOSES) == set(tables)
    assert all(row["kept"] for row in tables.values())


def test_it_names_every_field_and_consent_of_every_form(app: Flask) -> None:
    forms = told(app)["forms"]
    assert {name: set(form["asks"]) for name, form in forms.items()} == {
        name: {field.name for field in form.fields} for name, form in current().forms.items()}
    assert {name: set(form["consents"]) for name, form in forms.items()} == {
        name: {box.purpose for box in form.consents} for name, form in current().forms.items()}


def test_it_says_who_gets_data_by_the_settings(make_app: Callable[..., Flask]) -> None:
    with make_app(MAIL_URL="smtp://user:secret@mail.press.example:587", REDIS_URL="").app_context() as context:
        said = " ".join(told(context.app)["receivers"])
    assert "the mail server at mail.press.example" in said
    assert "secret" not in said
    assert "limits" not in said


def test_years_are_those_of_the_site(app: Flask) -> None:
    assert any(f"did nothing for {current().site.keep_years} year" in words for words in told(app)["keeping"])


def test_the_command_prints_it_as_text_and_as_json(app: Flask, project: Path, engine_url: str) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(group, ["--project", str(project), "privacy", "report", *words],
                                  env={"HANDSEL_DATABASE_URL": engine_url})
        assert done.exit_code == 0, done.output
        return done.output

    assert json.loads(run("--json"))["tables"].keys() == told(app)["tables"].keys()
    text = run()
    assert all(f"  {name}: " in text for name in told(app)["tables"])
    assert "Controller: " in text
