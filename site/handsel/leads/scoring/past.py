"""People as they were known at an earlier moment: for judging rules and predictions without hindsight.

What somebody did is known from the moment it reached us, which may be later than when it was: a claim when its mailbox
was proven, an imported form when the file came in, a call when it was put down. Companies, tags and answers of BANT
that were changed since are unknown before the change; tags that were taken off are gone. Mailboxes that were merged
since are one person throughout.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.forms.schema import RECOGNITION
from handsel.leads.believing import believed
from handsel.leads.handoff.models import Activity
from handsel.leads.models import Capture, Company, Consent, Imported, Lead, LeadImport, LeadOffer, LeadTag
from handsel.leads.profile import COLUMNS, HAND, Said, profile, standing_topics
from handsel.leads.qualify.facts import THEIR_OWN, gathered
from handsel.leads.qualify.looking import mailboxes_of
from handsel.leads.qualify.people import OF_COMPANY, is_shown
from handsel.leads.stages.models import LeadBant, ProductEvent
from handsel.rules.person import Fact, Person, Told

_LONG = {name: getattr(Lead.__table__.columns[name].type, "length", None) for name in COLUMNS}
_LAST = datetime.max.replace(tzinfo=UTC)


class Form(NamedTuple):
    """What one form said, since when we have it, and when its mailbox was proven."""

    id: int
    at: datetime
    known_at: datetime
    proven_at: datetime | None
    own: bool
    form: str
    answers: Mapping[str, Any]
    source: str
    offer: str

    @property
    def by_hand(self) -> bool:
        """Whether a seller put it down."""
        return self.form == HAND


@dataclass
class Past:
    """All that is known of one lead, each thing with the time since when."""

    id: int
    email: str
    unsubscribed_at: datetime | None
    forms: list[Form] = field(default_factory=list)
    facts: list[tuple[datetime, Fact]] = field(default_factory=list)
    """In the order of when each was known."""
    words: dict[str, list[tuple[datetime, str]]] = field(default_factory=lambda: {"tag": [], "offer": []})
    topics: list[tuple[datetime, str, str]] = field(default_factory=list)
    company: tuple[datetime, str, Mapping[str, Any]] | None = None
    bant: list[datetime] = field(default_factory=list)

    def person(self, at: datetime) -> Person:
        """The person as known at ``at``."""
        forms = [form for form in self.forms if form.known_at <= at]
        facts = sorted((fact for known_at, fact in self.facts if known_at <= at), key=lambda fact: (fact.at, fact.ref))
        told: dict[str, Told] = {}
        values = _answers(forms, at, told) | {
            name: frozenset(word for since, word in words if since <= at) for name, words in self.words.items()}
        acts = [fact.at for fact in facts if fact.kind in THEIR_OWN]
        proven = [form.proven_at for form in forms if form.own and form.proven_at and form.proven_at <= at]
        topics = standing_topics((topic, state) for since, topic, state in self.topics if since <= at)
        values |= {
            "email": self.email, "domain": self.email.rpartition("@")[2], "consent": frozenset(topics),
            "source": forms[0].source if forms else "", "captured": forms[0].at if forms else None,
            "last_form": forms[-1].at if forms else None, "confirmed": min(proven, default=None),
            "last_act": max(acts, default=forms[-1].at if forms else None),
            "unsubscribed": self.unsubscribed_at is not None and self.unsubscribed_at <= at,
            "bant": sum(1 for since in self.bant if since <= at)}
        if self.company is not None and self.company[0] <= at:
            since, ref, of_company = self.company
            values |= of_company
            told |= dict.fromkeys(of_company, Told(since, ref))
        shown = bool(proven) or is_shown(facts, (form.form for form in forms))
        return Person(self.id, values, tuple(facts), told, shown)

    def moments(self, since: datetime, until: datetime) -> list[datetime]:
        """When, after ``since`` and up to ``until``, something new was known, in the order of time."""
        return sorted({moment for moment in self._moments() if since < moment <= until})

    def _moments(self) -> Iterator[datetime]:
        for form in self.forms:
            yield form.known_at
            if form.proven_at is not None:
                yield form.proven_at
        yield from (known_at for known_at, _ in self.facts)
        yield from (since for words in self.words.values() for since, _ in words)
        yield from (since for since, _, _ in self.topics)
        yield from self.bant
        if self.company is not None:
            yield self.company[0]
        if self.unsubscribed_at is not None:
            yield self.unsubscribed_at


def _answers(forms: list[Form], at: datetime, told: dict[str, Told]) -> dict[str, Any]:
    """What the forms say together at ``at``; ``told`` learns which form said it."""
    said = [(form, form.proven_at is not None and form.proven_at <= at) for form in forms]
    columns = profile(Said(form.answers, proven, form.by_hand) for form, proven in said)
    values: dict[str, Any] = columns.pop("custom") | {name: value[:_LONG[name]] for name, value in columns.items()}
    counts = any(proven for _, proven in said)
    for form, proven in said:
        if proven or form.by_hand or not counts:
            since = max(form.known_at, form.proven_at) if proven and form.proven_at else form.known_at
            told |= {name: Told(since, f"capture:{form.id}") for name, answer in form.answers.items()
                     if name != "email" and answer not in ("", [])}
    return values


def pasts(session: Session, leads: Iterable[Lead]) -> dict[int, Past]:
    """The pasts of these leads; what was merged into one of them is part of that one's."""
    leads = list(leads)
    found = {lead.id: Past(lead.id, lead.email, lead.unsubscribed_at) for lead in leads}
    mailboxes = mailboxes_of(session, found)
    _forms(session, found, mailboxes)
    _facts(session, found, mailboxes)
    _words(session, found, mailboxes)
    _bant(session, found)
    _companies(session, found, {lead.id: lead.company_id for lead in leads if lead.company_id is not None})
    return found


