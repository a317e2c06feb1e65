"""``/api/v1``: programs with a key read how experiments stand; nobody else reads anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from sqlalchemy import select

from factories import make_experiment
from handsel.accounts import keys
from handsel.accounts.models import ApiKey, AuditEntry
from handsel.cli import group
from handsel.db import db, writing
from handsel.experiments.results import latest
from support.clock import Clock
from support.desk import contents

RESULTS = "/api/v1/experiments/guide/results"


def make_key(role: str = "marketer") -> dict[str, str]:
    """The header of a program with a key."""
    with writing() as session:
        key, _ = keys.make(session, "dashboard", role, actor="test")
    return {"Authorization": f"Bearer {key}"}


def test_a_program_with_a_key_reads_the_evaluators_answer(app: Flask, client: FlaskClient, clock: Clock) -> None:
    make_experiment({"a": (4000, 100), "b": (4000, 200)}, excluded={"bot": 3})
    answer = client.get(RESULTS, headers=make_key())
    assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (
        200, "application/json", "no-store")
    with db.engine.connect() as connection:
        found = latest(connection, "guide")
    assert found is not None
    told = answer.get_json()
    assert told == json.loads(json.dumps(found.as_dict()))
    rests_on = told.pop("experiment")
    schema = json.loads(files("handsel.experiments").joinpath("evaluate.schema.json").read_text("utf-8"))
    Draft202012Validator(schema | {"$ref": "#/$defs/answer"}).validate(told)
    assert (told["verdict"], rests_on["excluded"], rests_on["counts"][1][2:4]) == ("winner", {"bot": 3}, [4000, 200])


def test_the_list_names_every_experiment_and_where_its_results_are(app: Flask, client: FlaskClient) -> None:
    make_experiment()
    header = make_key("owner")
    (one,) = client.get("/api/v1/experiments", headers=header).get_json()["experiments"]
    assert (one["offer"], one["verdict"], one["visitors"], one["results"]) == ("guide", "none", 2000, RESULTS)
    assert client.get(one["results"], headers=header).status_code == 200


@pytest.mark.parametrize("given", [
    "", "Bearer", "Bearer hs_00000000_" + "a" * 43, "Basic b3duZXI6cGFzc3dvcmQ=", "Bearer ' OR 1=1 --", "Bearer \xe9"])
def test_without_a_key_that_fits_there_is_nothing(client: FlaskClient, given: str) -> None:
    for path in (RESULTS, "/api/v1/experiments", "/api/v1/", "/api/v1/leads"):
        answer = client.get(path, headers={"Authorization": given} if given else {})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="handsel"'
        assert answer.get_json()["error"]["do"].startswith("Send a key as `Authorization: Bearer hs_")


def test_a_key_that_differs_in_one_letter_or_was_revoked_opens_nothing(app: Flask, client: FlaskClient) -> None:
    make_experiment()
    header = make_key()
    key = header["Authorization"]
    last = "A" if key[-1] != "A" else "B"
    assert client.get(RESULTS, headers={"Authorization": key[:-1] + last}).status_code == 401
    assert client.get(RESULTS, headers=header).status_code == 200
    with writing() as session:
        keys.revoke(session, key.removeprefix("Bearer ")[:11], actor="test")
    assert client.get(RESULTS, headers=header).status_code == 401


def test_only_the_hash_of_a_key_is_kept_and_each_act_is_logged(app: Flask) -> None:
    key = make_key()["Authorization"].removeprefix("Bearer ")
    assert key not in json.dumps(contents())
    row = db.session.scalars(select(ApiKey)).one()
    with writing() as session:
        keys.revoke(session, row.prefix, actor="test")
    assert db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all() == [
        "made an API key", "revoked an API key"]


def test_a_key_may_read_what_its_role_may(app: Flask, client: FlaskClient) -> None:
    answer = client.get(RESULTS, headers=make_key("sales"))
    assert (answer.status_code, answer.get_json()["error"]["do"]) == (
        403, "This key's role may not do this. Marketers and owners read, and a key of the role product tells events.")


def test_what_is_not_there_and_what_cannot_be_done_is_told_as_json(app: Flask, client: FlaskClient) -> None:
    header = make_key()
    missing = client.get("/api/v1/experiments/nothing/results", headers=header)
    assert (missing.status_code, missing.get_json()["error"]["status"]) == (404, 404)
    assert client.get("/api/v1/experiments/%00/results", headers=header).status_code == 404
    assert client.get("/api/v1/anything", headers=header).get_json()["error"]["do"].endswith("/api/v1/experiments.")
    refused = client.post("/api/v1/experiments", headers=header)
    assert (refused.status_code, refused.headers["Allow"], refused.is_json) == (405, "GET, HEAD", True)


def test_asking_changes_nothing(app: Flask, client: FlaskClient) -> None:
    make_experiment()
    header = make_key()
    before = contents()
    for path in (RESULTS, "/api/v1/experiments"):
        assert client.get(path, headers=header).status_code == 200
        assert client.head(path, headers=header).status_code == 200
    assert contents() == before


def test_guesses_and_floods_are_slowed_down(make_app: Callable[..., Flask], clock: Clock) -> None:
    app = make_app(RATE_LIMITS="on")
    with app.app_context():
        header = make_key()
        client: Any = app.test_client()
        for _ in range(30):
            assert client.get("/api/v1/experiments").status_code == 401
        slowed = client.get("/api/v1/experiments")
        assert (slowed.status_code, slowed.headers["Retry-After"], slowed.is_json) == (429, "300", True)
        said = [client.get("/api/v1/experiments", headers=header).status_code for _ in range(601)]
        assert said == [200] * 600 + [429]
        db.session.remove()


def test_the_command_line_makes_lists_and_revokes_keys(project: Path, app: Flask, client: FlaskClient,
                                                       engine_url: str) -> None:
    make_experiment()
    ask = ["--project", str(project), "user", "key"]
    settings = {"HANDSEL_DATABASE_URL": engine_url}

    def call(*words: str) -> Any:
        return CliRunner().invoke(group, [*ask, *words], env=settings)

    made = call("add", "dashboard")
    key = made.stdout.strip()
    assert client.get(RESULTS, headers={"Authorization": f"Bearer {key}"}).status_code == 200
    listed = call("list").output
    assert (key[:11] in listed, key in listed, "dashboard" in listed) == (True, False, True)
    assert call("revoke", key[:11]).output == "The key of dashboard works no more.\n"
    assert client.get(RESULTS, headers={"Authorization": f"Bearer {key}"}).status_code == 401
    wrong = call("revoke", "hs_zzzzzzzz")
    assert (wrong.exit_code, "handsel user key list" in wrong.output) == (1, True)
