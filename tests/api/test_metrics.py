"""Figures for those who watch over a site: true in every process, and not for strangers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from factories import NOON, make_capture, make_lead, make_message
from handsel.db import db
from handsel.mail.queue import HELD
from support.clock import Clock
from support.funnel import CHROME

TOKEN = "a token that nobody guesses"


def figures(text: str) -> dict[str, float]:
    """Every figure as name{labels without pid}."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()) if name != "pid")
            found[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


def test_the_figures_are_those_of_the_database(app: Flask, client: FlaskClient, clock: Clock) -> None:
    lead = make_lead()
    make_message(lead, due_at=NOON - timedelta(minutes=5))
    make_message(lead, due_at=NOON - timedelta(seconds=30), kind="delivery")
    make_message(lead, due_at=NOON + timedelta(days=2))
    make_message(lead, due_at=HELD)
    make_message(lead, state="failed")
    make_capture(lead)
    make_capture(lead, at=NOON - timedelta(days=1))
    for _ in range(3):
        client.get("/", headers={"User-Agent": CHROME})
    client.get("/", headers={"User-Agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"})
    app.extensions["handsel.traffic"].flush()

    told = figures(client.get("/metrics").text)

    wanted = {
        "handsel_database_up": 1, "handsel_messages{kind=letter,state=queued}": 3,
        "handsel_messages{kind=delivery,state=queued}": 1, "handsel_messages{kind=letter,state=failed}": 1,
        "handsel_messages{kind=account,state=sent}": 0, "handsel_messages_due": 2,
        "handsel_oldest_due_message_seconds": 300, "handsel_messages_held": 1, "handsel_mail_pauses": 0,
        "handsel_captures_today{offer=guide}": 1, "handsel_hits_today{excluded=,kind=view}": 3,
        "handsel_hits_today{excluded=bot,kind=view}": 1, "handsel_process_hits_waiting": 0,
        "handsel_process_hits_dropped": 0, "handsel_project_faults": 0, "handsel_info{version=0.1.0}": 1,
    }
    assert {name: told.get(name) for name in wanted} == wanted
    assert told["handsel_process_memory_bytes"] > 10_000_000


def test_asking_again_at_once_costs_the_database_nothing(app: Flask, client: FlaskClient) -> None:
    from sqlalchemy import event

    client.get("/metrics")
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    again = client.get("/metrics")

    assert (again.status_code, again.headers["Cache-Control"], asked) == (200, "no-store", [])


@pytest.mark.parametrize(("address", "headers", "status"), [
    ("127.0.0.1", {}, 200), ("::1", {}, 200), ("198.51.100.7", {}, 404),
    ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404), ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 404),
    ("127.0.0.1", {"Via": "1.1 proxy"}, 404),
])
def test_without_a_token_only_this_machine_may_ask(
        client: FlaskClient, address: str, headers: dict[str, str], status: int) -> None:
    answer = client.get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": address})

    assert (answer.status_code, "handsel_" in answer.text) == (status, status == 200)


def test_in_production_nobody_may_ask_without_a_token(make_app: Callable[..., Flask]) -> None:
    app = make_app(ENV="production", SITE_URL="https://example.org", RATE_LIMITS="on")

    assert app.test_client().get("/metrics").status_code == 404


@pytest.mark.parametrize(("given", "status"), [
    ({}, 401), ({"Authorization": "Bearer wrong"}, 401), ({"Authorization": "Bearer é"}, 401),
    ({"Authorization": f"Bearer {TOKEN}"}, 200),
])
def test_with_a_token_it_opens_from_everywhere(
        make_app: Callable[..., Flask], given: dict[str, str], status: int) -> None:
    app = make_app(METRICS_TOKEN=TOKEN)
    answer = app.test_client().get("/metrics", headers=given, environ_overrides={"REMOTE_ADDR": "198.51.100.7"})

    assert (answer.status_code, "handsel_" in answer.text) == (status, status == 200)
    assert (answer.headers.get("WWW-Authenticate") == "Bearer") == (status == 401)


def test_a_database_that_does_not_answer_is_told_and_nothing_else_made_up(make_app: Callable[..., Flask]) -> None:
    app = make_app(DATABASE_URL="postgresql+psycopg://canary:hunter2secret@127.0.0.1:1/none?connect_timeout=2")
    answer = app.test_client().get("/metrics")

    told = figures(answer.text)
    assert (answer.status_code, told["handsel_database_up"]) == (200, 0)
    assert not [name for name in told if name.startswith(("handsel_messages", "handsel_captures", "handsel_hits"))]
    assert "hunter2secret" not in answer.text
