"""No message is lost and none is in two hands, whoever dies when."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from factories import NOON, make_lead, make_message
from handsel.db import db, write_connection, writing
from handsel.mail import queue
from handsel.mail.models import Attempt, Message
from handsel.mail.schedule import DELAYS, LIFETIMES, MAX_ATTEMPTS, back_off, retry_at
from handsel.worker.deliver import Deliverer, deliver_due
from support.letters import a_delivery, a_letter, now


class Killed(BaseException):
    """What a ``kill -9`` looks like from inside: nothing after it is done."""


def claim(worker: str, at, limit: int = 10) -> list[queue.Claimed]:
    with write_connection() as connection:
        return queue.claim(connection, worker, at, limit)


def test_a_message_is_claimed_once(app, clock):
    message = a_letter()

    assert [claimed.id for claimed in claim("one", NOON)] == [message.id]
    assert claim("two", NOON) == []
    assert (now(message).state, message.worker, message.lease_until) == ("claimed", "one", NOON + queue.LEASE)


def test_what_is_not_due_yet_is_left(app, clock):
    a_letter(due_at=NOON + timedelta(milliseconds=1))

    assert claim("one", NOON) == []


def test_urgent_kinds_are_claimed_first_and_then_the_longest_waiting(app, clock):
    old = a_letter(due_at=NOON - timedelta(hours=2))
    older = a_letter(due_at=NOON - timedelta(hours=3), email="b@example.org")
    delivery = a_delivery("c@example.org")

    assert [claimed.id for claimed in claim("one", NOON, limit=2)] == [delivery.id, older.id]
    assert [claimed.id for claimed in claim("one", NOON, limit=2)] == [old.id]


def test_the_same_capture_kind_and_step_is_queued_once(app, clock):
    from sqlalchemy.exc import IntegrityError

    values = queue.row("letter", once="capture-1|letter|01", at=NOON, lead_id=make_lead().id)
    with writing() as session:
        session.execute(Message.__table__.insert().values(values))
    with pytest.raises(IntegrityError), writing() as session:
        session.execute(Message.__table__.insert().values(values | {"key": "other"}))


@pytest.mark.parametrize("kind", LIFETIMES)
def test_a_new_row_carries_the_kinds_lifetime(kind):
    made = queue.row(kind, once="x", at=NOON, due_at=NOON + timedelta(days=2))

    assert made["give_up_at"] == NOON + timedelta(days=2) + LIFETIMES[kind]
    assert made["first_due_at"] == made["due_at"] == NOON + timedelta(days=2)


def test_several_workers_hand_over_each_message_once(posting, smtp):
    for number in range(60):
        a_letter(f"reader{number}@example.org")

    def work() -> None:
        with posting.app_context():
            worker = Deliverer(posting)
            while worker.round(limit=4).total:
                pass
            worker.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    deliver_due(posting)

    readers = sorted(f"reader{number}@example.org" for number in range(60))
    assert sorted(mail.recipient for mail in smtp.received) == readers
    assert len({mail.id for mail in smtp.received}) == 60


@pytest.mark.parametrize("moment", ["before the last word", "with its text on the way", "before the result is stored"])
@pytest.mark.parametrize(("make", "states"), [
    (a_delivery, {"before the last word": ("sent", 1), "with its text on the way": ("sent", 1),
                  "before the result is stored": ("sent", 2)}),
    (a_letter, {"before the last word": ("sent", 1), "with its text on the way": ("unknown", 0),
                "before the result is stored": ("unknown", 1)}),
])
def test_a_worker_that_is_killed_leaves_the_promised_state(posting, smtp, clock, make, states, moment):
    message = make()
    victim = Deliverer(posting)
    victim.letters.use(victim.project)
    genuine = victim.transport.hand_over

    def die(mail, last_word):
        if moment == "before the result is stored":
            genuine(mail, last_word)
        elif moment == "with its text on the way":
            last_word()
        raise Killed

    victim.transport.hand_over = die
    with pytest.raises(Killed):
        victim.round()
    assert now(message).state == "claimed"

    assert deliver_due(posting).total == 0, "the lease still holds"
    clock.move(seconds=61)
    deliver_due(posting)

    state, copies = states[moment]
    assert (now(message).state, len(smtp.received)) == (state, copies)
    assert len({mail.id for mail in smtp.received}) <= 1
    with db.engine.connect() as connection:
        assert queue.balance(connection).holds


def test_a_worker_that_lives_keeps_its_lease(app, clock):
    message = a_letter()
    claim("one", NOON)
    clock.move(seconds=50)
    with write_connection() as connection:
        queue.renew(connection, "one", clock.now)
    clock.move(seconds=50)

    with write_connection() as connection:
        assert queue.recover(connection, clock.now) == (0, 0)
    assert now(message).state == "claimed"


def test_a_late_result_mends_what_was_given_up(app, clock):
    message = a_letter()
    (mine,) = claim("slow", NOON)
    with write_connection() as connection:
        assert queue.begin(connection, mine, "slow", NOON)
    clock.move(seconds=61)
    with write_connection() as connection:
        assert queue.recover(connection, clock.now) == (0, 1)
    assert now(message).state == "unknown"

    with write_connection() as connection:
        assert queue.store(connection, mine, "slow", queue.Result("sent", "250 ok", outcome="sent"), clock.now)
    assert now(message).state == "sent"


def test_a_late_failure_does_not_touch_what_another_worker_has(app, clock):
    message = a_delivery()
    (mine,) = claim("slow", NOON)
    clock.move(seconds=61)
    with write_connection() as connection:
        queue.recover(connection, clock.now)
    claim("quick", clock.now)

    with write_connection() as connection:
        assert not queue.store(connection, mine, "slow", queue.Result("failed", "550", outcome="failed"), clock.now)
    assert (now(message).state, message.worker) == ("claimed", "quick")
    assert db.session.scalars(select(Attempt)).all() == []


def test_a_worker_that_stops_gives_back_what_it_has_not_begun(posting, smtp):
    messages = [a_letter(f"reader{number}@example.org") for number in range(5)]
    worker = Deliverer(posting)
    worker.letters.use(worker.project)
    genuine = worker.transport.hand_over

    def stop_after(mail, last_word):
        worker.stop.set()
        return genuine(mail, last_word)

    worker.transport.hand_over = stop_after
    worker.round()
    worker.close()

    assert [now(message).state for message in messages] == ["sent"] + ["queued"] * 4
    assert {message.worker for message in messages} == {""}


def test_a_result_is_stored_again_and_again_until_the_database_takes_it(posting, smtp, monkeypatch):
    from sqlalchemy.exc import OperationalError

    message = a_letter()
    genuine, tries = queue.store, []

    def store(*args):
        tries.append(1)
        if len(tries) < 4:
            raise OperationalError("UPDATE message", {}, Exception("disk full"))
        return genuine(*args)

    monkeypatch.setattr(queue, "store", store)
    deliver_due(posting)

    assert (len(tries), now(message).state, len(smtp.received)) == (4, "sent", 1)


def test_a_failed_message_can_be_queued_again_by_hand(posting, smtp, clock):
    message = a_delivery()
    smtp.fail("rcpt", "550 5.2.1 disabled", times=1)
    deliver_due(posting)
    clock.move(days=3)

    with writing() as session:
        assert queue.retry(session, message.id, clock.now)
        assert not queue.retry(session, message.id, clock.now)
    deliver_due(posting)

    assert (now(message).state, len(smtp.received)) == ("sent", 1)


def test_a_letter_that_may_have_arrived_cannot_be_queued_again(posting, smtp):
    message = a_letter()
    smtp.fail("dot", "drop", times=1)
    deliver_due(posting)

    with writing() as session:
        assert not queue.retry(session, message.id, NOON)


def test_a_backlog_of_one_dead_domain_does_not_delay_others(posting, smtp):
    lead = make_lead(email="many@dead.example")
    for _ in range(300):
        make_message(lead, kind="delivery", step="00-delivery", priority=1, due_at=NOON - timedelta(hours=1))
    quick = a_delivery("one@quick.example")
    smtp.fail("rcpt", "421 4.7.0 go away", only="many@dead.example")
    worker = Deliverer(posting)

    rounds = 0
    while now(quick).state == "queued":
        worker.round()
        rounds += 1
    worker.close()

    assert rounds <= 2
    assert (quick.state, len(smtp.received)) == ("sent", 1)


def test_retries_come_at_the_promised_times():
    at, give_up_at = NOON, NOON + timedelta(days=30)

    delays = [retry_at(at, attempt, give_up_at, luck=0.5) - at for attempt in range(1, 12)]
    assert delays == [*DELAYS, timedelta(hours=12), timedelta(hours=12)]
    assert [delay / timedelta(minutes=1) for delay in DELAYS] == [1, 5, 15, 30, 60, 120, 240, 480, 720]
    assert retry_at(at, 1, give_up_at, luck=0) - at == timedelta(seconds=48)
    assert retry_at(at, 1, give_up_at, luck=1) - at == timedelta(seconds=72)
    assert retry_at(at, MAX_ATTEMPTS, give_up_at, luck=0.5) is None
    assert retry_at(at, 1, at + timedelta(seconds=30), luck=0.5) is None


def test_no_lifetime_holds_more_attempts_than_the_cap():
    for kind, lifetime in LIFETIMES.items():
        at, attempts = NOON, 1
        while (then := retry_at(at, attempts, NOON + lifetime, luck=0)) is not None:
            at, attempts = then, attempts + 1
        assert attempts < MAX_ATTEMPTS, kind


def test_pauses_double_up_to_an_hour():
    assert [back_off(tries) / timedelta(minutes=1) for tries in range(1, 10)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
