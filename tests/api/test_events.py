"""The product tells what people do in it: once, checked, and only with a key for that."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from factories import make_lead
from handsel.accounts import keys
from handsel.db import db, writing
from handsel.leads.models import Lead
from handsel.leads.stages.models import ProductEvent, StageChange
from handsel.worker.qualifying import qualify_now
from support.clock import Clock

EVENTS = "/api/v1/events"
AT = "2026-03-02T11:30:00+01:00"


def key(role: str = "product") -> dict[str, str]:
    with writing() as session:
        made, _ = keys.make(session, "our app", role, actor="test")
    return {"Authorization": f"Bearer {made}"}


def event(number: object = 1, **more: Any) -> dict[str, Any]:
    return {"id": f"e-{number}", "email": "ANN@example.org ", "event": "project-created", "at": AT} | more


def kept() -> list[tuple[str, str, str, float, str]]:
    db.session.rollback()
    return [(row.once, row.name, row.at.isoformat(), row.value, row.sender) for row in db.session.scalars(
        select(ProductEvent).order_by(ProductEvent.id))]


def test_an_event_is_taken_once_however_often_it_is_told(app: Flask, client: FlaskClient, clock: Clock) -> None:
    make_lead(email="ann@example.org")
    header = key()
    one = client.post(EVENTS, json=event(value=3), headers=header)
    assert (one.status_code, one.get_json()) == (200, {"events": [{"id": "e-1", "status": "taken"}]})
    again = client.post(EVENTS, json=event(value=3), headers=header)
    assert again.get_json() == {"events": [{"id": "e-1", "status": "known"}]}
    other = client.post(EVENTS, json=event(value=4), headers=header)
    assert (other.status_code, other.get_json()["error"]["what"]) == (422, "This id was used for another event.")
    assert kept() == [("e-1", "project-created", "2026-03-02T10:30:00+00:00", 3.0, "our app")]


def test_fifty_senders_of_the_same_event_at_once_make_one_row(app: Flask, clock: Clock) -> None:
    make_lead(email="ann@example.org")
    header = key()

    def send(_: int) -> str:
        answer = app.test_client().post(EVENTS, json=event(), headers=header)
        return str(answer.get_json()["events"][0]["status"])

    with ThreadPoolExecutor(10) as pool:
        said = list(pool.map(send, range(50)))
    assert sorted(said) == ["known"] * 49 + ["taken"]
    assert len(kept()) == 1


def test_events_make_a_pql_and_nothing_is_kept_of_strangers(app: Flask, client: FlaskClient, clock: Clock) -> None:
    lead = make_lead(email="ann@example.org")
    answer = client.post(EVENTS, headers=key(), json={"events": [
        *(event(number) for number in range(3)), event("x", email="nobody@example.org")]})
    assert [each["status"] for each in answer.get_json()["events"]] == ["taken"] * 3 + ["unknown"]
    assert len(kept()) == 3
    assert qualify_now(app) == 1
    (change,) = db.session.scalars(select(StageChange)).all()
    assert (change.was, change.stage, change.rule) == ("iql", "pql", "Uses the product")
    assert [each["words"] for each in change.evidence] == ["did project-created in the product"] * 3
    assert db.session.get_one(Lead, lead.id).stage == "pql"


@pytest.mark.parametrize(("sent", "where"), [
    ([], "event"), ("x", "event"), (event(email="nobody"), "event.email"),
    (event(event="Project Created"), "event.event"), (event(id=""), "event.id"),
    (event(id=7), "event.id"), (event(id="a\x00b"), "event.id"),
    (event(at="2026-03-02T10:00:00"), "event.at"), (event(at="soon"), "event.at"), (event(at=5), "event.at"),
    (event(at="2026-03-03T10:00:00Z"), "event.at"), (event(at="0001-01-01T00:00:00+14:00"), "event.at"),
    (event(value="3"), "event.value"), (event(value=True), "event.value"), (event(value=1e300), "event.value"),
    (event(value=10**400), "event.value"), (event(value=float("nan")), "event.value"),
    (event(name="x"), "event"), ({"events": []}, "events"), ({"events": [event()] * 201}, "events"),
    ({"events": [event(), event(2, value=None)]}, "events[1].value"), ({"events": [event()], "more": 1}, "events"),
])
def test_one_wrong_event_and_nothing_of_the_request_is_taken(
        app: Flask, client: FlaskClient, clock: Clock, sent: Any, where: str) -> None:
    make_lead(email="ann@example.org")
    answer = client.post(EVENTS, json=sent, headers=key())
    assert (answer.status_code, answer.get_json()["error"]["where"]) == (422, where)
    assert kept() == []


def test_what_is_no_json_is_told_so(app: Flask, client: FlaskClient) -> None:
    for data in (b"", b"{", b"\xff", b"[" * 100_000):
        answer = client.post(EVENTS, data=data, headers=key())
        assert (answer.status_code, answer.get_json()["error"]["what"]) == (422, "That is no JSON.")


def test_a_key_of_the_product_only_tells_and_the_others_only_read(app: Flask, client: FlaskClient) -> None:
    for role, told, read in (("product", 422, 403), ("owner", 403, 200), ("marketer", 403, 200), ("sales", 403, 403)):
        header = key(role)
        assert client.post(EVENTS, json={}, headers=header).status_code == told
        assert client.get("/api/v1/experiments", headers=header).status_code == read
    assert client.post(EVENTS, json=event()).status_code == 401
    assert client.get(EVENTS, headers=key()).status_code == 403
