"""Leads as the rules see them: what is believed of each one, and what they did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.accounts.models import Account
from handsel.leads.believing import believed
from handsel.leads.models import Capture, Company, Lead, LeadOffer, LeadTag
from handsel.leads.profile import HAND, IMPORT
from handsel.leads.qualify.facts import SHOWING, gathered
from handsel.leads.qualify.looking import Look, mailboxes_of
from handsel.leads.stages.models import LeadBant
from handsel.rules.person import Fact, Person, Told

Facts = Mapping[int, tuple[Fact, ...]]
OF_COMPANY = {"company_size": "size", "industry": "industry", "revenue": "revenue", "company_country": "country"}


def people(session: Session, leads: Iterable[Lead], at: datetime) -> dict[int, Person]:
    """Each lead as a person, as is believed now; facts that lie after ``at`` are left out."""
    leads = list(leads)
    mailboxes = mailboxes_of(session, [lead.id for lead in leads])
    facts = {lead: tuple(fact for fact in did if fact.at <= at) for lead, did in gathered(session, mailboxes).items()}
    captures: defaultdict[int, list[Capture]] = defaultdict(list)
    for capture in session.scalars(select(Capture).where(Capture.lead_id.in_(sorted(mailboxes)))
                                   .order_by(Capture.at, Capture.id)):
        captures[mailboxes[capture.lead_id]].append(capture)
    return _made(session, leads, facts, captures)


def seen(look: Look) -> dict[int, Person]:
    """The leads in hand as they stand in the middle of a look; what they did and said is not read again."""
    look.session.flush()
    return _made(look.session, look.leads.values(), look.facts, look.captures)


def _made(session: Session, leads: Iterable[Lead], facts: Facts,
          captures: Mapping[int, Iterable[Capture]]) -> dict[int, Person]:
    leads = list(leads)
    ids = [lead.id for lead in leads]
    tags, offers = _words(session, LeadTag.tag, ids), _words(session, LeadOffer.offer, ids)
    owners = _named(session, Account.email, Account.id, {lead.owner_id for lead in leads if lead.owner_id})
    companies = _companies(session, {lead.company_id for lead in leads if lead.company_id})
    met = _bant(session, ids)
    made = {}
    for lead in leads:
        number, answered_at = met.get(lead.id, (0, None))
        values = _values(lead) | {"tag": tags[lead.id], "offer": offers[lead.id],
                                  "owner": owners.get(lead.owner_id or 0, ""), "bant": number}
        did = facts.get(lead.id, ())
        told = _said(captures.get(lead.id, ())) | _known(lead, did)
        company = companies.get(lead.company_id or 0)
        if company is not None:
            of_company = {name: value for name, column in OF_COMPANY.items() if (value := getattr(company, column))}
            values |= of_company
            told |= dict.fromkeys(of_company, Told(company.at, f"company:{company.id}"))
        if answered_at is not None:
            told["bant"] = Told(answered_at, "")
        shown = lead.confirmed_at is not None or is_shown(did, (one.form for one in captures.get(lead.id, ())))
        made[lead.id] = Person(lead.id, values, did, told, shown)
    return made


def is_shown(facts: Iterable[Fact], forms: Iterable[str]) -> bool:
    """Whether an act of their own, a seller or a file shows that somebody is behind an address that nobody proved."""
    return any(fact.kind in SHOWING for fact in facts) or any(form in {HAND, IMPORT} for form in forms)


def _companies(session: Session, wanted: set[int]) -> dict[int, Company]:
    if not wanted:
        return {}
    return {company.id: company for company in session.scalars(select(Company).where(Company.id.in_(wanted)))}


def _bant(session: Session, lead_ids: list[int]) -> dict[int, tuple[int, datetime | None]]:
    """How many of the four answers speak for a sale, and when the newest of them came."""
    rows = session.execute(select(LeadBant.lead_id, func.count(), func.max(LeadBant.at)).where(
        LeadBant.lead_id.in_(lead_ids), LeadBant.met).group_by(LeadBant.lead_id))
    return {lead_id: (number, at) for lead_id, number, at in rows}


def _said(captures: Iterable[Capture]) -> dict[str, Told]:
    """Which capture said last what stands now. Once a mailbox is proven, claims say nothing; sellers' words do."""
    captures = list(captures)
    counts = any(capture.proven_at is not None for capture in captures)
    told: dict[str, Told] = {}
    for capture in captures:
        if capture.proven_at is None and capture.form != HAND and counts:
            continue
        since = Told(max(capture.at, capture.proven_at or capture.at), f"capture:{capture.id}")
        told |= {name: since for name, value in capture.answers.items() if value not in ("", [])}
    return told


def _known(lead: Lead, facts: tuple[Fact, ...]) -> dict[str, Told]:
    known = {"captured": lead.captured_at, "confirmed": lead.confirmed_at, "last_form": lead.last_capture_at,
             "stage": lead.stage_at, "stage_since": lead.stage_at}
    told = {name: Told(at, "") for name, at in known.items() if at is not None}
    if facts:
        newest = Told(facts[-1].at, facts[-1].ref)
        told |= {"last_act": newest, "score": newest, "interest": newest}
    return told


def _values(lead: Lead) -> dict[str, Any]:
    return dict(lead.custom) | {
        "email": lead.email, "domain": lead.email.rpartition("@")[2], "name": lead.name, "company": lead.company,
        "job_title": lead.job_title, "phone": lead.phone, "country": lead.country, "stage": lead.stage,
        "stage_since": lead.stage_at, "score": lead.score, "fit": lead.fit, "interest": lead.interest,
        "quality": None if lead.quality is None else lead.quality / 10, "source": lead.source,
        "consent": frozenset(filter(None, lead.consent_text.split(", "))), "captured": lead.captured_at,
        "confirmed": lead.confirmed_at, "last_form": lead.last_capture_at, "last_act": lead.acted_at,
        "unsubscribed": lead.unsubscribed_at is not None}


def _words(session: Session, column: Any, lead_ids: list[int]) -> defaultdict[int, frozenset[str]]:
    """Tags or offers: the lead itself has those of its other mailboxes too, as long as they belong to it."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    for lead_id, word in session.execute(select(column.class_.lead_id, column).where(
            column.class_.lead_id.in_(lead_ids), believed(column.class_))):
        found[lead_id].add(word)
    return defaultdict(frozenset, {lead: frozenset(words) for lead, words in found.items()})


def _named(session: Session, column: Any, key: Any, wanted: set[int]) -> dict[int, str]:
    if not wanted:
        return {}
    return {id_: name for id_, name in session.execute(select(key, column).where(key.in_(wanted)))}
