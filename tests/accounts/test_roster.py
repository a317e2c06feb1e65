"""Accounts: adding, roles, disabling, passwords, and what ends when they change."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from factories import make_account
from handsel.accounts import links, passwords, roster, sessions
from handsel.accounts.models import Account
from handsel.db import db, writing
from handsel.errors import HandselError

PASSWORD = "four odd words here"


def begin(account: Account, clock) -> str:
    with writing() as session:
        return sessions.begin(session, session.get_one(Account, account.id), "a browser", clock())


def act(account: Account, function, *args) -> None:
    with writing() as session:
        function(session, session.get_one(Account, account.id), *args, actor="test")


def whose(secret: str, clock) -> str | None:
    found = sessions.find(db.session(), secret, clock())
    db.session.rollback()
    return found.email if found else None


def test_a_session_ends_after_a_week_however_busy(app, clock):
    account = make_account("sales")
    secret = begin(account, clock)
    clock.move(days=6, hours=23)
    assert whose(secret, clock) == account.email
    clock.move(hours=1)
    assert whose(secret, clock) is None


@pytest.mark.parametrize("change", ["password", "role", "disable"])
def test_every_session_of_an_account_ends_when_its_password_or_role_changes_or_it_is_disabled(app, clock, change):
    account, other = make_account("sales"), make_account("sales")
    one, two, others = begin(account, clock), begin(account, clock), begin(other, clock)
    match change:
        case "password":
            act(account, roster.set_password, PASSWORD)
        case "role":
            act(account, roster.change_role, "marketer")
        case "disable":
            act(account, roster.disable)
    assert [whose(secret, clock) for secret in (one, two, others)] == [None, None, other.email]


def test_only_the_hash_of_a_secret_is_kept(app, clock):
    secret = begin(make_account("sales"), clock)
    with writing() as session:
        account = make_account("owner")
    with writing() as session:
        link, _ = links.make(session, account.id, clock(), links.BY_MAIL)
    with db.engine.connect() as connection:
        kept = "".join(repr(connection.execute(table.select()).all()) for table in db.metadata.sorted_tables)
    assert secret not in kept
    assert link not in kept


def test_a_link_works_once_and_for_a_day(app, clock):
    account = make_account("marketer")
    with writing() as session:
        first, _ = links.make(session, account.id, clock(), links.BY_MAIL)
        late, _ = links.make(session, account.id, clock(), links.BY_MAIL)
    found = []
    for _ in range(2):
        with writing() as session:
            used = links.consume(session, first, clock())
            found.append(used.email if used else None)
    assert found == [account.email, None]
    clock.move(hours=24)
    with writing() as session:
        assert links.consume(session, late, clock()) is None


def test_a_link_of_a_disabled_account_opens_nothing(app, clock):
    account = make_account("marketer")
    with writing() as session:
        secret, _ = links.make(session, account.id, clock(), links.BY_MAIL)
    act(account, roster.disable)
    act(account, roster.enable)
    with writing() as session:
        assert links.consume(session, secret, clock()) is None


def test_the_first_link_makes_an_owner_once(app):
    first, second = links.first_link(app, "http://127.0.0.1:9000"), links.first_link(app)
    assert first.startswith("http://127.0.0.1:9000/desk/enter/")
    assert second.startswith("http://localhost/desk/enter/")
    accounts = db.session.scalars(select(Account)).all()
    assert [(account.role, account.password_hash) for account in accounts] == [("owner", None)]


@pytest.mark.parametrize("become", ["added", "promoted"])
def test_the_account_that_stands_in_goes_when_a_real_owner_comes(app, become):
    links.first_link(app)
    if become == "added":
        with writing() as session:
            roster.add(session, "ada@example.org", "owner", actor="test")
    else:
        act(make_account("sales", email="ada@example.org"), roster.change_role, "owner")
    assert db.session.scalars(select(Account.email)).all() == ["ada@example.org"]


def test_the_account_that_stands_in_stays_while_there_is_no_other_owner_or_somebody_uses_it(app, clock):
    links.first_link(app)
    with writing() as session:
        roster.add(session, "kit@example.org", "sales", actor="test")
    stand_in = db.session.scalars(select(Account).where(Account.email == links.FIRST_OWNER)).one()
    begin(stand_in, clock)
    with writing() as session:
        roster.add(session, "ada@example.org", "owner", actor="test")
    assert len(db.session.scalars(select(Account.email)).all()) == 3


def test_a_link_leads_to_where_the_site_last_answered(make_app):
    app = make_app(SITE_URL="")
    assert links.link_address(app, "x") == "http://127.0.0.1:8000/desk/enter/x"
    links.remember_address(Path(app.instance_path), "http://127.0.0.1:8123/")
    assert links.link_address(app, "x") == "http://127.0.0.1:8123/desk/enter/x"
    assert links.link_address(make_app(SITE_URL="https://example.org"), "x") == "https://example.org/desk/enter/x"


def test_the_last_owner_can_neither_leave_nor_be_disabled(app):
    owner = make_account("owner")
    for function, args in ((roster.change_role, ("sales",)), (roster.disable, ())):
        with pytest.raises(HandselError, match="last owner"):
            act(owner, function, *args)
    make_account("owner")
    act(owner, roster.disable)


def test_an_address_has_one_account_however_it_is_spelled(app):
    with writing() as session:
        roster.add(session, " Ada@Example.org ", "sales", actor="test")
    for email in ("ada@example.org", "ADA@EXAMPLE.ORG"):
        with pytest.raises(HandselError, match="already"), writing() as session:
            roster.add(session, email, "owner", actor="test")
    for wrong in ("ada", "a@b@c", "=cmd@example.org", "a b@example.org", "a,b@example.org", "ada@exa mple.org", ""):
        with pytest.raises(HandselError, match="not an e-mail address"):
            roster.normalised(wrong)


def test_a_password_is_kept_as_argon2id_with_the_profile_we_promise(app):
    account = make_account("sales")
    act(account, roster.set_password, PASSWORD)
    kept = db.session.get_one(Account, account.id).password_hash
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches(kept, PASSWORD)
    assert not passwords.matches(kept, PASSWORD + "r")
    assert not passwords.matches(None, PASSWORD)
    assert not passwords.matches("no hash at all", PASSWORD)


def test_weak_passwords_are_refused_in_words():
    refused = {
        "short": "12 characters", "aaaaaaaaaaaaaaa": "repeats", "ada.marsh1234": "mostly your name",
        "passwordpassword!1": "tried first", "x" * 10 + "abcdefghij" * 20: "at most",
    }
    for password, words in refused.items():
        assert words in (passwords.weakness(password, "ada.marsh@example.org", "Ada") or ""), password
    assert passwords.weakness("zinc harbour ladder moth", "ada@example.org", "Ada") is None
