"""Webinars: signing up, the lead's own page, the calendar, reminders by the event's clock, and who came."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from factories import make_capture, make_lead
from handsel import clock as handsel_clock
from handsel.db import db, writing
from handsel.leads.forget import forget
from handsel.leads.models import Attendance, Capture, Grant, Lead
from handsel.leads.privacy.parcel import everything
from handsel.mail.models import Message
from handsel.offers import events
from handsel.offers.schema import Event
from handsel.worker.deliver import deliver_due
from support.desk import AtDesk
from support.funnel import ADVICE, take
from support.letters import now

EVENT = ('event: {starts_at: 2026-03-10 18:00, duration: 90 minutes, url: "https://meet.example/r?a=1", '
         'reminder: 1 hour}')
REMINDER = """---
subject: Tomorrow at six
before: 1 day
---
See you on {{ event_date }}, {{ event_time }}, {{ event_place }}.

[Your page]({{ event_url }})
"""
AFTER = """---
subject: What we said
after_event: 2 hours
---
Thank you for your time.
"""


def text(page: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text.partition("</style>")[2])).split())


def as_webinar(project: Path, event: str = EVENT) -> None:
    """The sample's offer invites to an event, with a reminder the day before and a letter after it."""
    folder = project / "offers" / "guide"
    offer = folder / "offer.md"
    offer.write_text(offer.read_text().replace("kind: ebook", "kind: webinar").replace("asset: guide.pdf", event))
    for letter in ("01-begin", "02-stop", "03-leave"):
        (folder / "emails" / f"{letter}.md").unlink()
    (folder / "emails" / "01-reminder.md").write_text(REMINDER)
    (folder / "emails" / "02-after.md").write_text(AFTER)


@pytest.fixture
def webinar(project: Path, app: Flask, clock: Any) -> Any:
    as_webinar(project)
    found = app.extensions["handsel.offers"].refresh()
    assert found.faults == ()
    return found.offers["guide"]


def guest(client: FlaskClient, app: Flask, webinar: Any) -> Lead:
    """A lead that signed up and kept its place by the button."""
    take(app, "ann@example.org", offer=webinar)
    grant = db.session.scalars(select(Grant)).one()
    page = client.get(f"/confirm/{grant.key}")
    assert "Shall we keep your place?" in text(page)
    assert "Tuesday 10 March 2026 , 18:00 to 19:30 GMT, online" in text(page)
    client.post(f"/confirm/{grant.key}")
    return db.session.scalars(select(Lead)).one()


def test_signing_up_is_kept_by_the_button_and_leads_to_a_page_of_ones_own(
        app: Flask, client: FlaskClient, webinar: Any) -> None:
    lead = guest(client, app, webinar)
    key = db.session.scalars(select(Grant.key)).one()

    page = client.get(f"/confirm/{key}", follow_redirects=True)

    assert page.request.path == f"/event/{lead.key}/guide"
    assert "We keep your place. Tuesday 10 March 2026 18:00 to 19:30 GMT online" in text(page)
    assert "The button to join appears on this page on 10 March 2026 at 17:30." in text(page)
    assert "meet.example" not in page.text.partition("</head>")[2]
    assert (page.headers["X-Robots-Tag"], page.headers["Referrer-Policy"]) == ("noindex, nofollow", "no-referrer")
    assert db.session.scalars(select(Grant.expires_at)).one() == datetime(2026, 3, 11, 19, 30, tzinfo=UTC)