def _forms(session: Session, found: Mapping[int, Past], mailboxes: Mapping[int, int]) -> None:
    rows = session.execute(
        select(Capture.id, Capture.lead_id, Capture.at, Capture.proven_at, Capture.form, Capture.answers,
               Capture.source, Capture.offer, LeadImport.at.label("imported_at"))
        .outerjoin(Imported, Imported.capture_id == Capture.id)
        .outerjoin(LeadImport, LeadImport.id == Imported.import_id)
        .where(Capture.lead_id.in_(sorted(mailboxes))).order_by(Capture.at, Capture.id))
    for row in rows:
        head, came = mailboxes[row.lead_id], row.imported_at or row.at
        proven_at = row.proven_at and max(row.proven_at, came)
        found[head].forms.append(Form(row.id, row.at, max(row.at, came), proven_at, row.lead_id == head,
                                      row.form, row.answers, row.source, row.offer))


def _facts(session: Session, found: Mapping[int, Past], mailboxes: Mapping[int, int]) -> None:
    ids = sorted(mailboxes)
    later: dict[str, datetime] = {}
    for id_, received_at in session.execute(
            select(ProductEvent.id, ProductEvent.received_at).where(ProductEvent.lead_id.in_(ids))):
        later[f"event:{id_}"] = received_at
    for id_, made_at in session.execute(select(Activity.id, Activity.made_at).where(Activity.lead_id.in_(ids))):
        later[f"activity:{id_}"] = made_at
    for head, facts in gathered(session, mailboxes).items():
        past = found[head]
        past.facts = sorted(((_known(past, fact, later), fact) for fact in facts), key=lambda known: known[0])


def _known(past: Past, fact: Fact, later: Mapping[str, datetime]) -> datetime:
    """Since when we know of a fact. A file given at once, before the proof, was a claim until then."""
    if fact.kind == "downloaded":
        proofs = (form.proven_at for form in past.forms if form.offer == fact.name and form.proven_at)
        return max(fact.at, min(proofs, default=_LAST))
    if fact.kind == "asked":
        proofs = (form.proven_at for form in past.forms if fact.ref == f"capture:{form.id}" and form.proven_at)
        return max(fact.at, min(proofs, default=_LAST))
    return max(fact.at, later.get(fact.ref, fact.at))


def _words(session: Session, found: Mapping[int, Past], mailboxes: Mapping[int, int]) -> None:
    """Tags and offers of all mailboxes; consents of the lead's own."""
    words: tuple[tuple[str, Any, Any], ...] = (("tag", LeadTag, LeadTag.tag), ("offer", LeadOffer, LeadOffer.offer))
    for name, table, column in words:
        for mailbox, word, at in session.execute(select(table.lead_id, column, table.at).where(
                table.lead_id.in_(sorted(mailboxes)), believed(table))):
            found[mailboxes[mailbox]].words[name].append((at, word))
    for lead_id, at, topic, state in session.execute(
            select(Consent.lead_id, Consent.at, Consent.purpose, Consent.state)
            .where(Consent.lead_id.in_(sorted(found)), Consent.purpose != RECOGNITION)
            .order_by(Consent.at, Consent.id)):
        found[lead_id].topics.append((at, topic, state))


def _bant(session: Session, found: Mapping[int, Past]) -> None:
    for lead_id, ref, at in session.execute(select(LeadBant.lead_id, LeadBant.ref, LeadBant.at).where(
            LeadBant.lead_id.in_(sorted(found)), LeadBant.met)):
        past = found[lead_id]
        proofs = [form.proven_at for form in past.forms if ref == f"capture:{form.id}" and form.proven_at]
        past.bant.append(max(at, *proofs) if proofs else at)


def _companies(session: Session, found: Mapping[int, Past], of_lead: Mapping[int, int]) -> None:
    companies: defaultdict[int, list[int]] = defaultdict(list)
    for lead_id, company_id in of_lead.items():
        companies[company_id].append(lead_id)
    for company in session.scalars(select(Company).where(Company.id.in_(sorted(companies)))) if companies else ():
        known = {name: value for name, column in OF_COMPANY.items() if (value := getattr(company, column))}
        for lead_id in companies[company.id]:
            # What a form said of the company is a claim too, until the mailbox is proven.
            proofs = [form.proven_at for form in found[lead_id].forms if form.at == company.at and form.proven_at]
            since = max(company.at, *proofs) if proofs else company.at
            found[lead_id].company = (since, f"company:{company.id}", known)
