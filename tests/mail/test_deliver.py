"""What becomes of a message when its time has come, whatever the mail server does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from factories import NOON, make_account, make_consent, make_lead, make_message
from handsel.db import db, writing
from handsel.leads.models import Lead, LeadTag
from handsel.mail import pauses, queue, suppress
from handsel.mail.models import Attempt, Suppression
from handsel.worker.deliver import Deliverer, deliver_due
from support.letters import a_delivery, a_letter, lead_of, now


def balance_holds() -> bool:
    db.session.rollback()
    return queue.balance(db.session.connection()).holds


def paused() -> list:
    db.session.rollback()
    return pauses.current(db.session.connection())


def outcomes(message) -> list[str]:
    made = select(Attempt.outcome).where(Attempt.message_id == message.id).order_by(Attempt.id)
    return list(db.session.scalars(made))


def test_a_delivery_reaches_its_mailbox(posting, smtp):
    message = a_delivery()

    assert deliver_due(posting).by_state == {"sent": 1}

    (mail,) = smtp.wait(1, to="ada@example.org")
    assert f"http://localhost/get/{key_of_grant(message)}" in mail.text
    assert (now(message).state, message.sent_at, message.reason) == ("sent", NOON, "250 2.0.0 queued as TEST")
    assert outcomes(message) == ["sent"]


def key_of_grant(message) -> str:
    from handsel.leads.models import Grant

    return db.session.get(Grant, message.grant_id).key


def test_a_domain_in_other_letters_is_written_as_mail_servers_know_it(posting, smtp):
    message = a_delivery("ada@bücher.example")

    deliver_due(posting)

    (mail,) = smtp.wait(1)
    assert (mail.recipient, mail.message["To"]) == ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example")
    assert now(message).state == "sent"


def test_letters_of_any_script_before_the_at_need_a_server_that_takes_them(posting, smtp):
    message = a_delivery("зоя@example.org")

    deliver_due(posting)

    (mail,) = smtp.wait(1)
    assert mail.recipient == "зоя@example.org"
    assert now(message).state == "sent"


def test_many_mails_share_one_connection(posting, smtp):
    for number in range(40):
        a_letter(f"reader{number}@example.org")

    assert deliver_due(posting)["sent"] == 40

    assert {mail.connection for mail in smtp.wait(40)} == {smtp.received[0].connection}


def test_the_most_urgent_mail_goes_first(posting, smtp):
    a_letter("letter@example.org", due_at=NOON - timedelta(hours=1))
    a_delivery("delivery@example.org")

    deliver_due(posting)

    assert [mail.recipient for mail in smtp.wait(2)] == ["delivery@example.org", "letter@example.org"]


def test_a_server_that_is_away_costs_no_attempt_and_is_left_alone_longer_and_longer(posting, smtp, clock):
    message = a_delivery()
    smtp.stop()

    waits = []
    for _ in range(8):
        deliver_due(posting)
        (pause,) = paused()
        waits.append((pause.until_at - clock.now) / timedelta(minutes=1))
        clock.set(pause.until_at)

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert (now(message).state, message.attempts) == ("queued", 0)
    smtp.start()
    assert deliver_due(posting).by_state == {"sent": 1}
    assert paused() == []


def test_while_the_server_is_paused_nobody_knocks(posting, smtp, clock):
    a_delivery()
    smtp.stop()
    deliver_due(posting)
    smtp.start()

    assert deliver_due(posting).total == 0
    clock.move(minutes=1)
    assert deliver_due(posting)["sent"] == 1


@pytest.mark.parametrize(("stage", "how"), [("rcpt", "451 4.3.0 try later"), ("data", "452 4.3.1 no room"),
                                            ("dot", "451 4.3.0 try later"), ("mail", "drop"), ("rcpt", "drop"),
                                            ("data", "drop"), ("rcpt", "silent")])
@pytest.mark.parametrize("make", [a_delivery, a_letter])
def test_what_was_surely_not_accepted_is_tried_again_with_the_same_id(posting, smtp, clock, make, stage, how):
    message = make()
    smtp.fail(stage, how)

    deliver_due(posting)

    assert (now(message).state, message.attempts, outcomes(message)) == ("queued", 1, ["retry"])
    assert timedelta(seconds=48) <= message.due_at - NOON <= timedelta(seconds=72)
    assert balance_holds()
    smtp.mend()
    clock.move(seconds=72)
    assert deliver_due(posting).by_state == {"sent": 1}
    assert len(smtp.wait(1, to="ada@example.org")) == 1


@pytest.mark.parametrize("how", ["drop", "silent"])
def test_a_letter_whose_fate_nobody_knows_is_not_sent_again(posting, smtp, clock, how):
    message = a_letter()
    smtp.fail("dot", how, times=1)

    deliver_due(posting)

    assert (now(message).state, outcomes(message)) == ("unknown", ["unknown"])
    assert "nobody can know" in message.reason
    clock.move(days=1)
    assert deliver_due(posting).total == 0
    assert balance_holds()


@pytest.mark.parametrize("how", ["drop", "silent"])
def test_a_delivery_whose_fate_nobody_knows_is_sent_again_under_the_same_id(posting, smtp, clock, how):
    message = a_delivery()
    smtp.fail("dot", how, times=1)

    deliver_due(posting)
    assert (now(message).state, outcomes(message)) == ("queued", ["unknown"])
    clock.move(minutes=2)
    deliver_due(posting)

    assert (now(message).state, outcomes(message)) == ("sent", ["unknown", "sent"])
    assert len({mail.id for mail in smtp.received}) == 1


@pytest.mark.parametrize(("stage", "how"), [("rcpt", "550 5.2.1 mailbox disabled"), ("data", "554 5.3.4 too big"),
                                            ("dot", "554 5.6.0 we do not like it")])
def test_a_refusal_for_good_ends_the_message_with_the_servers_words(posting, smtp, stage, how):
    message = a_delivery()
    smtp.fail(stage, how)

    deliver_due(posting)

    assert (now(message).state, message.reason, outcomes(message)) == ("failed", how, ["failed"])
    assert db.session.scalars(select(Suppression)).all() == []
    assert balance_holds()


def test_one_refused_recipient_does_not_touch_the_others(posting, smtp):
    messages = [a_letter(f"reader{number}@example.org") for number in range(10)]
    smtp.fail("rcpt", "550 5.2.1 disabled", only="reader4@example.org")

    deliver_due(posting)

    assert [now(message).state for message in messages] == ["sent"] * 4 + ["failed"] + ["sent"] * 5
    assert sorted(mail.recipient for mail in smtp.received) == sorted(
        f"reader{number}@example.org" for number in range(10) if number != 4)


@pytest.mark.parametrize("status", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.4"])
def test_a_mailbox_that_does_not_exist_gets_no_mail_any_more(posting, smtp, clock, status):
    first = a_delivery("Gone@Example.org")
    second = make_message(lead_of(first), step="01-begin", due_at=NOON + timedelta(days=1))
    make_consent(lead_of(first))
    smtp.fail("rcpt", f"550 {status} no such user", times=1)

    deliver_due(posting)
    clock.move(days=1)
    deliver_due(posting)

    (block,) = db.session.scalars(select(Suppression)).all()
    assert (block.reason, block.scope) == ("bounce", "all")
    assert block.address_hash == suppress.address_hash("gone@example.org")
    assert now(first).state == "failed"
    assert (now(second).state, second.reason) == ("suppressed", suppress.WORDS["bounce"])
    assert smtp.received == []
    assert balance_holds()


def test_a_busy_domain_is_left_alone_and_others_are_served(posting, smtp, clock):
    slow = [a_delivery(f"reader{number}@slow.example") for number in range(3)]
    quick = a_delivery("reader@quick.example")
    smtp.fail("rcpt", "421 4.7.0 too many", only="reader0@slow.example")

    deliver_due(posting)

    assert [now(message).state for message in slow] == ["queued"] * 3
    assert {now(message).attempts for message in slow} == {0}
    assert {now(message).due_at for message in slow} == {NOON + timedelta(minutes=1)}
    assert now(quick).state == "sent"
    smtp.mend()
    clock.move(minutes=1)
    assert deliver_due(posting).by_state == {"sent": 3}


def test_a_server_that_is_busy_is_left_alone_as_a_whole(posting, smtp):
    messages = [a_delivery(f"reader{number}@example.org") for number in range(3)]
    smtp.fail("mail", "421 4.3.2 going down")

    deliver_due(posting)

    assert [(now(message).state, message.attempts) for message in messages] == [("queued", 0)] * 3
    (pause,) = paused()
    assert (pause.scope, pause.kind, pause.reason) == ("server", "back-off", "421 4.3.2 going down")


def test_a_server_that_does_not_let_us_in_stops_everything_with_one_alarm(posting, smtp, clock, caplog):
    message = a_delivery()
    smtp.fail("mail", "530 5.7.0 authentication required")

    for _ in range(4):
        deliver_due(posting)
        clock.move(minutes=5)

    assert (now(message).state, message.attempts) == ("queued", 0)
    alarms = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [alarm.getMessage()[:25] for alarm in alarms] == ["All mail stands still: th"]
    (pause,) = paused()
    assert (pause.kind, pause.until_at) == ("access", clock.now)
    smtp.mend()
    assert deliver_due(posting).by_state == {"sent": 1}


def test_a_slow_server_is_waited_for(posting, smtp):
    message = a_letter()
    smtp.fail("rcpt", "slow", seconds=0.3)
    smtp.fail("dot", "slow", seconds=1.0)

    deliver_due(posting)

    assert now(message).state == "sent"
    assert len(smtp.wait(1)) == 1


def test_a_kept_line_that_has_died_is_opened_again_once(posting, smtp):
    first, second = a_letter("one@example.org"), a_letter("two@example.org")
    smtp.fail("dot", "drop-after", times=1)

    deliver_due(posting)

    assert (now(first).state, now(second).state) == ("sent", "sent")
    assert len({mail.connection for mail in smtp.wait(2)}) == 2
    assert outcomes(second) == ["sent"]


def test_retries_are_given_up_when_the_mail_is_too_old_to_matter(posting, smtp, clock):
    message = a_delivery()
    smtp.fail("rcpt", "451 4.3.0 try later")

    while now(message).state == "queued":
        clock.set(max(clock.now, message.due_at))
        deliver_due(posting)

    assert message.state == "failed"
    assert message.reason.startswith("Given up after")
    assert 10 <= message.attempts <= 13
    assert clock.now - NOON < timedelta(hours=48)


def test_a_mail_that_nobody_could_hand_over_in_its_time_fails(posting, clock):
    message = a_delivery()
    clock.move(hours=49)

    deliver_due(posting)

    assert now(message).state == "failed"
    assert message.reason.startswith("Given up: it could not be handed over in its time.")


@pytest.mark.parametrize(("what", "reason"), [
    ("unsubscribed", "The person left all marketing mail."),
    ("withdrawn", "The person does not agree to get 'advice'."),
    ("never agreed", "The person does not agree to get 'advice'."),
    ("step gone", "The letter guide/07-gone is no longer in the project."),
])
def test_a_letter_that_may_not_go_out_is_cancelled(posting, smtp, what, reason):
    lead = make_lead(unsubscribed_at=NOON if what == "unsubscribed" else None)
    if what != "never agreed":
        make_consent(lead)
    if what == "withdrawn":
        make_consent(lead, state="withdrawn")
    message = make_message(lead, step="07-gone" if what == "step gone" else "01-begin")

    deliver_due(posting)

    assert (now(message).state, message.reason) == ("cancelled", reason)
    assert smtp.received == []


def test_a_letter_waits_until_the_mailbox_is_proven(posting, smtp, clock):
    lead = make_lead(confirmed_at=None)
    make_consent(lead, state="given")
    message = make_message(lead, step="01-begin")

    deliver_due(posting)
    assert (now(message).state, message.reason) == ("queued", "It waits until the person proves the mailbox.")

    make_consent(lead, state="confirmed")
    with writing() as session:
        queue.wake(session, lead.id, clock.now)
    deliver_due(posting)
    assert now(message).state == "sent"


def test_a_letter_to_a_mailbox_that_is_never_proven_is_cancelled_in_the_end(posting, smtp, clock):
    lead = make_lead(confirmed_at=None)
    make_consent(lead, state="given")
    message = make_message(lead, step="01-begin")

    for _ in range(14):
        deliver_due(posting)
        clock.move(hours=6)

    assert (now(message).state, message.reason) == ("cancelled", "The mailbox was not proven in time.")
    assert smtp.received == []


def test_agreeing_again_does_not_need_a_second_proof(posting):
    lead = make_lead()
    for state in ("given", "confirmed", "given"):
        make_consent(lead, state=state)
    message = make_message(lead, step="01-begin")

    deliver_due(posting)

    assert now(message).state == "sent"


def test_agreeing_again_after_a_withdrawal_does(posting):
    lead = make_lead()
    for state in ("given", "confirmed", "withdrawn", "given"):
        make_consent(lead, state=state)
    message = make_message(lead, step="01-begin")

    deliver_due(posting)

    assert now(message).reason == "It waits until the person proves the mailbox."


@pytest.mark.parametrize("reason", ["bounce", "complaint", "manual", "erasure", "unsubscribe"])
def test_a_blocked_address_gets_no_letter(posting, smtp, reason):
    message = a_letter("Reader@Example.ORG")
    with writing() as session:
        suppress.add(session, "reader@example.org", reason, NOON)

    deliver_due(posting)

    assert (now(message).state, message.reason) == ("suppressed", suppress.WORDS[reason])
    assert smtp.received == []


@pytest.mark.parametrize(("reason", "state"), [("bounce", "suppressed"), ("complaint", "sent"), ("unsubscribe", "sent"),
                                               ("erasure", "sent")])
def test_only_a_bounce_keeps_a_delivery_back(posting, reason, state):
    message = a_delivery()
    with writing() as session:
        suppress.add(session, "ada@example.org", reason, NOON)

    deliver_due(posting)

    assert now(message).state == state


def test_a_new_form_a_week_after_a_bounce_is_tried_once_more(posting):
    with writing() as session:
        suppress.add(session, "ada@example.org", "bounce", NOON - timedelta(days=7))
    message = a_delivery()

    deliver_due(posting)

    assert now(message).state == "sent"


def test_conditions_on_tags_are_looked_at_when_the_letter_goes_out(posting, project, smtp):
    path = project / "offers/guide/emails/01-begin.md"
    conditions = "wait: 2 days\nonly_if: {tag: reader}\nunless: {tag: writer}"
    path.write_text(path.read_text().replace("wait: 2 days", conditions))
    posting.extensions["handsel.offers"].refresh()
    none, reader, both = (a_letter(f"{name}@example.org") for name in ("none", "reader", "both"))
    with writing() as session:
        session.add(LeadTag(lead_id=reader.lead_id, tag="reader", at=NOON))
        session.add_all([LeadTag(lead_id=both.lead_id, tag=tag, at=NOON) for tag in ("reader", "writer")])

    deliver_due(posting)

    assert [now(message).state for message in (none, reader, both)] == ["cancelled", "sent", "cancelled"]
    assert now(both).reason == "The letter is not for leads with the tag 'writer'."


SEGMENTS = """
segments:
  busy: {label: Busy, when: {job_title: {contains: editor}}}
  idle: {label: Idle, when: {not: {segment: busy}}}
