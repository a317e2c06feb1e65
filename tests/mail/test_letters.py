"""The sample's letters as they should read: a change to one shows in tests/emails/."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path

import pytest

from factories import NOON, make_account, make_capture, make_consent, make_grant, make_lead, make_message
from handsel.worker.deliver import deliver_due
from support import on_sqlite

EMAILS = Path(__file__).parent.parent / "emails"
pytestmark = on_sqlite


def as_it_reads(data: bytes) -> str:
    """The headers as they were decoded, and the plain text, without what differs from run to run."""
    mail = email.message_from_bytes(data, policy=email.policy.default)
    headers = [f"{name}: {value}" for name, value in mail.items() if name not in ("Message-ID", "Content-Type")]
    return "\n".join(headers) + "\n\n" + mail.get_body(("plain",)).get_content().replace("\r\n", "\n")


def a_reader():
    lead = make_lead(email="ada@example.org", first_name="Ada", key="key-of-the-lead")
    make_consent(lead)
    return lead, make_capture(lead), make_grant(lead, key="key-of-the-grant")


@pytest.mark.parametrize(("name", "fields"), [
    ("00-delivery", {"kind": "delivery", "topic": ""}),
    ("01-begin", {}),
    ("02-stop", {}),
    ("03-leave", {}),
    ("confirm", {"kind": "confirm", "offer": "newsletter", "step": "", "topic": ""}),
    ("sign-in", {"kind": "account", "offer": "", "step": "", "topic": "", "lead_id": None,
                 "values": {"link": "http://localhost/desk/enter/secret", "name": "Otto"}}),
])
def test_a_letter_reads_as_it_should(posting, smtp, name, fields):
    lead, capture, grant = a_reader()
    if fields.get("kind") == "account":
        fields = fields | {"account_id": make_account(email="ada@example.org").id}
    make_message(lead, **{"step": name, "capture_id": capture.id, "grant_id": grant.id} | fields)

    deliver_due(posting)

    (mail,) = smtp.wait(1)
    assert as_it_reads(mail.data) == (EMAILS / f"{name}.txt").read_text()


def test_what_a_stranger_typed_does_not_travel_to_an_unproven_mailbox(posting, smtp):
    for number, name in enumerate(["Buy at www.spam.example", "http://spam.example", "spam.example", "S" * 61,
                                   "call ann@spam.example", "ｗｗｗ．spam．example", "spam (dot) example"]):
        lead = make_lead(email=f"victim{number}@example.org", first_name=name, name=name, confirmed_at=None)
        make_message(lead, kind="delivery", step="00-delivery", grant_id=make_grant(lead).id)

    deliver_due(posting)

    assert [mail.text.splitlines()[0] for mail in smtp.wait(7)] == ["Hello there,"] * 7


def test_a_name_that_is_one_travels(posting, smtp):
    names = ["Zoë O'Neil-Smith", "J. R. R. Tolkien", "Nguyễn Thị Minh", "李小龙", "Dr. Ada"]
    for number, name in enumerate(names):
        lead = make_lead(email=f"reader{number}@example.org", first_name=name, confirmed_at=None)
        make_message(lead, kind="delivery", step="00-delivery", grant_id=make_grant(lead).id)

    deliver_due(posting)

    assert [mail.text.splitlines()[0] for mail in smtp.wait(5)] == [f"Hello {name}," for name in names]


def test_each_message_has_an_envelope_of_its_own_that_names_it(posting, smtp):
    from handsel.mail import envelope

    lead, capture, _ = a_reader()
    message = make_message(lead, step="01-begin", capture_id=capture.id)

    deliver_due(posting)

    (mail,) = smtp.wait(1)
    secret = posting.config["SECRET_KEY"].encode()
    assert mail.sender.startswith("b+")
    assert mail.sender.endswith("@press.example")
    assert envelope.read(secret, mail.sender.upper(), NOON) == message.id
    assert envelope.read(b"another key", mail.sender, NOON) is None
    assert envelope.read(secret, mail.sender.replace(f"+{message.id:x}-", f"+{message.id + 1:x}-"), NOON) is None


def test_an_envelope_is_believed_for_thirty_days(posting):
    from datetime import timedelta

    from handsel.mail import envelope

    made = envelope.sender(b"secret", 77, NOON, "b@press.example")
    assert envelope.read(b"secret", made, NOON + timedelta(days=30)) == 77
    assert envelope.read(b"secret", made, NOON + timedelta(days=32)) is None


def test_a_changed_letter_goes_out_as_it_is_now(posting, project, smtp):
    lead, capture, _ = a_reader()
    make_message(lead, step="02-stop", capture_id=capture.id)
    path = project / "offers/guide/emails/02-stop.md"
    path.write_text(path.read_text().replace("a better bookmark", "the best bookmark"))
    posting.extensions["handsel.offers"].refresh()

    deliver_due(posting)

    (mail,) = smtp.wait(1)
    assert "the best bookmark" in mail.text
    assert "the best bookmark" in mail.html


def test_our_own_mail_can_be_in_the_marketers_words(posting, project, smtp):
    (project / "content/_emails").mkdir()
    (project / "content/_emails/confirm.md").write_text(
        "---\nsubject: Is it you?\n---\nHi {{ first_name | you }},\n\n[Yes]({{ get_url }}){.button}\n")
    posting.extensions["handsel.offers"].refresh()
    lead, _, grant = a_reader()
    make_message(lead, kind="confirm", offer="newsletter", step="", topic="", grant_id=grant.id)

    deliver_due(posting)

    (mail,) = smtp.wait(1)
    assert mail.message["Subject"] == "Is it you?"
    assert "http://localhost/confirm/key-of-the-grant" in mail.text
