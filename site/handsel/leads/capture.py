"""The capture: one form submission becomes a lead, its tags and consents, and its mails, in one transaction.

When ``capture`` returns, all of it is on disk; before, none of it is anywhere. The same submission sent again, or fifty
times at once, finds the first one and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

from flask import Flask
from sqlalchemy.exc import DBAPIError, OperationalError

from handsel.db import db, is_sqlite
from handsel.experiments.models import Conversion, Exposure
from handsel.forms.library import ConsentBox, wording_hash
from handsel.forms.schema import RECOGNITION
from handsel.leads.believing import CLAIM
from handsel.leads.cells import is_plain
from handsel.leads.due import Due, random_key
from handsel.leads.models import Capture, Consent, Lead, LeadOffer, LeadTag, Wording
from handsel.leads.plan import Plan, plan
from handsel.leads.profile import COLUMNS, joined, overlaid
from handsel.leads.recognition import Recognised, remember
from handsel.leads.rows import Pen, Row, instant, loaded, shaped
from handsel.leads.together import Together
from handsel.leads.token import Ticket
from handsel.mail import suppress
from handsel.offers.library import Offer
from handsel.traffic.visitor import UTM, Visit

TRIES = 3  # PostgreSQL may ask one of two transactions that wait for each other to begin again

_RETURNED = ("id", "key", "confirmed_at", "source", "tags_text", "offers_text", "consent_text", "custom",
             "paused_until", *COLUMNS)
_UPSERT = ("ON CONFLICT (email) DO UPDATE SET last_capture_at = excluded.last_capture_at, "
           "look_at = excluded.look_at RETURNING "
           + ", ".join(_RETURNED))
_JOURNEY = f"SELECT first_page, referrer, source, {', '.join(UTM)} FROM visitor WHERE visitor = :visitor"  # noqa: S608


class Unwritten(Exception):
    """The database could not take the capture now (busy, full or away); nothing of it was written."""


class Captured(NamedTuple):
    """An acknowledged capture: its key, and whether this very call made it (False: it was there already)."""

    key: str
    is_new: bool


@dataclass(frozen=True)
class Claim:
    """What a visitor claims by sending a form: plain values, checked and ready to be written.

    ``email`` is the normalised address, ``address`` the one to send to; ``quarantine`` says why a person must look
    first, and is empty for all who seem to be people.
    """

    email: str
    address: str
    answers: Mapping[str, Any]
    consents: tuple[ConsentBox, ...]
    ticket: Ticket
    visit: Visit
    at: datetime
    language: str = "en"
    quarantine: str = ""
    recognised: Recognised | None = None
    """The visitor's number from now on, if they agreed to be recognised."""

    @property
    def topics(self) -> set[str]:
        """The purposes agreed to that are about mail."""
        return {box.purpose for box in self.consents} - {RECOGNITION}

    @property
    def once(self) -> str:
        """What makes the submission one of a kind: the ticket of its form, and the mailbox."""
        # The mailbox belongs to it: one who goes back, mends the address and sends the same form again means it.
        return blake2b(f"{self.ticket.nonce}\n{self.email}".encode(), digest_size=16).hexdigest()


def capture(app: Flask, offer: Offer, claim: Claim) -> Captured:
    """Write ``claim`` for ``offer``; when this returns, it is on disk. Needs an application context.

    Raises Unwritten when the database cannot take it now; then nothing is written, and trying again is safe.
    """
    prepared = Prepared.of(offer, claim, suppress.address_hash(claim.email, app))
    try:
        if is_sqlite():
            together: Together = app.extensions["handsel.leads"]
            return together.do(prepared.write)
        return _alone(prepared)
    except DBAPIError as error:
        raise Unwritten(str(error.orig)) from error
    except Exception as error:
        if _is_passing(error):
            raise Unwritten(str(error)) from error
        raise


