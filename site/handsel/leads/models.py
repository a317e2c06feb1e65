"""Leads, captures, tags, consents, download grants and downloads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from handsel.db import Instant, Key, Model, partial_index

STAGES = ("iql", "mql", "sql", "pql", "service", "customer")


class Lead(Model):
    """One mailbox, and what we believe about its owner: a view of the captures, confirmed ones before claims."""

    __tablename__ = "lead"
    __table_args__ = (
        Index("ix_lead_captured_at_id", "captured_at", "id"),
        Index("ix_lead_owner_id_score_id", "owner_id", "score", "id"),
        Index("ix_lead_owner_id_stage_score_id", "owner_id", "stage", "score", "id"),
        *(partial_index("_".join(["ix_lead", *by]), *by, sqlite="merged_into_id IS NULL",
                        postgresql="merged_into_id IS NULL")
          for by in (("acted_at", "id"), ("score", "id"), ("stage_at", "id"),  # what lists walk along
                     ("stage", "score", "id"), ("stage", "stage_at", "id"))),
        partial_index("ix_lead_look_at", "look_at", sqlite="look_at IS NOT NULL", postgresql="look_at IS NOT NULL"),
        partial_index("ix_lead_merged_into_id", "merged_into_id", sqlite="merged_into_id IS NOT NULL",
                      postgresql="merged_into_id IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(22), unique=True)
    """Random and public: names the lead in unsubscribe and preference links, for ten years and over key changes."""
    email: Mapped[str] = mapped_column(String(254), unique=True)
    """The normalised address: the identity of a lead."""
    address: Mapped[str] = mapped_column(String(254))
    """The address as typed, for sending."""
    name: Mapped[str] = mapped_column(String(200), default="")
    first_name: Mapped[str] = mapped_column(String(120), default="")
    last_name: Mapped[str] = mapped_column(String(120), default="")
    company: Mapped[str] = mapped_column(String(200), default="")
    job_title: Mapped[str] = mapped_column(String(200), default="")
    phone: Mapped[str] = mapped_column(String(60), default="")
    country: Mapped[str] = mapped_column(String(80), default="")
    custom: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    stage: Mapped[str] = mapped_column(String(12), default="iql")
    stage_at: Mapped[datetime | None] = mapped_column(Instant)
    """Since when the lead is in its stage."""
    score: Mapped[int] = mapped_column(default=0)
    """Fit and interest together, as they stood when the lead was last looked at."""
    fit: Mapped[int] = mapped_column(default=0)
    interest: Mapped[int] = mapped_column(default=0)
    quality: Mapped[int | None]
    """Predicted chance, in thousandths, that sales accepts the lead; None while there is no model to trust."""
    company_id: Mapped[int | None] = mapped_column(ForeignKey("company.id", ondelete="SET NULL"), index=True)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("lead.id", ondelete="SET NULL"))
    """The lead that this mailbox belongs to since somebody merged the two; such a lead stands in no list."""
    look_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the worker is to look at the lead again: at once after something happened, later when points decay."""
    acted_at: Mapped[datetime | None] = mapped_column(Instant)
    """The newest thing that the person did."""
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    tags_text: Mapped[str] = mapped_column(Text, default="")
    """The tags, sorted, joined by a comma and a space: kept with every change of a tag, for lists and exports."""
    offers_text: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[str] = mapped_column(String(120), default="")
    consent_text: Mapped[str] = mapped_column(String(200), default="")
    """The topics now agreed to and proven, sorted, joined by a comma and a space."""
    plain: Mapped[bool] = mapped_column(default=True)
    """No exported cell of this row needs quoting or the formula guard."""
    captured_at: Mapped[datetime] = mapped_column(Instant)
    """The first capture."""
    last_capture_at: Mapped[datetime] = mapped_column(Instant)
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the mailbox was first proven."""
    unsubscribed_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the person left all marketing mail; None once they come back."""
    paused_until: Mapped[datetime | None] = mapped_column(Instant)
    """Until when the person asked for no letters; in the past, or None, they come as ever."""

    captures: Mapped[list[Capture]] = relationship(back_populates="lead", cascade="all, delete-orphan",
                                                   passive_deletes=True)
    consents: Mapped[list[Consent]] = relationship(back_populates="lead", cascade="all, delete-orphan",
                                                   passive_deletes=True)


