"""The links that open files: how often, how long, for whom, and how they are renewed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from handsel.db import db
from handsel.leads.models import Download, Grant, Lead
from handsel.mail.models import Message
from support.walk import deliver, grant_key, press, send, text


def test_the_file_comes_with_the_headers_of_a_gated_file(client: FlaskClient) -> None:
    send(client)
    answer = press(client, grant_key())
    assert answer.status_code == 303
    file = client.get(answer.location)
    assert file.headers["Content-Type"] == "application/pdf"
    assert file.headers["Content-Disposition"].startswith("attachment; filename=")
    assert file.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert file.headers["Referrer-Policy"] == "no-referrer"
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in file.headers["Cache-Control"]
    assert "Set-Cookie" not in file.headers
    part = client.get(answer.location, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.data) == (206, file.data[2:6])
    assert part.headers["Content-Range"] == f"bytes 2-5/{len(file.data)}"
    assert client.get(answer.location, headers={"Range": f"bytes={len(file.data)}-"}).status_code == 416


def test_going_on_with_a_broken_transfer_is_no_second_download(client: FlaskClient, clock: Any) -> None:
    send(client)
    where = press(client, grant_key()).location
    for start in range(0, 40, 10):
        client.get(where, headers={"Range": f"bytes={start}-{start + 9}"})
    clock.move(hours=23)
    assert client.get(where).status_code == 200
    assert db.session.scalars(select(Grant.uses_left)).one() == 4
    assert db.session.scalar(select(func.count()).select_from(Download)) == 1
    clock.move(hours=2)
    assert client.get(where).status_code == 404


def test_a_button_pressed_twice_is_one_download(client: FlaskClient, clock: Any) -> None:
    send(client)
    assert press(client, grant_key()).location == press(client, grant_key()).location
    clock.move(minutes=2)
    press(client, grant_key())
    assert db.session.scalars(select(Grant.uses_left)).one() == 3


def test_fifty_presses_at_once_are_one_download(app: Flask, client: FlaskClient) -> None:
    send(client)
    key = grant_key()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: press(app.test_client(), key).location, range(50)))
    assert len(set(answers)) == 1
    db.session.rollback()
    assert db.session.scalars(select(Grant.uses_left)).one() == 4


def test_a_used_up_link_sends_a_new_one_to_the_same_mailbox(client: FlaskClient, clock: Any) -> None:
    send(client)
    deliver()
    key = grant_key()
    for _ in range(5):
        assert "/get/" in press(client, key).location
        clock.move(minutes=3)
    page = client.get(press(client, key).location)
    assert "This link is used up: it was good for 5 downloads." in text(page)
    assert "ann@example.org" not in page.text
    renewed = client.post(f"/get/{key}/renew")
    assert "A new link is on its way, to the mailbox that this one was sent to." in text(client.get(renewed.location))
    client.post(f"/get/{key}/renew")
    messages = db.session.scalars(select(Message).order_by(Message.id)).all()
    assert [m.state for m in messages] == ["sent", "queued"]
    assert client.get(press(client, grant_key()).location).data.startswith(b"%PDF")


def test_an_expired_link_gives_nothing_and_can_be_renewed(client: FlaskClient, clock: Any) -> None:
    send(client)
    deliver()
    key = grant_key()
    clock.move(days=7, seconds=-1)
    assert "until 9 March 2026" in text(client.get(f"/get/{key}"))
    clock.move(seconds=1)
    assert "This link has run out: it worked until 9 March 2026." in text(client.get(f"/get/{key}"))
    assert press(client, key).location == f"/get/{key}"
    assert db.session.scalars(select(Lead.confirmed_at)).one() is None
    client.post(f"/get/{key}/renew")
    assert grant_key() != key
    press(client, grant_key())
    assert db.session.scalars(select(Lead.confirmed_at)).one() == clock.now


def test_a_good_link_is_not_renewed(client: FlaskClient) -> None:
    send(client)
    deliver()
    client.post(f"/get/{grant_key()}/renew")
    assert db.session.scalar(select(func.count()).select_from(Grant)) == 1


def test_a_worn_out_link_says_when_it_can_be_renewed(client: FlaskClient, clock: Any) -> None:
    for _ in range(3):
        send(client, first_name=f"Ann {_}")
        clock.move(minutes=11)
    deliver(at=clock.now)
    key = grant_key()
    for _ in range(6):
        press(client, key)
        clock.move(minutes=2)
    page = text(client.get(f"/get/{key}"))
    assert "Three e-mails went to that mailbox within a day" in page
    assert "You can ask for a new link tomorrow at 12:00." in page
    assert "Send me a new link" not in page


@pytest.mark.parametrize("key", [
    "%00", "x" * 5000, "%ff%fe", "'; DROP TABLE lead; --", "../../etc/passwd", "a" * 22, "..%2f..",
    "%F0%9F%8E%81", "\u202e",
])
def test_whatever_stands_in_the_place_of_a_key_is_nobodys(client: FlaskClient, key: str) -> None:
    for link in (f"/get/{key}", f"/confirm/{key}", f"/preferences/{key}", f"/offers/guide/thanks/{key}",
                 f"/get/{key}/{key}/x.pdf", f"/get/{'a' * 22}/{key}/x.pdf"):
        assert client.get(link).status_code in {404, 308}, link
        assert client.post(link).status_code in {404, 405}, link
    assert client.post(f"/u/{key}", data={"List-Unsubscribe": "One-Click"}).status_code in {200, 405}
