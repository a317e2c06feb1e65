"""The form comes back: read it, tell a person from a robot without a puzzle, capture, and say thank you.

Whatever is wrong, the visitor sees their own page again with every value kept and words that help; nobody is turned
away without them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from flask import Response, abort, current_app, redirect, request

from handsel import clock
from handsel.forms.asking import for_strangers, of_names
from handsel.forms.library import CaptureForm
from handsel.forms.schema import RECOGNITION
from handsel.leads import capture as leads
from handsel.leads import token
from handsel.leads.address import is_disposable, mailbox, normalised, sendable
from handsel.leads.capture import Claim, Unwritten
from handsel.leads.recognition import recognised
from handsel.leads.token import Ticket
from handsel.limits import allow
from handsel.offers.library import Offer
from handsel.public import bp, doors, landing, pages, recognition
from handsel.public.capture_form import CONSENT, HONEYPOT, TOKEN, Answers, form_class
from handsel.traffic.visitor import Visit

TOKEN_LIFE = timedelta(hours=24)  # tabs stay open over night; tickets do not travel the world for weeks
PREFIX_LIMITS = ("40 per minute", "400 per hour")  # an office or a lecture hall behind one address gets through
FORM_LIMIT = "1200 per minute"  # all visitors of one form together
REPEAT_LIMIT = "300 per minute"  # the same form once more, as by a double click or a reload, costs next to nothing
RELATED_LIMIT = "6 per day"  # spellings of one mailbox with plus signs and dots

EXPIRED = ("This page was open for a long time, so its form has run out. Your answers are still here: check them and "
           "press the button again.")
TOO_FAST = "That was faster than people usually type. Please wait a moment, then press the button again."
BUSY = ("Your answers could not be stored just now; on this page nothing of them is lost. Please press the button "
        "again in a moment.")
CROWDED = ("We have had very many forms from your network within a short time. Your answers are still here: please "
           "wait a minute, then press the button again.")
RELATED = "This mailbox was given many times today, in several spellings. Please try again tomorrow."
THROWAWAY = "Mail to throw-away addresses gets lost. Please give one that you will still read next week."
NOTHING_TICKED = "Tick the box if you want the letter: it is all that this form is for."


@dataclass(frozen=True)
class Sent:
    """A form as it came back: what was typed, its ticket if it is genuine, and who sent it."""

    offer: Offer
    spec: CaptureForm
    form: Answers
    ticket: Ticket | None
    visit: Visit

    @property
    def mark(self) -> str:
        """What a double click has in common with the first one: the ticket and the mailbox; empty without a ticket."""
        return f"{self.ticket.nonce}/{normalised(self.form.read['email'])}" if self.ticket else ""

    def again(self, words: str = "", *, status: int = 422, fresh: bool = False,
              errors: dict[str, list[str]] | None = None) -> Response:
        """The landing page once more with the values kept; ``fresh`` gives it a new token."""
        told = dict(errors if errors is not None else {} if words else self.form.errors)
        if words:
            told[""] = [words]
        kept = "" if fresh or self.ticket is None else request.form[TOKEN]
        variant = self.ticket.variant if self.ticket else ""
        return doors.private(landing.answer(self.offer, variant, form=self.form, form_name=self.spec.name, token=kept,
                                            errors=told, status=status))


@bp.post("/offers/<slug>/")
def take(slug: str) -> Response:
    """The form of an offer, from its landing page or any other page that shows it."""
    offer = doors.project().offer(slug)
    if offer is None:
        abort(404)
    if not offer.is_open(clock.now()):
        return doors.private(redirect(offer.path, 303))
    sent = _read(offer)
    refused = _refused(sent)
    if refused is not None:
        return refused
    assert sent.ticket is not None  # or it was refused
    claim = _claim(sent, sent.ticket)
    if isinstance(claim, Response):
        return claim
    try:
        captured = leads.capture(current_app, offer, claim)
    except Unwritten as error:
        current_app.logger.warning("a capture was not written: %s", error)
        response = sent.again(BUSY, status=503)
        response.headers["Retry-After"] = "5"
        return response
    if captured.is_new:
        doors.record("submit", offer.path, sent.visit, offer.slug, sent.ticket.variant)
    response = doors.see(f"{offer.path}thanks/{captured.key}")
    if claim.recognised:
        recognition.give(response, claim.recognised)
    return response


def _read(offer: Offer) -> Sent:
    ticket = token.read(pages.table().key, request.form.get(TOKEN, ""))
    if ticket is not None and doors.project().offer(ticket.offer) is not offer:
        ticket = None  # a ticket for something else
    spec = doors.project().forms.get(ticket.form, offer.form) if ticket else offer.form
    spec = of_names(spec, ticket.asked) if ticket and ticket.asked else for_strangers(spec)
    return Sent(offer, spec, form_class(spec)(request.form), ticket, doors.visit())


def _refused(sent: Sent) -> Response | None:
    """The answer to a form that cannot be taken as it is; None when it can."""
    valid = sent.form.validate()
    if not _has_room(sent, sent.mark if valid else ""):
        response = sent.again(CROWDED, status=429)
        response.headers["Retry-After"] = "60"
        return response
    if not valid:
        return sent.again()
    age = clock.now().timestamp() - (sent.ticket.issued_ms / 1000 if sent.ticket else 0)
    if not -60 < age < TOKEN_LIFE.total_seconds():
        return sent.again(EXPIRED, fresh=True)
    if age < sent.spec.spam.min_seconds:
        return sent.again(TOO_FAST)
    if sent.offer.meta.kind == "newsletter" and sent.spec.consents and not {*sent.form.consents} - {RECOGNITION}:
        return sent.again(errors={CONSENT + sent.spec.consents[0].purpose: [NOTHING_TICKED]})
    return None


def _has_room(sent: Sent, mark: str) -> bool:
    """Whether the network and the form have room for one more; a submission that was counted before takes none."""
    prefix = sent.visit.prefix
    return (allow(REPEAT_LIMIT, "again", prefix)
            and all(allow(limit, "form", prefix, mark=mark) for limit in PREFIX_LIMITS)
            and allow(FORM_LIMIT, "form", sent.spec.name, mark=mark))


def _claim(sent: Sent, ticket: Ticket) -> Claim | Response:
    """The claim in a form that was read, or the answer to one that must not be taken."""
    typed: str = sent.form.read["email"]
    email = normalised(typed)
    quarantine = "honeypot" if request.form.get(HONEYPOT, "").strip() else ""
    if sent.spec.spam.disposable != "allow" and is_disposable(email):
        if sent.spec.spam.disposable == "refuse":
            return sent.again(errors={"email": [THROWAWAY]})
        quarantine = quarantine or "disposable"
    if mailbox(email) != email and not allow(RELATED_LIMIT, "mailbox", mailbox(email), mark=sent.mark):
        return sent.again(status=429, errors={"email": [RELATED]})
    boxes = tuple(box for box in sent.spec.consents if box.purpose in sent.form.consents)
    answers: dict[str, Any] = {**sent.form.read, "email": typed}
    language = sent.offer.meta.language or doors.project().site.language
    claim = Claim(email, sendable(typed), answers, boxes, ticket, sent.visit, clock.now(), language, quarantine)
    # A browser that asks not to be followed has the last word, whatever is ticked in it.
    if RECOGNITION in sent.form.consents and ticket.unit and not quarantine and not sent.visit.private:
        days = doors.project().site.recognition_days
        return replace(claim, recognised=recognised(pages.table().key, claim.once, claim.at, days))
    return claim