class Company(Model):
    """Who is behind a mail domain that is no freemail provider's."""

    __tablename__ = "company"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    domain: Mapped[str] = mapped_column(String(253), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    size: Mapped[int | None]
    """How many people work there."""
    industry: Mapped[str] = mapped_column(String(80), default="")
    revenue: Mapped[int | None] = mapped_column(BigInteger)
    """A year's, in the site's currency."""
    country: Mapped[str] = mapped_column(String(80), default="")
    at: Mapped[datetime] = mapped_column(Instant)
    source: Mapped[str] = mapped_column(String(120), default="")
    """Who or what last said so."""


class LeadFact(Model):
    """What a person did, of all mailboxes that are theirs, in one shape: a view that rules, lists and scores ask."""

    __tablename__ = "lead_fact"
    __table_args__ = (Index("ix_lead_fact_kind_name_at_lead_id", "kind", "name", "at", "lead_id"),)

    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), primary_key=True)
    """The row behind it, such as ``download:12``."""
    kind: Mapped[str] = mapped_column(String(12))
    name: Mapped[str] = mapped_column(String(400), default="")
    at: Mapped[datetime] = mapped_column(Instant)
    value: Mapped[float] = mapped_column(default=0.0)


class Capture(Model):
    """One form submission that we acknowledged."""

    __tablename__ = "capture"
    __table_args__ = (
        Index("ix_capture_offer_at", "offer", "at"),
        partial_index("ix_capture_held", "lead_id", sqlite="quarantine <> ''", postgresql="quarantine <> ''"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(22), unique=True)
    """Random and public: names the capture in the thank-you page's address."""
    once: Mapped[str] = mapped_column(String(43), unique=True)
    """Made of the form token and the mailbox: a double click, a reload or fifty equal POSTs find the same capture."""
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    offer: Mapped[str] = mapped_column(String(80))
    form: Mapped[str] = mapped_column(String(80))
    variant: Mapped[str] = mapped_column(String(2), default="")
    page: Mapped[str] = mapped_column(String(400), default="")
    answers: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    email: Mapped[str] = mapped_column(String(254))
    """The address as typed in this capture; a correction takes its place, and the capture moves to that mailbox."""
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    proven_at: Mapped[datetime | None] = mapped_column(Instant)
    quarantine: Mapped[str] = mapped_column(String(40), default="")
    """Why it waits for a person to look and sends nothing: ``honeypot`` or ``disposable``; empty if fine."""
    visitor: Mapped[str] = mapped_column(String(32), default="")
    address_prefix: Mapped[str] = mapped_column(String(64), default="")
    browser: Mapped[str] = mapped_column(String(200), default="")
    language: Mapped[str] = mapped_column(String(20), default="")
    source: Mapped[str] = mapped_column(String(120), default="")
    referrer: Mapped[str] = mapped_column(String(400), default="")
    first_page: Mapped[str] = mapped_column(String(400), default="")
    utm_source: Mapped[str] = mapped_column(String(120), default="")
    utm_medium: Mapped[str] = mapped_column(String(120), default="")
    utm_campaign: Mapped[str] = mapped_column(String(120), default="")
    utm_term: Mapped[str] = mapped_column(String(120), default="")
    utm_content: Mapped[str] = mapped_column(String(120), default="")

    lead: Mapped[Lead] = relationship(back_populates="captures")


class LeadTag(Model):
    """A tag on a lead, and how it came there."""

    __tablename__ = "lead_tag"
    __table_args__ = (Index("ix_lead_tag_tag_lead_id", "tag", "lead_id"),)

    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(60), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    source: Mapped[str] = mapped_column(String(120), default="")
    """``offer:<slug>``, ``import:<file>``, ``rule:<segment>``, ``by hand: <who>``, ``merged``, or of a form whose
    mailbox nobody has proven yet ``claim:<slug>``: rules do not see that one."""


class LeadOffer(Model):
    """An offer that a lead asked for, first and last time: what lists filter by."""

    __tablename__ = "lead_offer"
    __table_args__ = (Index("ix_lead_offer_offer_lead_id", "offer", "lead_id"),)

    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), primary_key=True)
    offer: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    source: Mapped[str] = mapped_column(String(120), default="")
    """``merged`` if only another mailbox of the same person asked for it, ``claim:`` as long as nobody has proven it;
    else empty."""


class Wording(Model):
    """A consent's exact words, kept once by the SHA-256 of purpose, language and text."""

    __tablename__ = "wording"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(40))
    language: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text)


IMPORT_UNDONE = "import undone"
"""The way of a consent that ended because its import was taken back: the person said nothing."""


