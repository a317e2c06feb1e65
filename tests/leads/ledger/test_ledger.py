"""Whatever is done to a consent behind the program's back is found."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, insert, select, text, update

from factories import NOON, make_consent, make_lead
from handsel import clock
from handsel.db import db, snapshot, write_connection, writing
from handsel.leads import consents
from handsel.leads.delivery import correct
from handsel.leads.forget import forget
from handsel.leads.ledger import checking, sealing
from handsel.leads.ledger.models import ConsentSeal
from handsel.leads.models import Capture, Consent, Lead, Wording
from support.funnel import ADVICE, NEWS, make_offer, take


def faults() -> list[tuple[str, str]]:
    with snapshot() as connection:
        return [tuple(fault) for fault in checking.check(connection).faults]


def look() -> checking.Ledger:
    with snapshot() as connection:
        return checking.check(connection)


def behind_our_back(statement: Any) -> None:
    with write_connection() as connection:
        connection.execute(statement)


@pytest.fixture
def people(app: Flask, clock: Any) -> list[int]:
    """Five people with two consents each, all sealed; the numbers of their consents."""
    for number in range(5):
        take(app, f"p{number}@example.org", (ADVICE, NEWS))
        clock.move(minutes=1)
    assert sealing.seal_all(clock.now) == 10
    return list(db.session.scalars(select(Consent.id).order_by(Consent.id)))


def test_a_capture_waits_for_no_seal_and_gets_one_afterwards(app: Flask) -> None:
    take(app, "ann@example.org", (ADVICE, NEWS))
    assert (look().waiting, look().entries) == (2, 0)
    assert sealing.seal(clock.now()) == 2
    found = look()
    assert (found.entries, found.consents, found.waiting, found.faults) == (2, 2, 0, [])
    assert sealing.seal(clock.now()) == 0


CHANGES = {
    "purpose": "newsletter", "state": "withdrawn", "form": "other", "page": "/elsewhere/", "variant": "b",
    "way": "preferences", "address_prefix": "198.51.100.0/24", "browser": "Another", "at": NOON - timedelta(days=1),
    "capture_id": None, "wording_hash": NEWS.hash, "salt": "another-salt-of-22-ltr",
}


@pytest.mark.parametrize("column", sorted(CHANGES))
def test_a_changed_column_is_found_and_its_row_named(people: list[int], column: str) -> None:
    behind_our_back(update(Consent).where(Consent.id == people[4]).values({column: CHANGES[column]}))
    assert faults() == [(f"consent {people[4]}", "It was changed after it was sealed.")]


def test_a_consent_given_to_another_person_is_found(people: list[int]) -> None:
    other = db.session.scalar(select(Consent.lead_id).where(Consent.id == people[0]))
    behind_our_back(update(Consent).where(Consent.id == people[4]).values(lead_id=other))
    assert [where for where, _ in faults()] == [f"consent {people[4]}"]


def test_another_mailbox_under_the_same_lead_is_found(people: list[int]) -> None:
    behind_our_back(update(Lead).where(Lead.email == "p2@example.org").values(email="x@example.org"))
    assert [where for where, _ in faults()] == [f"consent {people[4]}", f"consent {people[5]}"]


def test_changed_words_are_found(people: list[int]) -> None:
    behind_our_back(update(Wording).where(Wording.hash == ADVICE.hash).values(text="Send me everything, always."))
    assert faults() == [(f"wording {ADVICE.hash[:12]}", "The words of a consent were changed.")]


def test_a_removed_consent_is_found(people: list[int]) -> None:
    behind_our_back(delete(Consent).where(Consent.id.in_([people[0], people[9]])))
    assert faults() == [(f"consent {people[0]}", "It was removed without an erasure."),
                        (f"consent {people[9]}", "It was removed without an erasure.")]


def test_two_consents_that_changed_places_are_found(people: list[int]) -> None:
    one, two = people[0], people[6]
    for before, after in ((one, 9000), (two, one), (9000, two)):
        behind_our_back(update(Consent).where(Consent.id == before).values(id=after))
    assert [where for where, _ in faults()] == [f"consent {one}", f"consent {two}"]


def copy_of(number: int, **changed: Any) -> dict[str, Any]:
    row = db.session.execute(select(Consent.__table__).where(Consent.id == number)).mappings().one()
    db.session.rollback()
    return {**row, "id": 9001, **changed}


def test_a_consent_put_in_with_a_salt_of_its_own_is_found(people: list[int]) -> None:
    behind_our_back(insert(Consent).values(copy_of(people[0])))
    assert faults() == [("consent 9001", "It is not in the ledger, or was erased there: it was put in beside it.")]


def test_a_consent_put_in_for_the_worker_to_seal_shows_by_its_date(people: list[int], clock: Any) -> None:
    behind_our_back(insert(Consent).values(copy_of(people[0], salt=None, at=NOON - timedelta(days=300))))
    sealing.seal_all(clock.now)
    assert [where for where, _ in faults()] == ["consent 9001"]
    assert "It came later than it says" in faults()[0][1]


def test_a_seal_that_is_taken_off_shows_before_and_after_the_worker_seals_again(people: list[int], clock: Any) -> None:
    behind_our_back(update(Consent).where(Consent.id == people[3]).values(salt=None, page="/elsewhere/"))
    assert faults() == [(f"consent {people[3]}", "Its salt was removed.")]
    sealing.seal_all(clock.now)
    assert faults() == [(f"consent {people[3]}", "Its seal was taken off and made anew.")]


@pytest.mark.parametrize(("column", "value"), [
    ("digest", "0" * 64), ("kind", "erased"), ("at", NOON), ("happened_at", NOON), ("why", "so"), ("consent_id", 77)])
def test_a_changed_entry_of_the_chain_is_found(people: list[int], column: str, value: Any) -> None:
    behind_our_back(update(ConsentSeal).where(ConsentSeal.id == 5).values({column: value}))
    assert "ledger entry 5" in [where for where, _ in faults()]


def test_removed_and_reordered_entries_are_found(people: list[int]) -> None:
    for before, after in ((3, 900), (4, 3), (900, 4)):
        behind_our_back(update(ConsentSeal).where(ConsentSeal.id == before).values(id=after))
    assert {"ledger entry 3", "ledger entry 4"} <= {where for where, _ in faults()}
    behind_our_back(delete(ConsentSeal).where(ConsentSeal.id.in_([7, 8])))
    assert ("ledger entry 7 to 8", "It was removed.") in faults()


def test_a_tail_cut_off_together_with_its_consents_shows_by_the_seal_that_the_log_noted(people: list[int]) -> None:
    assert sealing.anchor()
    assert not sealing.anchor()
    head = look().head
    behind_our_back(delete(ConsentSeal).where(ConsentSeal.id > 8))
    behind_our_back(delete(Consent).where(Consent.id.in_(people[8:])))
    (fault,) = faults()
    assert fault[1] == "The ledger has lost the seal that was noted here: it was cut or made anew."
    with snapshot() as connection:
        assert (checking.holds(connection, head), checking.holds(connection, look().head)) == (False, True)


def test_an_erasure_leaves_the_digest_and_nothing_that_tells_whose_it_was(people: list[int]) -> None:
    digest = db.session.scalar(select(ConsentSeal.digest).where(ConsentSeal.consent_id == people[4]))
    with writing() as session:
        forget(session, session.scalars(select(Lead).where(Lead.email == "p2@example.org")).one(), NOON, "the person")
    found = look()
    assert (found.entries, found.consents, found.erased, found.faults) == (12, 8, 2, [])
    assert db.session.scalar(select(ConsentSeal.digest).where(ConsentSeal.consent_id == people[4])) == digest
    gone = db.session.execute(select(ConsentSeal.consent_id, ConsentSeal.digest, ConsentSeal.why)
                              .where(ConsentSeal.kind == "erased").order_by(ConsentSeal.id)).all()
    assert [tuple(row) for row in gone] == [(people[4], "", "the person"), (people[5], "", "the person")]


def test_a_number_that_serves_again_after_an_erasure_is_sealed_like_any_other(app: Flask, clock: Any) -> None:
    for address in ("one@example.org", "two@example.org"):
        take(app, address, (ADVICE,))
        sealing.seal_all(clock.now)
    last = db.session.scalar(select(func.max(Consent.id)))
    with writing() as session:
        forget(session, session.scalars(select(Lead).where(Lead.email == "two@example.org")).one(), NOON, "the person")
    lead = make_lead()
    make_consent(lead, id=last)
    sealing.seal_all(clock.now)
    assert faults() == []


def test_who_is_erased_before_the_seal_leaves_no_trace_in_the_ledger(app: Flask) -> None:
    take(app, "ann@example.org", (ADVICE,))
    with writing() as session:
        forget(session, session.scalars(select(Lead)).one(), NOON, "the person")
    assert (look().entries, look().faults) == (0, [])


def test_a_corrected_address_moves_the_consent_and_the_ledger_says_so(app: Flask, clock: Any) -> None:
    take(app, "anm@example.org", (ADVICE,))
    sealing.seal_all(clock.now)
    with writing() as session:
        correct(session, make_offer(), session.scalars(select(Capture)).one(), "ann@example.org", clock.now)
    found = look()
    assert (found.moved, found.faults) == (1, [])


def test_withdrawing_adds_a_row_and_the_chain_goes_on(people: list[int], clock: Any) -> None:
    with writing() as session:
        lead = session.scalars(select(Lead).where(Lead.email == "p1@example.org")).one()
        consents.withdraw(session, lead, ["advice"], consents.Way("one-click"), clock.now)
    sealing.seal_all(clock.now)
    assert (look().entries, look().faults) == (11, [])


def test_many_workers_and_erasers_at_once_leave_one_whole_chain(app: Flask) -> None:
    leads = [make_lead() for _ in range(30)]
    for lead in leads:
        for purpose in ("advice", "newsletter", "tips"):
            make_consent(lead, purpose)
    wrong: list[BaseException] = []

    def doing(what: Callable[[], object]) -> None:
        try:
            with app.app_context():
                what()
        except BaseException as error:
            wrong.append(error)

    def erase(numbers: list[int]) -> None:
        for number in numbers:
            with writing() as session:
                forget(session, session.get_one(Lead, number), NOON, "the person")

    ids = [lead.id for lead in leads]
    db.session.rollback()
    threads = [threading.Thread(target=doing, args=(lambda: [sealing.seal(clock.now()) for _ in range(20)],))
               for _ in range(4)]
    threads += [threading.Thread(target=doing, args=(lambda: erase(ids[:5]),)),
                threading.Thread(target=doing, args=(lambda: erase(ids[5:10]),))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealing.seal_all(clock.now())

    found = look()
    assert (wrong, found.faults, found.consents, found.waiting) == ([], [], 60, 0)
    assert db.session.scalar(text("SELECT max(id) FROM consent_seal")) == found.entries
