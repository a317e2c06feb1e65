"""States in the words of marketing and sales: what a message, a consent or a capture came to, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from flask import Flask

from handsel.leads.models import Capture, Consent, Lead
from handsel.mail.models import Message
from handsel.mail.queue import HELD, PARKED, WITH_SALES
from handsel.offers.library import Letter
from handsel.offers.project import Project


@dataclass(frozen=True)
class State:
    """A state's word, its tone (ok, warn, bad or none) and a sentence for those who ask why."""

    word: str
    tone: str = ""
    why: str = ""


STAGE_WORDS = {"iql": "Information", "mql": "Marketing", "pql": "Product", "service": "Service", "sql": "Sales",
               "customer": "Customer"}
"""From the first form to the customer, as columns and choices stand."""
KIND_WORDS = {"delivery": "Delivery", "confirm": "Confirmation", "letter": "Letter", "notice": "Notice",
              "personal": "Mail of a seller", "account": "Account mail"}
NOTICE_WORDS = {"hand-off": "Alert: a lead was handed over", "given": "Alert: a lead was given to somebody",
                "late": "Alert: nobody spoke with a lead in time", "reminder": "Reminder of a task"}
MESSAGE_STATES = {
    "queued": State("Waiting"),
    "claimed": State("Going out", "warn", "A worker is handing it to the mail server."),
    "sent": State("Sent", "ok"),
    "failed": State("Failed", "bad"),
    "suppressed": State("Held back", "", "The address gets no such mail."),
    "cancelled": State("Cancelled", "", "It was no longer wanted."),
    "unknown": State("Unknown", "warn", "The connection was lost after the hand-over: it may have arrived. "
                                        "Letters are never sent twice."),
}
HELD_WORDS = {"honeypot": "A field that people do not see was filled in, as robots do.",
              "disposable": "The address is a disposable one.",
              "too-fast": "The form came back faster than a person types."}
WAY_WORDS = {"form": "on the form", "download": "by fetching the download", "one-click": "by the mail program",
             "unsubscribe page": "on the unsubscribe page", "preferences": "on the preferences page",
             "erasure": "with the erasure", "confirm": "by the link in the mail",
             "import": "in a file that was brought in", "import undone": "with the file that was taken back"}
EXCLUDED = {"bot": "views by robots", "prefetch": "views fetched ahead", "head": "views only asked about",
            "duplicate": "views of people who count already", "crossed over": "people who saw two variants",
            "before start": "people who knew the page before the start",
            "between periods": "people who came during a pause or a change of the split",
            "not in the split": "people who saw a variant out of turn"}
CONSENT_WORDS = {"given": "Ticked", "confirmed": "Confirmed", "withdrawn": "Withdrew"}


def init_app(app: Flask) -> None:
    """Offer the words to templates."""
    for function in (message_state, lead_state, held_words, consent_words):
        app.add_template_filter(function)
    app.jinja_env.globals.update(STAGE_WORDS=STAGE_WORDS, KIND_WORDS=KIND_WORDS, MESSAGE_STATES=MESSAGE_STATES,
                                 EXCLUDED=EXCLUDED)


def message_state(message: Message, now: datetime) -> State:
    """What a message came to."""
    state = MESSAGE_STATES.get(message.state, State(message.state))
    if message.state == "queued" and message.due_at >= PARKED:
        return State("Waits", "", WITH_SALES)
    if message.state == "queued" and message.due_at >= HELD:
        return State("Held", "warn", "Its moment may have passed. It waits to be released: `handsel mail release`.")
    if message.state == "queued" and message.attempts:
        tries = "once" if message.attempts == 1 else f"{message.attempts} times"
        return State("Trying again", "warn", f"Tried {tries}. {_said(message.reason)}".strip())
    if message.state == "queued" and message.due_at > now:
        return State("Planned")
    if message.state == "sent":
        return state  # what the server answered then is of use to nobody who reads this
    return State(state.word, state.tone, _said(message.reason) or state.why)


def _said(reason: str) -> str:
    """Why a message is in its state, with whose words they are when they are a mail server's."""
    return f"The mail server said: {reason}" if re.match(r"[245]\d\d\b", reason) else reason


def message_title(message: Message, project: Project) -> str:
    """What a message is: its subject as written in the project, or its kind and step."""
    offer = project.offer(message.offer)
    letter = offer.letter(message.step) if offer is not None else None
    if letter is not None:
        return plain_subject(letter)
    if message.kind == "notice":
        return NOTICE_WORDS.get(message.step, "Notice")
    if message.kind == "personal":
        return str(message.values.get("subject", "")) or KIND_WORDS["personal"]
    return f"{KIND_WORDS.get(message.kind, message.kind)} {message.step}".strip()


def plain_subject(letter: Letter) -> str:
    """A letter's subject with fallbacks in the place of names."""
    return "".join(part if isinstance(part, str) else part.fallback or "…" for part in letter.subject)


def offer_title(slug: str, project: Project) -> str:
    """The title of an offer, or its slug when it is gone."""
    offer = project.offer(slug)
    return offer.title if offer is not None else slug


def lead_state(lead: Lead) -> State:
    """Whether the mailbox is proven, and whether we may write to it."""
    if lead.unsubscribed_at is not None:
        return State("Unsubscribed", "warn")
    if lead.confirmed_at is None:
        return State("Not proven", "", "Nobody has used a link that we mailed to this address.")
    return State("Proven", "ok")


def held_words(capture: Capture) -> str:
    """Why a capture waits for a person to look at it, as a sentence."""
    return HELD_WORDS.get(capture.quarantine, capture.quarantine)


def consent_words(consent: Consent) -> str:
    """What happened to a consent and how."""
    what = CONSENT_WORDS.get(consent.state, consent.state)
    return f"{what} {WAY_WORDS.get(consent.way, consent.way)}"
