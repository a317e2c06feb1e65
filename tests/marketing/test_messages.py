"""Messages at the desk: states, reasons in words, and sending failed ones again."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from factories import NOON, make_account, make_lead, make_message
from handsel.accounts.models import AuditEntry
from handsel.db import db, writing
from handsel.desk.words import message_state
from handsel.mail.models import Message
from handsel.mail.queue import HELD
from support.desk import AtDesk


def addresses(page: str) -> list[str]:
    return re.findall(r'<th scope="row" class="who"><a href="/desk/leads/\d+">([^<]+)', page)


@pytest.mark.parametrize(("fields", "word", "why"), [
    ({"state": "sent"}, "Sent", ""),
    ({"state": "queued"}, "Waiting", ""),
    ({"state": "queued", "due_at": NOON + timedelta(days=1)}, "Planned", ""),
    ({"state": "queued", "attempts": 2, "reason": "451 Greylisted."}, "Trying again",
     "Tried 2 times. The mail server said: 451 Greylisted."),
    ({"state": "queued", "attempts": 1, "reason": "Nobody answers."}, "Trying again", "Tried once. Nobody answers."),
    ({"state": "queued", "due_at": HELD}, "Held", "handsel mail release"),
    ({"state": "failed", "reason": "550 No such mailbox."}, "Failed",
     "The mail server said: 550 No such mailbox."),
    ({"state": "unknown"}, "Unknown", "it may have arrived"),
    ({"state": "suppressed", "reason": "They unsubscribed."}, "Held back", "They unsubscribed."),
    ({"state": "cancelled"}, "Cancelled", "no longer wanted"),
    ({"state": "claimed"}, "Going out", "A worker"),
])
def test_each_state_has_its_word_and_its_reason(fields, word, why):
    message = Message(**{"due_at": NOON, "attempts": 0, "reason": "", "kind": "letter"} | fields)
    state = message_state(message, NOON)
    assert state.word == word
    assert why in state.why


def test_what_the_mail_server_said_when_it_took_a_mail_is_not_shown(app):
    message = Message(due_at=NOON, attempts=1, reason="250 2.0.0 OK queued as 4F5", kind="letter", state="sent")
    assert message_state(message, NOON).why == ""


def test_the_list_is_filtered_by_state_kind_and_offer(app, clock):
    leads = [make_lead() for _ in range(4)]
    make_message(leads[0], state="sent")
    make_message(leads[1], state="failed", reason="550 No such mailbox.")
    make_message(leads[2], state="failed", kind="delivery", step="00-delivery")
    make_message(leads[3], state="failed", offer="demo")
    marketer = AtDesk(app, "marketer")
    found = {query: addresses(marketer.get(f"/desk/messages?{query}").text)
             for query in ("", "state=failed", "state=failed&kind=delivery", "offer=demo", "state=unknown")}
    mails = [lead.address for lead in leads]
    assert found == {"": mails[::-1], "state=failed": mails[:0:-1], "state=failed&kind=delivery": [mails[2]],
                     "offer=demo": [mails[3]], "state=unknown": []}
    assert "550 No such mailbox." in marketer.get("/desk/messages").text
    assert marketer.get("/desk/messages?state=lost").status_code == 400
    assert marketer.get("/desk/messages?kind=spam").status_code == 400


def test_a_failed_message_is_queued_again_by_its_button_and_the_log_says_by_whom(app, clock):
    message = make_message(state="failed", reason="450 Full.", attempts=9)
    clock.move(days=9)
    marketer = AtDesk(app, "marketer")
    answer = marketer.post(f"/desk/messages/{message.id}/retry", next="/desk/messages?state=failed")
    assert answer.headers["Location"] == "/desk/messages?state=failed"
    again = db.session.get_one(Message, message.id)
    assert (again.state, again.due_at, again.give_up_at > clock()) == ("queued", clock(), True)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "sent a message again")).one()
    assert (entry.actor, entry.subject) == (marketer.email, f"message:{message.id}")
    marketer.post(f"/desk/messages/{message.id}/retry")
    assert "not failed any more" in marketer.get("/desk/messages").text
    elsewhere = marketer.post(f"/desk/messages/{message.id}/retry", next="https://evil.example/")
    assert elsewhere.headers["Location"] == "/desk/"


@pytest.mark.parametrize("state", ["sent", "unknown", "suppressed", "cancelled"])
def test_what_did_not_fail_is_never_sent_again(app, clock, state):
    message = make_message(state=state)
    AtDesk(app, "owner").post(f"/desk/messages/{message.id}/retry")
    assert db.session.get_one(Message, message.id).state == state


def test_account_mail_shows_whom_it_went_to_and_cannot_be_sent_again(app, clock):
    account = make_account("sales")
    message = make_message(kind="account", lead_id=None, account_id=account.id, state="failed", step="", offer="")
    marketer = AtDesk(app, "marketer")
    page = marketer.get("/desk/messages").text
    assert account.email in page
    assert "Send again" not in page
    marketer.post(f"/desk/messages/{message.id}/retry")
    assert db.session.get_one(Message, message.id).state == "failed"


def test_ten_thousand_of_a_state_and_more_are_still_shown_page_by_page(app, clock):
    lead = make_lead()
    with writing() as session:
        session.execute(insert(Message), [
            {"key": f"key{n:019}", "once": f"n{n}", "kind": "letter", "lead_id": lead.id,
             "state": "sent" if n % 10 else "failed", "due_at": NOON, "first_due_at": NOON, "give_up_at": NOON,
             "created_at": NOON} for n in range(12_000)])
    marketer = AtDesk(app, "marketer")
    page = marketer.get("/desk/messages?state=sent").text
    assert "10,000+" in page
    assert "1,200" in page
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older is not None
    page = marketer.get(older[1].replace("&amp;", "&")).text
    assert page.count(">Sent</span></td>") == 50