def _is_passing(error: Exception) -> bool:
    """Whether a driver's error is about the state of the database now, and not about what we asked of it."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return type(error).__module__.split(".")[0] in {"sqlite3", "psycopg"} and "OperationalError" in names


def _alone(prepared: Prepared) -> Captured:
    """Write in a transaction of its own, on PostgreSQL."""
    for left in reversed(range(TRIES)):
        raw = db.engine.raw_connection()
        try:
            driver: Any = raw.driver_connection
            with driver.pipeline():  # what gives no rows travels together and is not waited for
                captured = prepared.write(Pen(driver.cursor, sqlite=False))
            raw.commit()
            return captured
        except Exception as error:
            raw.rollback()
            if not left or getattr(error, "sqlstate", None) not in {"40P01", "40001"}:  # deadlock, serialisation
                raise
        finally:
            raw.close()
    raise OperationalError("capture", {}, RuntimeError("the transaction was refused again and again"))


@dataclass
class Prepared:
    """A claim with everything that can be made before the transaction begins, so that it is short."""

    offer: Offer
    claim: Claim
    mailbox: str
    plan: Plan
    lead: Row
    capture: Row
    consents: list[tuple[Row, Row]]
    tags: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, offer: Offer, claim: Claim, mailbox: str) -> Prepared:
        """Prepare ``claim``; ``mailbox`` is the hash of its address."""
        columns = overlaid(dict.fromkeys(COLUMNS, "") | {"custom": {}}, claim.answers)
        ticket, tags = claim.ticket, tuple(sorted(set(offer.meta.tags)))
        columns |= {"email": claim.email, "address": claim.address, "source": ticket.source, "consent_text": "",
                    "tags_text": joined(tags), "offers_text": offer.slug}
        lead = shaped(Lead, **columns, key=random_key(), captured_at=claim.at, last_capture_at=claim.at,
                      stage_at=claim.at, look_at=claim.at, plain=is_plain(columns))
        return cls(offer, claim, mailbox, plan(offer, claim.topics), lead,
                   _capture_row(offer, claim),
                   [_consent_rows(claim, box) for box in sorted(claim.consents, key=_hash)], tags)

    def write(self, pen: Pen) -> Captured:
        """The transaction itself; the caller begins and commits."""
        row = self.capture
        if found := pen.run("SELECT key FROM capture WHERE once = :once", {"once": row["once"]}):
            return Captured(found[0][0], False)
        self._journey(pen)
        lead = dict(zip(_RETURNED, pen.add(Lead, self.lead, _UPSERT)[0], strict=True))
        row["lead_id"] = lead["id"]
        added = pen.add(Capture, row, "ON CONFLICT (once) DO NOTHING RETURNING id")
        if not added:  # PostgreSQL: another process wrote the same submission a moment ago
            return Captured(pen.run("SELECT key FROM capture WHERE once = :once", {"once": row["once"]})[0][0], False)
        capture_id: int = added[0][0]
        self._consent(pen, lead["id"], capture_id)
        self._tag(pen, lead)
        if not self.claim.quarantine:
            self._convert(pen, capture_id)
            if self.claim.recognised:
                remember(pen, self.claim.recognised, self.claim.ticket.unit, capture_id, row)
            due = Due(self.offer, self.plan, lead["id"], capture_id, row["key"], self.claim.at, self.claim.answers,
                      self.claim.topics, self.mailbox)
            due.send(pen, is_new=lead["key"] == self.lead["key"], paused_until=instant(lead["paused_until"]))
        return Captured(row["key"], True)

    def _journey(self, pen: Pen) -> None:
        """Put down how the visitor's journey of the day began; the page of the form knows only its own referrer."""
        began = pen.run(_JOURNEY, {"visitor": self.claim.ticket.visitor}) if self.claim.ticket.visitor else []
        if began:
            first_page, referrer, source, *utm = began[0]
            self.capture |= {"first_page": first_page, "referrer": referrer}
            if any(utm) or not any(self.claim.ticket.utm):
                self.capture |= {"source": source} | dict(zip(UTM, utm, strict=True))
            self.lead["source"] = self.capture["source"]

    def _consent(self, pen: Pen, lead_id: int, capture_id: int) -> None:
        pen.add_all(Wording, [wording for wording, _ in self.consents], "ON CONFLICT (hash) DO NOTHING")
        pen.add_all(Consent, [tick | {"lead_id": lead_id, "capture_id": capture_id} for _, tick in self.consents])

    def _tag(self, pen: Pen, lead: Mapping[str, Any]) -> None:
        """Add tags and offer, and bring a known lead's columns up to date."""
        at, lead_id = self.capture["at"], lead["id"]
        pen.add_all(LeadTag, [shaped(LeadTag, lead_id=lead_id, tag=tag, at=at, source=CLAIM + self.offer.slug)
                              for tag in self.tags], "ON CONFLICT DO NOTHING")
        pen.add(LeadOffer, shaped(LeadOffer, lead_id=lead_id, offer=self.offer.slug, at=at, source=CLAIM),
                "ON CONFLICT DO NOTHING")
        if lead["key"] == self.lead["key"]:
            return
        columns = {name: lead[name] for name in COLUMNS} | {"custom": loaded(lead["custom"])}
        if not lead["confirmed_at"]:
            columns = overlaid(columns, self.claim.answers)
        columns |= {"tags_text": _with(lead["tags_text"], *self.tags),
                    "offers_text": _with(lead["offers_text"], self.offer.slug)}
        rest = {"email": self.claim.email, "address": self.lead["address"], "source": lead["source"],
                "consent_text": lead["consent_text"]}
        update(pen, lead_id, columns | {"plain": is_plain(columns | rest)})

    def _convert(self, pen: Pen, capture_id: int) -> None:
        """Write the conversion, and the exposure that its page view may not have written yet."""
        ticket, visit = self.claim.ticket, self.claim.visit
        if not ticket.unit or not ticket.variant or visit.excluded:
            return
        seen = {"offer": self.offer.slug, "visitor": ticket.unit, "variant": ticket.variant,
                "at": self.capture["at"]}
        pen.add(Exposure, shaped(Exposure, **seen, day=self.claim.at.date()), "ON CONFLICT DO NOTHING")
        pen.add(Conversion, shaped(Conversion, **seen, goal="capture", capture_id=capture_id), "ON CONFLICT DO NOTHING")