def test_the_calendars_entry_says_when_where_and_rings_before(
        app: Flask, client: FlaskClient, webinar: Any) -> None:
    lead = guest(client, app, webinar)

    answer = client.get(f"/event/{lead.key}/guide/event.ics")

    lines = answer.text.replace("\r\n ", "").split("\r\n")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert {"DTSTART:20260310T180000Z", "DTEND:20260310T193000Z", "UID:guide@localhost", "TRIGGER:-PT60M",
            f"URL:http://localhost/event/{lead.key}/guide", "SUMMARY:The small guide to finishing books"} <= set(lines)
    assert (lines[0], lines[-2], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR", "")
    assert all(len(line.encode()) <= 75 for line in answer.text.split("\r\n"))


def test_a_calendars_texts_are_escaped_and_folded_between_letters() -> None:
    event = Event(starts_at=datetime(2026, 3, 10, 18, tzinfo=UTC), place="Hall; north, first\\floor")

    made = events.calendar(event, uid="x@y", title="Ünïcode " * 20, description="One,\ntwo", url="https://x.example/",
                           at=datetime(2026, 3, 1, tzinfo=UTC))

    assert all(len(line.encode()) <= 75 for line in made.split("\r\n"))
    whole = made.replace("\r\n ", "")
    assert f"SUMMARY:{'Ünïcode ' * 20}\r\n" in whole
    assert "LOCATION:Hall\\; north\\, first\\\\floor\r\n" in whole
    assert "DESCRIPTION:One\\,\\ntwo\r\n" in whole


def test_only_the_press_of_the_button_notes_that_one_came(
        app: Flask, client: FlaskClient, webinar: Any, clock: Any) -> None:
    lead = guest(client, app, webinar)
    early = client.post(f"/event/{lead.key}/guide")
    assert early.headers["Location"] == f"/event/{lead.key}/guide"
    clock.move(days=8, hours=5, minutes=45)

    page = client.get(f"/event/{lead.key}/guide")
    assert "Join now" in text(page)
    assert "form-action 'self' https://meet.example;" in page.headers["Content-Security-Policy"]
    assert db.session.scalars(select(Attendance)).all() == []
    for _ in range(2):
        joined = client.post(f"/event/{lead.key}/guide")
        assert (joined.status_code, joined.headers["Location"]) == (303, "https://meet.example/r?a=1")

    came = db.session.scalars(select(Attendance)).one()
    assert (came.lead_id, came.offer, came.starts_at) == (lead.id, "guide", datetime(2026, 3, 10, 18, tzinfo=UTC))
    desk = AtDesk(app, "marketer")
    assert ("invites to Tuesday 10 March 2026, 18:00 to 19:30 GMT, online: 1 signed up and proved it, 1 joined"
            in " ".join(desk.get("/desk/offers/guide").text.split()))
    with writing() as session:
        mine = session.get_one(Lead, lead.id)
        assert [row["offer"] for row in everything(session, mine)["attendance"]] == ["guide"]
        forget(session, mine, handsel_clock.now(), "the person")
    assert db.session.scalars(select(Attendance)).all() == []


def test_nobody_gets_in_without_having_signed_up(app: Flask, client: FlaskClient, webinar: Any, clock: Any) -> None:
    stranger = make_lead()
    unproven = make_lead(confirmed_at=None)
    make_capture(unproven, proven_at=None)
    clock.move(days=8, hours=6)

    for key in (stranger.key, unproven.key, "a" * 22, "x"):
        assert client.get(f"/event/{key}/guide").status_code == 404
        assert client.get(f"/event/{key}/guide/event.ics").status_code == 404
        answer = client.post(f"/event/{key}/guide")
        assert (answer.status_code, "meet.example" in answer.text) == (404, False)


def test_when_it_is_over_it_closes_and_says_so(app: Flask, client: FlaskClient, webinar: Any, clock: Any) -> None:
    lead = guest(client, app, webinar)
    clock.move(days=8, hours=7, minutes=31)
    app.extensions["handsel.offers"].refresh()

    assert "This took place on Tuesday 10 March 2026. Nobody can sign up for it any more." in text(
        client.get("/offers/guide/"))
    assert "This took place on Tuesday 10 March 2026. We hope you were there." in text(
        client.get(f"/event/{lead.key}/guide"))
    assert client.post(f"/event/{lead.key}/guide").headers["Location"] == f"/event/{lead.key}/guide"


def waiting() -> dict[str, datetime]:
    db.session.rollback()
    letters = db.session.scalars(select(Message).where(Message.kind == "letter", Message.state == "queued"))
    return {letter.step: letter.due_at for letter in letters}


def test_a_reminder_goes_to_all_who_signed_up_and_letters_after_it_to_those_who_agreed(
        app: Flask, client: FlaskClient, webinar: Any) -> None:
    take(app, "ann@example.org", offer=webinar)
    assert waiting() == {"01-reminder": datetime(2026, 3, 9, 18, tzinfo=UTC)}
    take(app, "ben@example.org", (ADVICE,), offer=webinar)
    assert waiting() == {"01-reminder": datetime(2026, 3, 9, 18, tzinfo=UTC),
                         "02-after": datetime(2026, 3, 10, 21, 30, tzinfo=UTC)}


def test_who_signs_up_late_gets_no_reminder_of_the_past(
        app: Flask, client: FlaskClient, webinar: Any, clock: Any) -> None:
    clock.move(days=7, hours=20)

    take(app, "ann@example.org", offer=webinar)

    assert waiting() == {}


def sent(project: Path, make_app: Any, smtp: Any, clock: Any, *, moved: str = "") -> tuple[Flask, Any]:
    """An application on whose event somebody waits; perhaps with the event ``moved`` since."""
    as_webinar(project)
    app = make_app(MAIL_URL=smtp.url)
    with app.app_context():
        offer = app.extensions["handsel.offers"].project.offers["guide"]
        take(app, "ann@example.org", offer=offer)
        app.test_client().post(f"/confirm/{db.session.scalars(select(Grant.key)).one()}")
        deliver_due(app)
        db.session.remove()
    if moved:
        path = project / "offers" / "guide" / "offer.md"
        path.write_text(path.read_text().replace("2026-03-10 18:00", moved))
        app.extensions["handsel.offers"].refresh()
    return app, smtp


def test_the_reminder_arrives_with_the_way_in(project: Path, make_app: Any, smtp: Any, clock: Any) -> None:
    app, _ = sent(project, make_app, smtp, clock)
    clock.move(days=7, hours=6, minutes=1)
    with app.app_context():
        deliver_due(app)
        key = db.session.scalars(select(Lead.key)).one()
        db.session.remove()

    mail = smtp.wait(2, to="ann@example.org")[1]

    assert "See you on Tuesday 10 March 2026, 18:00 to 19:30 GMT, online." in mail.text
    assert f"http://localhost/event/{key}/guide" in mail.text
    assert mail.message["List-Unsubscribe"]


@pytest.mark.parametrize(("moved", "state", "reason"), [
    ("2026-03-20 18:00", "queued", "The event was put off."),
    ("2026-03-05 18:00", "cancelled", "The event has begun."),
])
def test_a_reminder_follows_an_event_that_was_moved(
        project: Path, make_app: Any, smtp: Any, clock: Any, moved: str, state: str, reason: str) -> None:
    app, _ = sent(project, make_app, smtp, clock, moved=moved)
    clock.move(days=7, hours=6, minutes=1)
    with app.app_context():
        deliver_due(app)
        letter = db.session.scalars(select(Message).where(Message.kind == "letter")).one()
        assert (letter.state, letter.reason) == (state, reason)
        if state == "queued":
            assert letter.due_at == datetime(2026, 3, 19, 18, tzinfo=UTC)
            clock.move(days=10)
            deliver_due(app)
            assert now(letter).state == "sent"
        db.session.remove()


def test_an_unproven_mailbox_gets_no_reminder(project: Path, make_app: Any, smtp: Any, clock: Any) -> None:
    as_webinar(project)
    app = make_app(MAIL_URL=smtp.url)
    with app.app_context():
        take(app, "ann@example.org", offer=app.extensions["handsel.offers"].project.offers["guide"])
        clock.move(days=7, hours=6, minutes=1)
        deliver_due(app)
        letter = db.session.scalars(select(Message).where(Message.kind == "letter")).one()
        assert (letter.state, db.session.scalars(select(Capture.proven_at)).one()) == ("queued", None)
        clock.move(days=1)
        deliver_due(app)
        assert now(letter).state == "cancelled"
        db.session.remove()


def test_times_are_told_in_the_sites_zone_in_summer_too() -> None:
    event = Event(starts_at=datetime(2026, 7, 1, 22, 30, tzinfo=UTC), duration=timedelta(hours=2), place="Town hall")

    assert (events.day(event, "Europe/London"), events.hour(event, "Europe/London"), events.where(event)) == (
        "Wednesday 1 July 2026", "23:30 to 2 July, 01:30 BST", "Town hall")
    assert events.hour(event, "America/Sao_Paulo") == "19:30 to 21:30 UTC-03"


