"""``handsel mail …`` and ``handsel work``: what people type."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from factories import NOON
from handsel import cli
from handsel.db import db, writing
from handsel.mail import pauses
from support.letters import a_delivery, a_letter, now


@pytest.fixture
def handsel(posting, engine_url: str, project: Path, smtp, monkeypatch) -> Callable[..., Result]:
    """Runs a command of ours on the test's project, database and mail server."""
    monkeypatch.setenv("HANDSEL_DATABASE_URL", engine_url)
    monkeypatch.setenv("HANDSEL_MAIL_URL", smtp.url)
    monkeypatch.setenv("HANDSEL_MAIL_TIMEOUT", "0.5")
    monkeypatch.setenv("HANDSEL_ENV", "test")

    def run(*arguments: str, **options) -> Result:
        db.session.remove()
        return CliRunner().invoke(cli.group, ["--project", str(project), *arguments], **options)

    return run


def test_work_once_sends_what_is_due_and_ends(handsel, smtp):
    message = a_delivery()

    done = handsel("work", "--once")

    assert done.stdout == "sent: 1\n"
    assert now(message).state == "sent"
    assert handsel("work", "--once").stdout == "Nothing was due.\n"


def test_due_lists_what_goes_out_when(handsel, clock):
    a_delivery()
    a_letter("b@example.org", due_at=NOON + timedelta(days=2))
    a_letter("c@example.org", due_at=NOON + timedelta(days=20))

    listed = handsel("mail", "due").output.splitlines()

    assert listed == [
        "2026-03-02 12:00        delivery  guide/00-delivery",
        "2026-03-04 12:00        letter    guide/01-begin",
        "So far: 0 sent, 3 waiting, 0 failed, 0 unknown, 0 suppressed, 0 cancelled.",
    ]


def test_due_tells_why_mail_stands_still(handsel, smtp):
    a_delivery()
    smtp.stop()
    handsel("work", "--once")

    said = handsel("mail", "due").stdout
    assert said.startswith("All mail waits until 2026-03-02 12:01: The mail server cannot be reached")


def test_preview_shows_a_letter_as_it_will_arrive(handsel, tmp_path):
    shown = handsel("mail", "preview", "guide", "1")

    assert shown.output.startswith("Subject: Ada, have you begun?\n\nHello Ada,\n\ntwo days ago")
    assert handsel("mail", "preview", "guide", "01-begin", "-o", str(tmp_path / "x.html")).exit_code == 0
    assert "<p" in (tmp_path / "x.html").read_text()
    raw = handsel("mail", "preview", "guide", "-o", "-").stdout_bytes
    assert raw.startswith(b"From: Little Press <hello@press.example>\r\n")
    assert "Sign in: http" in handsel("mail", "preview", "sign-in").output


@pytest.mark.parametrize(("words", "said"), [
    (["gide"], "Did you mean 'guide'?"), (["guide", "02-stopp"], "Did you mean '02-stop'?"),
    (["guide", "1", "-o", "x.doc"], "Use .html, .txt or .eml."),
])
def test_preview_offers_the_nearest_name(handsel, words, said):
    done = handsel("mail", "preview", *words)

    assert done.exit_code == 1
    assert said in done.output


def test_a_test_mail_goes_to_one_address_at_once(handsel, smtp):
    done = handsel("mail", "test", "guide", "2", "--to", "Me@Example.org")

    assert done.output == "Sent to Me@example.org: 250 2.0.0 queued as TEST\n"
    (mail,) = smtp.wait(1)
    assert (mail.recipient, str(mail.message["Subject"])) == ("Me@example.org", "Stop at a full stop")
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_test_mail_says_what_the_server_says(handsel, smtp):
    smtp.fail("rcpt", "550 5.1.1 nobody here")

    done = handsel("mail", "test", "guide", "--to", "me@example.org")

    assert done.exit_code == 1
    assert "550 5.1.1 nobody here" in done.output
    assert handsel("mail", "test", "guide", "--to", "me").exit_code == 1


def test_release_lets_go_what_is_held(handsel, clock):
    message = a_letter()
    with writing() as session:
        pauses.hold(session.connection(), NOON, "The site was restored.")
    clock.move(hours=50)
    assert handsel("work", "--once").stdout == "Nothing was due.\n"

    assert "All mail is held: The site was restored." in handsel("mail", "due").output
    assert handsel("mail", "release", input="n\n").exit_code == 1
    done = handsel("mail", "release", "--yes")
    assert done.output.endswith("They go out now.\n")
    handsel("work", "--once")
    assert now(message).reason.startswith("Held: it was due more than 48 hours ago.")
    assert handsel("mail", "release", input="y\n").output.startswith("1 letters are held; 1 messages wait in all.")
    handsel("work", "--once")

    assert now(message).state == "sent"
    assert handsel("mail", "release").output == "Nothing is held.\n"


def test_a_worker_sends_within_a_second_and_stops_when_asked(posting, smtp):
    import threading
    import time

    from handsel import worker

    stop = threading.Event()
    running = threading.Thread(target=worker.run, args=(posting, stop))
    running.start()
    try:
        message = a_delivery()
        began = time.monotonic()
        smtp.wait(1, seconds=5)
        assert time.monotonic() - began < 1.5
    finally:
        stop.set()
        running.join(10)
    assert not running.is_alive()
    assert now(message).state == "sent"