def update(pen: Pen, lead_id: int, columns: Mapping[str, Any]) -> None:
    """Write a lead's columns."""
    row = {name: value for name, value in shaped(Lead, **columns).items() if name in columns}
    pen.run(_update(tuple(row)), row | {"lead": lead_id})


def _update(names: tuple[str, ...]) -> str:
    return f"UPDATE lead SET {', '.join(f'{name} = :{name}' for name in names)} WHERE id = :lead"  # noqa: S608


def _hash(box: ConsentBox) -> str:
    return box.hash


def _with(text: str, *words: str) -> str:
    return joined({*filter(None, text.split(", ")), *words})


def _capture_row(offer: Offer, claim: Claim) -> Row:
    ticket, visit = claim.ticket, claim.visit
    return shaped(
        Capture, key=random_key(), once=claim.once, lead_id=0, offer=offer.slug, form=ticket.form,
        variant=ticket.variant, page=ticket.page, answers=dict(claim.answers), email=claim.address, at=claim.at,
        quarantine=claim.quarantine, visitor=ticket.visitor, address_prefix=visit.prefix, browser=visit.browser,
        language=visit.language, source=ticket.source, referrer=ticket.referrer, first_page=ticket.page,
        **dict(zip(UTM, ticket.utm, strict=True)))


def _consent_rows(claim: Claim, box: ConsentBox) -> tuple[Row, Row]:
    """The wording, kept once, and the tick under it."""
    ticket, visit = claim.ticket, claim.visit
    hash_ = wording_hash(box.purpose, claim.language, box.text)
    return (shaped(Wording, hash=hash_, purpose=box.purpose, language=claim.language, text=box.text),
            shaped(Consent, lead_id=0, capture_id=0, purpose=box.purpose, state="given", wording_hash=hash_,
                   form=ticket.form, page=ticket.page, variant=ticket.variant, way="form", at=claim.at,
                   address_prefix=visit.prefix, browser=visit.browser))
