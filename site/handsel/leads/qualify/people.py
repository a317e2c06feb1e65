"""Leads as the rules see them: what is believed of each one, and what they did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.accounts.models import Account
from handsel.leads.models import Company, Lead, LeadOffer, LeadTag
from handsel.leads.qualify.facts import gathered
from handsel.leads.qualify.looking import Look, mailboxes_of
from handsel.leads.stages.models import LeadBant
from handsel.rules.person import Fact, Person

Facts = Mapping[int, tuple[Fact, ...]]
OF_COMPANY = {"company_size": "size", "industry": "industry", "revenue": "revenue", "company_country": "country"}


def people(session: Session, leads: Iterable[Lead], at: datetime) -> dict[int, Person]:
    """Each lead as a person, at ``at``; what was not known or had not happened by then is left out of the facts."""
    leads = list(leads)
    mailboxes = mailboxes_of(session, [lead.id for lead in leads])
    facts = {lead: tuple(fact for fact in did if fact.at <= at) for lead, did in gathered(session, mailboxes).items()}
    return _made(session, leads, mailboxes, facts)


def seen(look: Look) -> dict[int, Person]:
    """The leads in hand as they stand in the middle of a look; their facts are not read again."""
    look.session.flush()
    return _made(look.session, look.leads.values(), look.mailboxes, look.facts)


def _made(session: Session, leads: Iterable[Lead], mailboxes: Mapping[int, int], facts: Facts) -> dict[int, Person]:
    leads = list(leads)
    tags, offers = _words(session, LeadTag.tag, mailboxes), _words(session, LeadOffer.offer, mailboxes)
    owners = _named(session, Account.email, Account.id, {lead.owner_id for lead in leads if lead.owner_id})
    companies = {company.id: company for company in session.scalars(select(Company).where(
        Company.id.in_({lead.company_id for lead in leads if lead.company_id})))} if any(
        lead.company_id for lead in leads) else {}
    met = {lead_id: number for lead_id, number in session.execute(
        select(LeadBant.lead_id, func.count()).where(LeadBant.lead_id.in_([lead.id for lead in leads]), LeadBant.met)
        .group_by(LeadBant.lead_id))}
    made = {}
    for lead in leads:
        values = _values(lead) | {
            "tag": tags[lead.id], "offer": offers[lead.id], "owner": owners.get(lead.owner_id or 0, ""),
            "bant": met.get(lead.id, 0)}
        company = companies.get(lead.company_id or 0)
        if company is not None:
            values |= {name: value for name, column in OF_COMPANY.items() if (value := getattr(company, column))}
        made[lead.id] = Person(lead.id, values, facts.get(lead.id, ()))
    return made


def _values(lead: Lead) -> dict[str, Any]:
    return dict(lead.custom) | {
        "email": lead.email, "domain": lead.email.rpartition("@")[2], "name": lead.name, "company": lead.company,
        "job_title": lead.job_title, "phone": lead.phone, "country": lead.country, "stage": lead.stage,
        "stage_since": lead.stage_at, "score": lead.score, "fit": lead.fit, "interest": lead.interest,
        "quality": None if lead.quality is None else lead.quality / 10, "source": lead.source,
        "consent": frozenset(filter(None, lead.consent_text.split(", "))), "captured": lead.captured_at,
        "confirmed": lead.confirmed_at, "last_form": lead.last_capture_at, "last_act": lead.acted_at,
        "unsubscribed": lead.unsubscribed_at is not None}


def _words(session: Session, column: Any, mailboxes: Mapping[int, int]) -> defaultdict[int, frozenset[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    for mailbox, word in session.execute(select(column.class_.lead_id, column).where(
            column.class_.lead_id.in_(sorted(mailboxes)))):
        found[mailboxes[mailbox]].add(word)
    return defaultdict(frozenset, {lead: frozenset(words) for lead, words in found.items()})


def _named(session: Session, column: Any, key: Any, wanted: set[int]) -> dict[int, str]:
    if not wanted:
        return {}
    return {id_: name for id_, name in session.execute(select(key, column).where(key.in_(wanted)))}
