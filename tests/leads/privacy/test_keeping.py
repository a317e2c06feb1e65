"""Day after day the worker throws away what is too old: a day after its limit nothing of it is left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from factories import NOON, make_capture, make_consent, make_grant, make_hit, make_lead, make_message
from handsel.accounts import audit
from handsel.accounts.models import AuditEntry
from handsel.db import db, snapshot, writing
from handsel.leads.handoff.models import Activity
from handsel.leads.importing.models import ImportRefusal
from handsel.leads.ledger import checking, sealing
from handsel.leads.listing.models import LeadAct
from handsel.leads.models import Download, Grant, Lead, LeadFact, LeadImport
from handsel.leads.privacy import keeping
from handsel.leads.stages.models import ProductEvent
from handsel.leads.tracking.models import LetterClick, PageVisit
from handsel.mail import suppress
from handsel.mail.models import Message
from handsel.offers.live import current
from handsel.traffic.models import Hit
from handsel.worker.purge import purge

DAY = timedelta(days=1)


def add(*rows: Any) -> None:
    with writing() as session:
        session.add_all(rows)


def a_customer() -> int:
    """A lead that stays whatever happens, for others' rows to hang on."""
    return make_lead(stage="customer").id


def a_refusal() -> None:
    batch = LeadImport(at=NOON, fingerprint="f", file="fair.csv")
    add(batch)
    add(ImportRefusal(import_id=batch.id, number=3, reason="Twice.", cells=["ann@example.org"]))


def an_entry() -> None:
    with writing() as session:
        audit.record(session, "showed a lead", "somebody")


RULES: dict[str, tuple[timedelta, Callable[[], object], Any]] = {
    "unproven": (keeping.UNPROVEN, lambda: make_capture(make_lead(confirmed_at=None), proven_at=None), Lead.id),
    "silent": (timedelta(days=732), make_lead, Lead.id),
    "agreed once": (keeping.PROOF, lambda: make_consent(make_lead(), state="withdrawn"), Lead.id),
    "hits": (keeping.VISITS, make_hit, Hit.id),
    "visits": (keeping.VISITS, lambda: add(PageVisit(lead_id=a_customer(), at=NOON, path="/")), PageVisit.id),
    "clicks": (keeping.VISITS, lambda: add(LetterClick(lead_id=a_customer(), at=NOON, path="/")), LetterClick.id),
    "events": (keeping.VISITS, lambda: add(ProductEvent(once="1", lead_id=a_customer(), name="used", at=NOON,
                                                        received_at=NOON)), ProductEvent.id),
    "facts": (keeping.VISITS, lambda: add(LeadFact(lead_id=a_customer(), ref="visit:1", kind="visited", at=NOON)),
              LeadFact.ref),
    "messages": (keeping.TWO_YEARS, lambda: make_message(make_lead(stage="customer"), state="sent"), Message.id),
    "links": (timedelta(days=37), lambda: make_grant(make_lead(stage="customer")), Grant.id),
    "refusals": (keeping.MONTH, a_refusal, ImportRefusal.id),
    "acts": (keeping.MONTH, lambda: add(LeadAct(at=NOON, kind="tag", value="energy")), LeadAct.id),
    "log": (keeping.TWO_YEARS, an_entry, AuditEntry.id),
}


@pytest.mark.parametrize("name", RULES)
def test_what_is_a_day_past_its_limit_is_gone_and_a_day_before_it_is_there(app: Flask, clock: Any, name: str) -> None:
    limit, make, column = RULES[name]
    make()
    assert len(rows := db.session.scalars(select(column)).all()) == 1
    clock.move(days=limit.days - 1)
    purge(app, clock.now)
    db.session.rollback()
    assert db.session.scalars(select(column)).first() == rows[0]
    clock.move(days=2)
    purge(app, clock.now)
    db.session.rollback()
    assert rows[0] not in db.session.scalars(select(column)).all()


def test_every_day_of_four_years_leaves_nothing_older_than_its_limit(app: Flask, clock: Any) -> None:
    for _name, (_limit, make, _column) in RULES.items():
        if make is not a_refusal:
            make()
    for months in range(48):
        clock.move(days=31)
        make_hit(at=clock.now)
        purge(app, clock.now)
        purge(app, clock.now)  # a second one on the same day finds nothing left
        db.session.rollback()
        oldest = db.session.scalar(select(func.min(Hit.at)))
        assert oldest is not None, months
        assert oldest >= clock.now - keeping.VISITS - DAY
    assert set(db.session.scalars(select(Lead.stage))) == {"customer"}
    assert db.session.scalar(select(func.min(AuditEntry.at))) >= clock.now - keeping.TWO_YEARS - DAY
    assert audit.verify(db.session()).wrong == []


def test_the_ledger_stays_whole_when_leads_go_and_the_log_notes_its_seal(app: Flask, clock: Any) -> None:
    make_consent(make_lead(), state="withdrawn")
    sealing.seal_all(clock.now)
    purge(app, clock.now)
    clock.move(days=4 * 366)
    assert purge(app, clock.now)["leads that have been silent for years"] == 1
    with snapshot() as connection:
        found = checking.check(connection)
    assert (found.erased, found.consents, found.faults) == (1, 0, [])
    actions = [entry.action for entry in db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))]
    assert actions == ["threw away old leads", "threw away old entries", sealing.ANCHOR]


def test_that_somebody_left_outlives_their_lead(app: Flask, clock: Any) -> None:
    make_lead(email="ann@example.org", unsubscribed_at=NOON)
    clock.move(days=3 * 366)
    purge(app, clock.now)
    assert db.session.scalars(select(Lead)).all() == []
    assert suppress.is_blocked(db.session(), "ann@example.org", "letter", clock.now)


def test_a_person_stays_as_long_as_one_of_their_mailboxes_does_something(app: Flask, clock: Any) -> None:
    head, other, _gone = make_lead(), make_lead(), make_lead()
    with writing() as session:
        session.get_one(Lead, other.id).merged_into_id = head.id
    kept = {head.id, other.id}
    clock.move(days=700)
    add(Download(key="d" * 22, lead_id=other.id, offer="guide", at=clock.now))
    clock.move(days=60)
    purge(app, clock.now)
    db.session.rollback()
    assert set(db.session.scalars(select(Lead.id))) == kept
    clock.move(days=800)
    purge(app, clock.now)
    assert db.session.scalars(select(Lead)).all() == []


def test_whom_sales_spoke_with_lately_stays(app: Flask, clock: Any) -> None:
    lead = make_lead()
    clock.move(days=700)
    add(Activity(once="1", lead_id=lead.id, kind="call", at=clock.now, made_at=clock.now, text="Next year, perhaps."))
    clock.move(days=60)
    assert "leads that have been silent for years" not in purge(app, clock.now)


def test_each_limit_stands_in_the_manual_in_the_same_words(app: Flask) -> None:
    from pathlib import Path

    manual = " ".join((Path(__file__).parents[3] / "content" / "guide" / "privacy-rights.md").read_text().split())
    site = current().site.model_copy(update={"keep_years": 2, "recognition_days": 180})
    assert [rule.words for rule in keeping.rules(site) if rule.words not in manual] == []
