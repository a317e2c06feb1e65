"""Mail caught while no mail server is set, and how it is read."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from factories import NOON, make_account, make_lead
from handsel.mail.inbox import Inbox
from handsel.mail.transport import Handover
from handsel.worker.deliver import deliver_due
from support import on_sqlite
from support.desk import AtDesk
from support.letters import a_delivery, a_letter, now

pytestmark = on_sqlite


def at_the_desk(app, role: str = "owner") -> AtDesk:
    from handsel.accounts import roster
    from handsel.db import writing

    account = make_account(role)
    with writing() as session:
        roster.set_password(session, session.merge(account), "four odd words here", actor="test")
    here = AtDesk(app)
    here.sign_in(account.email, "four odd words here")
    return here


def test_without_a_mail_server_mail_is_caught_and_can_be_read(app, clock):
    message = a_delivery()

    assert deliver_due(app).by_state == {"sent": 1}

    inbox = Inbox(Path(app.instance_path) / "inbox")
    (name,) = inbox.names()
    mail = inbox.read(name)
    assert mail is not None
    assert (mail.to, mail.subject) == ("ada@example.org", "Your guide to finishing books")
    assert "http://localhost/get/" in mail.text
    assert mail.raw.startswith(b"Return-Path: <b+")
    assert now(message).reason == "Caught in the built-in inbox."


def test_the_newest_mail_comes_first(app, clock):
    inbox = Inbox(Path(app.instance_path) / "inbox")
    for minute in range(3):
        clock.set(NOON + timedelta(minutes=minute))
        inbox.hand_over(Handover("b@press.example", "a@example.org", f"Subject: {minute}\r\n\r\nx\r\n".encode()))

    assert [mail.subject for mail in inbox.heads(inbox.names())] == ["2", "1", "0"]
    assert inbox.clear(NOON + timedelta(minutes=2)) == 2
    assert [mail.subject for mail in inbox.heads(inbox.names())] == ["2"]


def test_no_name_leads_out_of_the_folder(app):
    inbox = Inbox(Path(app.instance_path) / "inbox")
    (Path(app.instance_path) / "secret.eml").write_text("Subject: secret\n\nsecret\n")

    assert inbox.read("../secret") is None


def test_the_owner_reads_caught_mail_at_the_desk(app, clock):
    a_delivery()
    deliver_due(app)
    here = at_the_desk(app)

    listed = here.get("/desk/inbox").text
    path = re.search(r'href="(/desk/inbox/[\w-]+)"', listed)[1]
    page = here.get(path).text

    assert "Your guide to finishing books" in listed
    assert "ada@example.org" in page
    assert re.search(r'<iframe[^>]*sandbox="allow-popups allow-popups-to-escape-sandbox"', page)
    assert "List-Unsubscribe" not in page
    assert "Feedback-ID" in page
    sheet = here.get(path + "/html")
    assert '<base target="_blank">' in sheet.text
    policy = sheet.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    raw = here.get(path + "/raw")
    assert raw.headers["Content-Disposition"].startswith("attachment;")
    assert raw.data.startswith(b"Return-Path:")


def test_only_the_owner_reads_it(app, clock):
    a_delivery()
    deliver_due(app)
    (name,) = Inbox(Path(app.instance_path) / "inbox").names()

    for role in ("sales", "marketer"):
        here = at_the_desk(app, role)
        for path in ("/desk/inbox", f"/desk/inbox/{name}", f"/desk/inbox/{name}/html", f"/desk/inbox/{name}/raw"):
            assert here.get(path).status_code == 403, (role, path)


def test_an_empty_inbox_says_what_it_is_for(app):
    assert "No mail yet" in at_the_desk(app).get("/desk/inbox").text


def test_a_hostile_mail_is_shown_and_does_nothing(app, clock):
    lead = make_lead(first_name="<script>alert(1)</script>")
    a_letter("x@example.org")
    inbox = Inbox(Path(app.instance_path) / "inbox")
    inbox.hand_over(Handover("b@press.example", lead.address,
                             b"Subject: <img src=x onerror=alert(1)>\r\nContent-Type: text/html\r\n\r\n"
                             b"<head></head><script>alert(2)</script><p onclick=alert(3)>Hello</p>\r\n"))
    here = at_the_desk(app)

    listed = here.get("/desk/inbox").text
    page = here.get(re.search(r'href="(/desk/inbox/[\w-]+)"', listed)[1]).text

    assert "<img src=x" not in listed + page
    assert "&lt;img src=x" in listed
    assert "<script>alert" not in page


def test_the_mail_is_drawn_as_its_receiver_sees_it(app, clock, page, tmp_path):
    """In a real browser: its colours arrive under the strict policy, and its script does not run."""
    a_delivery()
    deliver_due(app)
    inbox = Inbox(Path(app.instance_path) / "inbox")
    here = at_the_desk(app)
    answer = here.get(f"/desk/inbox/{inbox.names()[0]}/html")
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.route("**/*", lambda route: route.fulfill(status=200, body=answer.data, content_type="text/html",
                                                   headers={"Content-Security-Policy":
                                                            answer.headers["Content-Security-Policy"]}))
    page.goto("http://caught.test/")

    button = page.get_by_role("link", name="Get your guide")
    assert button.evaluate("link => getComputedStyle(link.parentElement).backgroundColor") == "rgb(4, 98, 70)"
    assert button.get_attribute("href").startswith("http://localhost/get/")
    assert [text for text in complaints if "Content Security" in text] == []
