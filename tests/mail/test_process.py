"""``handsel work`` as a process of its own, told to stop in the middle of a mail."""

from __future__ import annotations

import signal

from sqlalchemy import update

from factories import NOON
from handsel.db import writing
from handsel.mail.models import Message
from support import on_sqlite
from support.letters import a_letter, lead_of, now
from support.running import wait_until

pytestmark = on_sqlite


def test_a_worker_that_is_asked_to_stop_finishes_the_mail_in_hand(work, smtp):
    messages = [a_letter(f"reader{number}@example.org") for number in range(5)]
    smtp.fail("dot", "slow", seconds=1.0)
    process = work()
    smtp.wait(1)  # the text of the first has arrived, its answer is yet to come

    process.send_signal(signal.SIGTERM)

    assert process.wait(15) == 0
    states = [now(message).state for message in messages]
    assert states.count("sent") == len(smtp.received) <= 2
    assert set(states) == {"sent", "queued"}
    assert {message.worker for message in messages} == {""}


def leases_run_out() -> None:
    """As if a minute had passed."""
    with writing() as session:
        session.execute(update(Message).where(Message.state == "claimed").values(lease_until=NOON))


def test_a_worker_that_is_killed_loses_nothing_and_doubles_nothing(work, smtp):
    messages = [a_letter(f"reader{number}@example.org") for number in range(30)]
    smtp.fail("dot", "slow", seconds=0.05)
    for _ in range(3):
        process = work()
        smtp.wait(len(smtp.received) + 3)
        process.kill()
        process.wait()
        leases_run_out()
    smtp.mend()
    work()
    wait_until(lambda: not {"queued", "claimed"} & {now(message).state for message in messages})
    states = {message.state for message in messages}

    recipients = [mail.recipient for mail in smtp.received]
    unknown = [message for message in messages if now(message).state == "unknown"]
    assert len(recipients) == len(set(recipients)), "nobody gets a letter twice"
    assert states <= {"sent", "unknown"}
    assert len(unknown) <= 3, "at most the one in hand at each death is in doubt"
    assert {message.id for message in messages if message.state == "sent"} <= {
        message.id for message in messages if address_of(message) in recipients}


def address_of(message: Message) -> str:
    return lead_of(message).address