"""


def test_conditions_on_segments_are_looked_at_when_the_letter_goes_out(posting, project, smtp):
    (project / "content/_segments.yml").write_text(SEGMENTS)
    path = project / "offers/guide/emails/01-begin.md"
    path.write_text(path.read_text().replace("wait: 2 days", "wait: 2 days\nonly_if: {segment: busy}"))
    assert posting.extensions["handsel.offers"].refresh().faults == ()
    idle, busy, merged = (a_letter(f"{name}@example.org") for name in ("idle", "busy", "merged"))
    with writing() as session:
        session.get_one(Lead, busy.lead_id).job_title = "Chief Editor"
        session.get_one(Lead, merged.lead_id).merged_into_id = busy.lead_id

    deliver_due(posting)

    assert [now(message).state for message in (idle, busy, merged)] == ["cancelled", "sent", "sent"]
    assert now(idle).reason == "The letter is only for leads in the segment 'busy'."


def test_a_letter_waits_while_the_segment_it_asks_for_cannot_be_read(posting, project, smtp):
    (project / "content/_segments.yml").write_text(SEGMENTS)
    path = project / "offers/guide/emails/01-begin.md"
    path.write_text(path.read_text().replace("wait: 2 days", "wait: 2 days\nunless: {segment: busy}"))
    offers = posting.extensions["handsel.offers"]
    offers.refresh()
    message = a_letter()
    (project / "content/_segments.yml").write_text("segments: {}")
    assert [fault.kind for fault in offers.refresh().faults] == ["unknown-segment"]

    deliver_due(posting)

    assert (now(message).state, now(message).reason) == ("queued", "It waits: the segment 'busy' cannot be read.")


def test_a_letter_never_overtakes_an_earlier_one(posting, smtp, clock):
    first = a_letter()
    second = make_message(lead_of(first), step="02-stop", capture_id=first.capture_id)
    smtp.fail("rcpt", "451 4.3.0 try later", times=1)

    deliver_due(posting)
    assert (now(first).state, now(second).state, second.reason) == (
        "queued", "queued", "It waits for an earlier letter of the series.")

    for _ in range(3):
        clock.move(minutes=2)
        deliver_due(posting)
    assert [mail.message["Subject"] for mail in smtp.wait(2)] == ["Ada, have you begun?", "Stop at a full stop"]


def test_a_letter_that_nobody_looked_at_for_two_days_waits_for_a_person(posting, smtp, clock):
    message = a_letter()
    clock.move(hours=49)

    deliver_due(posting)
    assert now(message).state == "queued"
    assert message.reason.startswith("Held: it was due more than 48 hours ago.")
    assert smtp.received == []

    with writing() as session:
        assert queue.release(session.connection(), clock.now) == 1
    deliver_due(posting)
    assert now(message).state == "sent"


def test_a_hold_keeps_everything_back(posting, smtp):
    message = a_delivery()
    with writing() as session:
        pauses.hold(session.connection(), NOON, "The site was restored from a backup.")

    assert deliver_due(posting).total == 0
    assert now(message).state == "queued"


def test_an_unsubscribe_after_the_claim_still_stops_the_letter(posting, smtp):
    message = a_letter()
    worker = Deliverer(posting)
    worker.letters.use(worker.project)
    genuine = worker._last_word

    def unsubscribe_first(*args):
        with writing() as session:
            session.merge(lead_of(message)).unsubscribed_at = NOON
        return genuine(*args)

    worker._last_word = unsubscribe_first
    worker.round()
    worker.close()

    assert (now(message).state, message.reason) == ("cancelled", "The person left all marketing mail.")
    assert smtp.received == []


def test_an_erased_lead_is_forgotten_in_the_middle_of_it(posting, smtp):
    message = a_letter()
    worker = Deliverer(posting)
    genuine = worker._settle

    def erase_first(*args):
        with writing() as session:
            session.delete(session.merge(lead_of(message)))
        return genuine(*args)

    worker._settle = erase_first
    worker.round()
    worker.close()

    assert db.session.scalars(select(Attempt)).all() == []
    assert balance_holds()


def test_a_sign_in_mail_goes_to_the_account_and_its_link_is_forgotten(posting, smtp):
    account = make_account(name="Otto")
    message = make_message(kind="account", lead_id=None, account_id=account.id, offer="", step="", topic="", priority=0,
                           give_up_at=NOON + timedelta(minutes=15),
                           values={"link": "http://localhost/desk/enter/abc", "name": "Otto"})

    deliver_due(posting)

    (mail,) = smtp.wait(1, to=account.email)
    assert "http://localhost/desk/enter/abc" in mail.text
    assert 'href="http://localhost/desk/enter/abc"' in mail.html
    assert now(message).values == {}


def test_a_letter_that_cannot_be_made_fails_and_the_others_go_out(posting, smtp, monkeypatch):
    broken, fine = a_letter("broken@example.org"), a_letter("fine@example.org", step="02-stop")
    worker = Deliverer(posting)
    genuine = worker.letters.find

    def find(kind, offer, step, **more):
        if step == "01-begin":
            raise ZeroDivisionError
        return genuine(kind, offer, step, **more)

    monkeypatch.setattr(worker.letters, "find", find)
    worker.round()
    worker.close()

    assert (now(broken).state, broken.reason) == ("failed", "The mail could not be made; the log says why.")
    assert now(fine).state == "sent"
