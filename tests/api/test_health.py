"""What watches over us is told the truth."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from sqlalchemy import text

from handsel.db import db


def test_a_process_that_answers_lives_and_one_that_can_serve_is_ready(client):
    assert client.get("/healthz").get_json() == {"ok": True, "checks": {"process": True}}
    answer = client.get("/readyz")
    assert answer.get_json() == {"ok": True, "checks": {"database": True, "tables": True, "project": True}}
    assert answer.headers["Cache-Control"] == "no-store"


def test_tables_of_another_release_are_not_ready(app, client):
    with db.engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["checks"]["tables"]) == (503, False)
    assert client.get("/healthz").status_code == 200


def test_a_database_that_does_not_answer_is_not_ready_and_its_address_stays_secret(make_app: Callable[..., Flask]):
    app = make_app(DATABASE_URL="postgresql+psycopg://canary:hunter2secret@127.0.0.1:1/none?connect_timeout=2")
    client = app.test_client()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"]["database"] is False
    assert "hunter2secret" not in answer.text
    assert client.get("/healthz").get_json()["ok"] is True
