"""Traces of a person in tables that no key ties to a lead, and the tables that tell of nobody who visits us.

Every table is either tied to leads by its keys, or stands in TRACES or in NOBODY; a test says so, so that whoever adds
a table decides.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import ColumnElement, String, and_, cast, false, or_, select
from sqlalchemy.engine import Connection

from handsel.accounts import audit
from handsel.accounts.models import AuditEntry
from handsel.experiments.models import Enrolment, Exposure
from handsel.leads.importing.models import ImportRefusal
from handsel.leads.models import Capture, Company, GoneMail, Lead, Wording
from handsel.leads.models import Consent as _Consent
from handsel.mail import suppress
from handsel.mail.models import Suppression
from handsel.traffic.models import Hit, KnownVisitor, Visitor

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """A visitor's number, and the days on which it was theirs."""

    visitor: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Person:
    """Of a person's mailboxes, whatever leads to traces elsewhere."""

    ids: tuple[int, ...]
    emails: tuple[str, ...]
    addresses: tuple[str, ...]
    """As they were typed."""
    keys: tuple[str, ...]
    companies: tuple[int, ...]
    spans: tuple[Span, ...]
    units: tuple[str, ...]

    @classmethod
    def of(cls, connection: Connection, ids: tuple[int, ...]) -> Person:
        """The person of these mailboxes."""
        leads = connection.execute(select(Lead.email, Lead.address, Lead.key, Lead.company_id)
                                   .where(Lead.id.in_(ids))).all()
        known = connection.execute(select(KnownVisitor.visitor, KnownVisitor.at, KnownVisitor.until, KnownVisitor.unit)
                                   .where(KnownVisitor.lead_id.in_(ids))).all()
        return cls(ids, tuple(row.email for row in leads), tuple(row.address for row in leads),
                   tuple(row.key for row in leads),
                   tuple({row.company_id for row in leads if row.company_id}),
                   (*_days(connection, ids), *(Span(row.visitor, row.at, row.until) for row in known)),
                   tuple(row.unit for row in known))

    @property
    def hashes(self) -> list[str]:
        """The hashes under which the addresses are kept from mail."""
        return [suppress.address_hash(email) for email in self.emails]

    @property
    def visitors(self) -> list[str]:
        """All numbers that were theirs at some time."""
        return sorted({span.visitor for span in self.spans} | set(self.units))


def _days(connection: Connection, ids: tuple[int, ...]) -> list[Span]:
    """The number of each capture's visitor, with the days around it: the number is a day's, and time zones differ."""
    captures = connection.execute(select(Capture.visitor, Capture.at).where(
        Capture.lead_id.in_(ids), Capture.visitor != "")).all()
    midnights = ((row.visitor, datetime.combine(row.at.date(), time(), UTC)) for row in captures)
    return [Span(visitor, midnight - A_DAY, midnight + 2 * A_DAY) for visitor, midnight in midnights]


def _hits(person: Person) -> ColumnElement[bool]:
    return or_(false(), *(and_(Hit.at >= span.since, Hit.at < span.until, Hit.visitor == span.visitor)
                          for span in person.spans))


def _refusals(person: Person) -> ColumnElement[bool]:
    """Rows whose cells hold an address, however it was typed and however JSON spells it."""
    text = cast(ImportRefusal.cells, String)
    spelled = {form for address in (*person.emails, *person.addresses) for form in (address, json.dumps(address)[1:-1])}
    return or_(false(), *(text.icontains(form, autoescape=True) for form in sorted(spelled)))


TRACES: dict[str, Callable[[Person], ColumnElement[bool]]] = {
    "suppression": lambda person: Suppression.address_hash.in_(person.hashes),
    "gone_mail": lambda person: GoneMail.address_hash.in_(person.hashes),
    "visitor": lambda person: Visitor.visitor.in_(person.visitors),
    "hit": _hits,
    "exposure": lambda person: Exposure.visitor.in_(person.visitors),
    "enrolment": lambda person: Enrolment.visitor.in_(person.visitors),
    "audit_entry": lambda person: AuditEntry.subject.in_([audit.of_lead(key) for key in person.keys]),
    "company": lambda person: Company.id.in_(person.companies),
    "import_refusal": _refusals,
    "wording": lambda person: Wording.hash.in_(select(_Consent.wording_hash).where(_Consent.lead_id.in_(person.ids))),
}
"""By table: which of its rows tell of the person."""

NOBODY = {
    "account": "who works at the desk", "api_key": "keys of machines", "desk_session": "signed-in browsers of the desk",
    "sign_in_link": "links by which the desk is entered", "saved_view": "filters that somebody at the desk named",
    "export_layout": "columns of exports", "export_memory": "who at the desk exported last with which layout",
    "lead_act": "what somebody at the desk did to several leads at once", "lead_import": "files that were brought in",
    "rule_version": "versions of the rules", "quality_model": "what leads have in common that sales took",
    "consent_seal": "seals of the consent ledger, without a person",
    "segment_edit": "changes of the segments file", "scoring_edit": "changes of the scoring rules",
    "mail_pause": "pauses of mail servers",
    "day_secret": "the secret of the day", "tally": "sums of visits by day",
    "experiment": "tests", "experiment_period": "parts of tests", "experiment_event": "what happened to tests",
    "experiment_look": "results of tests", "arm": "counts of tests", "exclusion": "counts of tests",
}
"""Tables that tell of nobody who visits us, and what they hold."""
