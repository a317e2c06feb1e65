"""Coming in and going out: links, passwords, limits, and what ends when."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from factories import make_account
from handsel import clock
from handsel.accounts import links, roster
from handsel.accounts.models import Account, AuditEntry, DeskSession
from handsel.db import db, writing
from support import on_sqlite
from support.desk import AtDesk, token_of

PASSWORD = "four odd words here"


def with_password(role: str = "owner", **fields: str) -> Account:
    account = make_account(role, **fields)
    with writing() as session:
        roster.set_password(session, session.get_one(Account, account.id), PASSWORD, actor="test")
    return db.session.get_one(Account, account.id)


def cookie(here: AtDesk) -> str:
    found = here.client.get_cookie("desk")
    return found.value if found else ""


def is_in(here: AtDesk) -> bool:
    return here.get("/desk/").status_code == 200


def test_the_console_link_leads_a_first_owner_to_an_account_of_their_own(app):
    link = links.first_link(app)
    here = AtDesk(app)
    path = link.removeprefix("http://localhost")
    page = here.get(path)
    assert here.get(path).status_code == 200, "looking uses nothing up"
    answer = here.client.post(path, data={"csrf_token": token_of(page.text)})
    assert answer.headers["Location"] == "/desk/password"
    page = here.get("/desk/password")
    assert "You are the first owner here" in page.text

    answer = here.post("/desk/password", email="Ada@Example.org", name="Ada Marsh", new=PASSWORD)
    assert answer.headers["Location"] == "/desk/"
    assert is_in(here)
    account = db.session.scalars(select(Account)).one()
    assert (account.email, account.name, account.role) == ("ada@example.org", "Ada Marsh", "owner")
    assert AtDesk(app).sign_in("ada@example.org", PASSWORD).status_code == 303
    again = AtDesk(app)
    assert again.client.post(path, data={"csrf_token": again.token()}).status_code == 410
    assert "used up" in again.get(path).text


def test_mistakes_on_the_way_in_are_told_at_the_field_and_values_are_kept(app):
    here = AtDesk(app)
    page = here.sign_in("", "")
    assert page.status_code == 422
    assert "<title>Error: Sign in" in page.text
    assert 'href="#email">Type your e-mail address.' in page.text
    page = here.sign_in("ada@example.org", "wrong")
    assert page.status_code == 422
    assert 'value="ada@example.org"' in page.text
    assert "wrong" not in page.text


def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(app):
    known = with_password(email="known1@example.org")
    disabled = with_password("sales", email="known2@example.org")
    make_account("sales", email="known3@example.org")
    with writing() as session:
        roster.disable(session, session.get_one(Account, disabled.id), actor="test")
    here = AtDesk(app)
    answers = set()
    for email in (known.email, "known2@example.org", "known3@example.org", "known4@example.org"):
        page = here.sign_in(email, PASSWORD if email == "known2@example.org" else "not the password")
        text = page.text.replace(email, "…")
        answers.add((page.status_code, text.replace(token_of(text), "…")))
    assert len(answers) == 1


@on_sqlite
def test_an_unknown_address_takes_as_long_as_a_known_one(app):
    """The share of pairs in which the unknown one took longer lies around one half."""
    known = with_password()
    here = AtDesk(app)
    token = here.token()
    took: dict[str, list[float]] = {known.email: [], "nobody@example.org": []}
    for _ in range(40):
        for email, times in took.items():
            data = {"csrf_token": token, "email": email, "password": "not the password"}
            begun = time.perf_counter()
            here.client.post("/desk/sign-in", data=data)
            times.append(time.perf_counter() - begun)
    one, other = took.values()
    longer = sum(b > a for a in one for b in other) / (len(one) * len(other))
    assert 0.25 < longer < 0.75


def test_signing_in_makes_a_new_session_and_a_planted_one_is_worth_nothing(app):
    account = with_password()
    here = AtDesk(app)
    here.get("/desk/sign-in")
    planted = cookie(here)
    here.sign_in(account.email, PASSWORD)
    assert is_in(here)
    assert cookie(here) != planted
    thief = AtDesk(app)
    thief.client.set_cookie("desk", planted)
    assert not is_in(thief)


def test_signing_out_ends_the_session_in_the_database_too(app):
    here = AtDesk(app, "sales")
    stolen = cookie(here)
    answer = here.post("/desk/sign-out")
    assert answer.headers["Location"] == "/desk/sign-in"
    assert not is_in(here)
    here.client.set_cookie("desk", stolen)
    assert not is_in(here)
    assert db.session.scalars(select(DeskSession.ended_at)).one() is not None


def test_a_new_password_signs_out_every_other_browser_and_keeps_this_one(app):
    account = with_password()
    here, there = AtDesk(app, account=account), AtDesk(app, account=account)
    wrong = here.post("/desk/password", old="not it", new="zinc harbour ladder moth")
    assert wrong.status_code == 422
    assert "That is not your present password." in wrong.text
    assert is_in(there)
    answer = here.post("/desk/password", old=PASSWORD, new="zinc harbour ladder moth")
    assert answer.status_code == 303
    assert (is_in(here), is_in(there)) == (True, False)


def test_eight_idle_hours_end_a_session_and_use_prolongs_it(app, clock):
    here = AtDesk(app, "sales")
    for _ in range(3):
        clock.move(hours=7)
        assert is_in(here)
    kept = cookie(here)
    clock.move(hours=8, seconds=1)
    assert not is_in(here)
    here.client.set_cookie("desk", kept)
    assert not is_in(here)


def test_a_disabled_account_is_out_at_once_on_every_way_in(app):
    account = with_password("sales")
    here = AtDesk(app, account=account)
    with writing() as session:
        secret, _ = links.make(session, account.id, clock.now(), links.BY_MAIL)
    AtDesk(app, "owner").post(f"/desk/accounts/{account.id}/disabling")
    assert not is_in(here)
    assert AtDesk(app).sign_in(account.email, PASSWORD).status_code == 422
    assert AtDesk(app).get(f"/desk/enter/{secret}").status_code == 410


@pytest.fixture
def limited(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(RATE_LIMITS="on")
    with app.app_context():
        yield app


def from_(address: str) -> dict[str, dict[str, str]]:
    return {"environ_base": {"REMOTE_ADDR": address}}


def tries(app: Flask, email: str, count: int, *addresses: str) -> list[int]:
    here = AtDesk(app)
    token = here.token()
    return [here.client.post("/desk/sign-in", environ_base={"REMOTE_ADDR": addresses[number % len(addresses)]},
                             data={"csrf_token": token, "email": email, "password": f"guess {number}"}).status_code
            for number in range(count)]


def test_ten_guesses_at_an_account_from_many_networks_are_all_and_its_owner_still_gets_in(limited):
    account = with_password()
    home = AtDesk(limited)
    assert home.sign_in(account.email, PASSWORD).status_code == 303
    home.post("/desk/sign-out")
    strangers = [f"198.{number}.7.9" for number in range(100)]
    codes = tries(limited, account.email, 100, *strangers)
    assert codes.count(422) == 9, "one of ten went to the owner's own sign-in"
    assert codes.count(429) == 91
    refused = AtDesk(limited).sign_in(account.email, PASSWORD)
    assert refused.status_code == 429
    assert "Too many tries" in refused.text
    assert home.sign_in(account.email, PASSWORD).status_code == 303, "from a browser that was in before"


def test_unknown_accounts_are_limited_alike(limited):
    assert tries(limited, "nobody@example.org", 12, "198.51.100.1").count(422) == 10


def test_one_network_cannot_go_through_many_accounts(limited):
    here = AtDesk(limited)
    token = here.token()
    codes = [here.client.post("/desk/sign-in", environ_base={"REMOTE_ADDR": "198.51.100.7"},
                              data={"csrf_token": token, "email": f"person{number}@example.org",
                                    "password": "123456"}).status_code
             for number in range(70)]
    assert (codes.count(422), codes.count(429)) == (60, 10)


def test_each_sign_in_and_each_refusal_is_in_the_log(app):
    account = with_password()
    here = AtDesk(app)
    here.sign_in(account.email, "not the password")
    here.sign_in("my secret passphrase typed into the wrong field", "x")
    here.sign_in(account.email, PASSWORD)
    rows = db.session.execute(select(AuditEntry.action, AuditEntry.actor).order_by(AuditEntry.id)).all()
    assert [tuple(row) for row in rows][1:] == [
        ("was refused at the sign-in", account.email), ("was refused at the sign-in", "(no address)"),
        ("signed in", account.email)]
