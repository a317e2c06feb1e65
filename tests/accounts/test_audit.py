"""The log of the desk: what was changed or taken out of it shows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from factories import make_account
from handsel.accounts import audit
from handsel.accounts.models import AuditEntry
from handsel.db import db, writing


def write(*actions: str) -> list[int]:
    numbers = []
    for action in actions:
        with writing() as session:
            numbers.append(audit.record(session, action, "test", "account:1", {"n": action, "ü": [1, None]}).id)
    return numbers


def broken() -> int | None:
    return audit.verify(db.session()).broken


def test_an_untouched_log_is_whole(app, clock):
    write("one", "two", "three")
    newest = db.session.scalars(select(AuditEntry.seal).order_by(AuditEntry.id.desc())).first()
    assert audit.verify(db.session()) == audit.Verdict(entries=3, wrong=[], head=newest)


@pytest.mark.parametrize("column", ["actor", "action", "subject", "detail", "seal"])
def test_a_changed_entry_is_found(app, clock, column):
    _, second, _ = write("one", "two", "three")
    with writing() as session:
        value = {"n": "other"} if column == "detail" else "other"
        session.execute(update(AuditEntry).where(AuditEntry.id == second).values({column: value}))
    assert broken() == second


def test_a_removed_entry_is_found(app, clock):
    _, second, third = write("one", "two", "three")
    with writing() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id == second))
    assert broken() == third


def test_each_of_several_changes_is_named(app, clock):
    numbers = write("one", "two", "three", "four", "five")
    with writing() as session:
        session.execute(update(AuditEntry).where(AuditEntry.id.in_([numbers[1], numbers[3]])).values(actor="other"))
    assert audit.verify(db.session()).wrong == [numbers[1], numbers[3]]


def test_what_is_thrown_away_for_its_age_leaves_a_log_that_goes_on(app, clock):
    numbers = write("one", "two")
    clock.move(days=800)
    write("three")
    with writing() as session:
        assert audit.throw_away(session, clock.now - timedelta(days=731)) == 2
    assert [entry.action for entry in db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))] == [
        "three", "threw away old entries"]
    assert broken() is None
    with writing() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id == numbers[1] + 1))
    assert broken() is not None


def test_an_account_may_go_and_what_it_did_stays_true(app, clock):
    account = make_account("owner")
    with writing() as session:
        audit.record(session, "exported leads", audit.Actor(account.email, account.id))
    with writing() as session:
        session.delete(session.merge(account))
    assert (audit.verify(db.session()).entries, broken()) == (1, None)


def test_what_people_type_stays_one_line(app, clock):
    with writing() as session:
        number = audit.record(session, "was refused", "a\nforged: entry\r\x1b[31m\u2028x").id
    assert db.session.get_one(AuditEntry, number).actor == "a�forged: entry��[31m�x"


def test_an_entry_tells_of_nobody_by_address_or_by_what_was_searched_for(app, clock):
    with writing() as session:
        number = audit.record(session, "exported leads", "test", "leads", {
            "rows": 3, "search": "Ann Canary", "file": "of ann@example.org.csv", "owner": "seller@example.org"}).id
    assert db.session.get_one(AuditEntry, number).detail == {
        "rows": 3, "search": "(words)", "file": "of (address)", "owner": "seller@example.org"}