class Consent(Model):
    """One event in the life of a consent; rows are only ever added."""

    __tablename__ = "consent"
    __table_args__ = (
        Index("ix_consent_lead_id_purpose", "lead_id", "purpose"),
        partial_index("ix_consent_unsealed", "at", "id", sqlite="salt IS NULL", postgresql="salt IS NULL"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"))
    capture_id: Mapped[int | None] = mapped_column(ForeignKey("capture.id", ondelete="SET NULL"), index=True)
    purpose: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    """``given`` (ticked), ``confirmed`` (mailbox proven), ``withdrawn``."""
    wording_hash: Mapped[str | None] = mapped_column(ForeignKey("wording.hash"))
    form: Mapped[str] = mapped_column(String(80), default="")
    page: Mapped[str] = mapped_column(String(400), default="")
    variant: Mapped[str] = mapped_column(String(2), default="")
    way: Mapped[str] = mapped_column(String(40))
    """How it came about: ``form``, ``download``, ``one-click``, ``unsubscribe page``, ``preferences``, ``erasure``."""
    at: Mapped[datetime] = mapped_column(Instant)
    address_prefix: Mapped[str] = mapped_column(String(64), default="")
    browser: Mapped[str] = mapped_column(String(200), default="")
    salt: Mapped[str | None] = mapped_column(String(22))
    """Random, given when the row is sealed; without it nobody can tell what the digest in the ledger stands for."""

    lead: Mapped[Lead] = relationship(back_populates="consents")
    wording: Mapped[Wording | None] = relationship()


class Grant(Model):
    """The right of one lead to fetch one offer's asset: expiring, counted, revocable, renewable."""

    __tablename__ = "download_grant"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(22), unique=True)
    """At least 128 random bits: the token of the ``/get/`` link."""
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    capture_id: Mapped[int | None] = mapped_column(ForeignKey("capture.id", ondelete="CASCADE"), index=True)
    offer: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    uses_left: Mapped[int]
    proves: Mapped[bool] = mapped_column(default=True)
    """The link went by mail alone, so that using it proves the mailbox; False for one shown on the thank-you page."""
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class GoneMail(Model):
    """A mail to a mailbox whose lead has gone, because the address was corrected: counts for its limits for a day.

    Without it, submitting and correcting in turn would reach a stranger any number of times.
    """

    __tablename__ = "gone_mail"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    address_hash: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(Instant)


class Download(Model):
    """One press of the button on the ``get`` page that gave the file."""

    __tablename__ = "download"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(22), unique=True)
    """Random: names the press in the file's address, so that a broken transfer goes on without a second press."""
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("download_grant.id", ondelete="SET NULL"), index=True)
    """None once the link is purged; that the file was fetched stays known."""
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    offer: Mapped[str] = mapped_column(String(80), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    address_prefix: Mapped[str] = mapped_column(String(64), default="")
    browser: Mapped[str] = mapped_column(String(200), default="")


class Coupon(Model):
    """A code of an offer's list that was given to a lead. A code stays given when its lead is erased."""

    __tablename__ = "coupon"
    __table_args__ = (Index("ix_coupon_offer_code", "offer", "code", unique=True),
                      Index("ix_coupon_offer_lead_id", "offer", "lead_id", unique=True))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    offer: Mapped[str] = mapped_column(String(80))
    code: Mapped[str] = mapped_column(String(100))
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("lead.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)


class Attendance(Model):
    """A lead went in to an event by its own link."""

    __tablename__ = "attendance"
    __table_args__ = (Index("ix_attendance_offer_starts_at_lead_id", "offer", "starts_at", "lead_id", unique=True),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    offer: Mapped[str] = mapped_column(String(80))
    starts_at: Mapped[datetime] = mapped_column(Instant)
    """The beginning of the event as the offer named it then: it may be held again at another time."""
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)


class Sale(Model):
    """Money that a lead brought, as a seller put it down."""

    __tablename__ = "sale"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    cents: Mapped[int] = mapped_column(BigInteger)
    """Hundredths of the currency, so that sums are exact."""
    currency: Mapped[str] = mapped_column(String(3))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    actor: Mapped[str] = mapped_column(String(254), default="")


class LeadImport(Model):
    """A file of leads that was brought in: who did it, how, and what came of it."""

    __tablename__ = "lead_import"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    fingerprint: Mapped[str] = mapped_column(String(64), index=True)
    """Made of the file's bytes and of how it was read: the same import, begun again, goes on in the same batch."""
    file: Mapped[str] = mapped_column(String(200))
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    actor: Mapped[str] = mapped_column(String(254), default="")
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    undone_at: Mapped[datetime | None] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(12), default="running")
    """``mapping`` (somebody says what its columns hold), ``trying``, ``tried``, ``running``, ``done``, ``failed``,
    ``undoing`` or ``undone``."""
    upload: Mapped[str] = mapped_column(String(40), default="")
    """The name of the file that was uploaded at the desk, while it is there."""
    at_desk: Mapped[bool] = mapped_column(default=False)
    """It was begun at the desk, so that the worker does it."""
    total: Mapped[int] = mapped_column(default=0)
    """The rows of the file, once they are counted."""
    row: Mapped[int] = mapped_column(default=0)
    """Up to which row the work is done, written with the work itself: whoever goes on begins behind it."""
    log: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    """The last lines of what happened: when, and in words."""
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    """Until when a worker has it in hand."""
    problem: Mapped[str] = mapped_column(String(400), default="")
    """Why it failed."""


class Imported(Model):
    """A capture that came with a file, and whether it brought the lead."""

    __tablename__ = "imported"

    capture_id: Mapped[int] = mapped_column(ForeignKey("capture.id", ondelete="CASCADE"), primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("lead_import.id", ondelete="CASCADE"), index=True)
    made_lead: Mapped[bool]
