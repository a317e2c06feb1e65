"""The thank-you page: what happens now, how the mail stands, asking for it again, and mending the address."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from flask import Response, redirect, request, url_for
from markupsafe import Markup
from sqlalchemy import bindparam, select

from handsel import clock
from handsel.db import db, writing
from handsel.leads import answers, delivery
from handsel.leads.address import is_disposable, normalised
from handsel.leads.delivery import Standing, Unmendable
from handsel.leads.download import Life, life
from handsel.leads.due import is_key
from handsel.leads.models import Capture, Grant
from handsel.offers.library import Offer
from handsel.public import bp, doors, pages
from handsel.public.doors import moment
from handsel.public.event import happening

# Built once: to put a question together takes longer than to ask it.
_CAPTURE = select(Capture).where(Capture.key == bindparam("key"))
_GRANTS = select(Grant).where(
    Grant.capture_id == bindparam("capture_id"), Grant.proves.is_(False)).order_by(Grant.id.desc())


class Found(NamedTuple):
    """The capture of a thank-you page's address, and its offer."""

    offer: Offer
    capture: Capture


def find(slug: str, key: str) -> Found | None:
    """What the address of a thank-you page means."""
    offer = doors.project().offer(slug)
    capture = db.session.scalars(_CAPTURE, {"key": key}).first() if is_key(key) else None
    if offer is None or capture is None or doors.project().offer(capture.offer) is not offer:
        return None
    return Found(offer, capture)


@bp.get("/offers/<slug>/thanks/<key>")
def thanks(slug: str, key: str) -> Response:
    """What happens now."""
    found = find(slug, key)
    return show(found) if found else doors.lost()


def show(found: Found, status: int = 200, typed: str = "", mistake: str = "") -> Response:
    """The page; ``mistake`` says what is wrong with a corrected address as ``typed``."""
    now = clock.now()
    offer, capture = found
    standing = delivery.stands(db.session(), offer, capture, now)
    body, parts = pages.table().state().press.body(offer.thanks, offer)
    after = doors.project().offers.get(offer.meta.next or "")
    again = standing.again_at
    return doors.page(
        "thanks.html", status, offer=offer, capture=capture, body=body,
        parts=(*parts, "doors", "form", "note", "thanks"), standing=standing, words=words(standing, capture, now),
        tone=TONES.get(standing.state, "info"),
        can_ask=again is not None and now >= again, again=moment(again) if again and now < again else "",
        grant=instant_grant(capture, now), event=happening(offer), size=doors.size, noun=doors.noun(offer),
        typed=typed, mistake=mistake, likely=answers.likely(capture.email),
        next=after if after and after.is_open(now) else None, base=f"/offers/{offer.slug}/thanks/{capture.key}")


def instant_grant(capture: Capture, now: datetime) -> Grant | None:
    """The grant by which this page itself gives the file, while it is good."""
    grants = db.session.scalars(_GRANTS, {"capture_id": capture.id})
    return next((grant for grant in grants if life(grant, now) is Life.GOOD), None)


TONES = {"sent": "ok", "shared": "ok", "failed": "bad", "suppressed": "bad", "limited": "warn", "unknown": "warn"}


def words(standing: Standing, capture: Capture, now: datetime) -> str:
    """How the mail stands, in a sentence or two."""
    if capture.quarantine:
        return ("Thank you. Before anything is sent, a person here looks at your request, because something about it "
                "looked unusual. That mostly takes less than a working day, and you need do nothing.")
    to = Markup("to <strong>{}</strong>").format(capture.email)
    due = standing.due_at
    if standing.state in {"queued", "claimed"} and due and due > now:
        if standing.attempts:
            return Markup("The mail server at the other end has not taken our e-mail {} yet. We try again {}.").format(
                to, moment(due))
        return Markup("Your e-mail {} goes out {}. One mailbox gets at most one e-mail in ten minutes from our forms, "
                      "and the last one went there just before.").format(to, moment(due))
    return Markup(WORDS.get(standing.state, "")).format(  # noqa: S704  our own words; what goes in is escaped
        to=to, when=moment(standing.sent_at or due or now), again=moment(standing.again_at or now))


WORDS = {
    "queued": "We are sending an e-mail {to} now. It usually arrives within a minute.",
    "claimed": "We are sending an e-mail {to} now. It usually arrives within a minute.",
    "sent": "We sent an e-mail {to} {when}.",
    "shared": "An e-mail went out {to} {when}; another one would say the same.",
    "unknown": "We sent an e-mail {to} {when}, but the connection broke, so it may not have arrived.",
    "failed": "Our e-mail {to} came back: the mail server there did not take it. Is the address right?",
    "suppressed": "We cannot send e-mail {to}: it has failed there before, or nobody there wants it. Is the address "
                  "right?",
    "cancelled": "The e-mail {to} was not sent.",
    "limited": "We will not send another e-mail {to} for now: three went there within a day. Please look there, in the "
               "folder for junk too. You can ask again {again}.",
}


@bp.post("/offers/<slug>/thanks/<key>/again")
def send_again(slug: str, key: str) -> Response:
    """Send the mail once more, if it is time."""
    found = find(slug, key)
    if found is None:
        return doors.lost()
    now = clock.now()
    standing = delivery.stands(db.session(), found.offer, found.capture, now)
    if standing.again_at and now >= standing.again_at and not doors.too_many("send again"):
        with writing() as session:
            delivery.send_again(session, found.offer, session.merge(found.capture), now)
    return _back(slug, key)


@bp.post("/offers/<slug>/thanks/<key>/address")
def correct(slug: str, key: str) -> Response:
    """Move the capture to the mailbox that was meant."""
    found = find(slug, key)
    if found is None:
        return doors.lost()
    typed = answers.tidy(request.form.get("email", ""))
    mistake = ""
    try:
        address = answers.read_as("email", typed) if typed else ""
        mistake = "" if typed else "Enter your e-mail address, so that we know where to send it."
    except ValueError as error:
        address, mistake = "", str(error)
    if address and found.offer.form.spam.disposable != "allow" and is_disposable(normalised(address)):
        mistake = "Mail to throw-away addresses gets lost. Please give one that you will still read next week."
    if not mistake and doors.too_many("correct an address"):
        mistake = "From your network many addresses were corrected within the hour. Please try again a little later."
    if mistake:
        return show(found, 422, typed, mistake)
    try:
        with writing() as session:
            delivery.correct(session, found.offer, session.merge(found.capture), address, clock.now())
    except Unmendable as reason:
        return show(found, 422, typed, str(reason))
    return _back(slug, key)


@bp.get("/offers/<slug>/thanks/<key>/again")
@bp.get("/offers/<slug>/thanks/<key>/address")
def reloaded(slug: str, key: str) -> Response:
    """A button's address opened as a page, as after a mistake: back to the page with the buttons."""
    return _back(slug, key)


def _back(slug: str, key: str) -> Response:
    return doors.private(redirect(url_for("public.thanks", slug=slug, key=key), 303))
