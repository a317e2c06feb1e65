"""The part of a look that finds each lead's company, and learns what its people say about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from handsel.db import insert_or
from handsel.leads.companies.domains import company_domain
from handsel.leads.models import Capture, Company, Lead
from handsel.leads.profile import HAND
from handsel.leads.qualify.looking import Look

ANSWERS = {"company_size": "size", "industry": "industry", "revenue": "revenue", "company_country": "country",
           "company": "name"}
"""Answers of people that are about their company, each with its column there."""
AT_THE_DESK = "at the desk: "
"""How the source of what somebody put down about the company itself begins; what they put down about one of its people
is only what that person's answers say."""
LARGEST = {"size": 10_000_000, "revenue": 10**15}
SIZES = {"name": 200, "industry": 80, "country": 80}


def place(seen: Look) -> None:
    """Let each lead have the company of its mail domain; of several mailboxes, the first that has one."""
    domains = _domains(seen)
    companies = _companies(seen, set(domains.values()))
    for head, lead in seen.leads.items():
        company = companies.get(domains.get(head, ""))
        lead.company_id = company.id if company else None
        if company is not None and not company.source.startswith(AT_THE_DESK):
            _learn(company, seen.captures.get(head, ()))


def _domains(seen: Look) -> dict[int, str]:
    """By lead the mail domain that stands for its company."""
    found = {head: domain for head, lead in seen.leads.items() if (domain := company_domain(lead.email))}
    others = {id_: head for id_, head in seen.mailboxes.items() if id_ != head and head not in found}
    if others:
        for id_, email in seen.session.execute(select(Lead.id, Lead.email).where(Lead.id.in_(list(others)))
                                               .order_by(Lead.id)):
            if domain := company_domain(email):
                found.setdefault(others[id_], domain)
    return found


def _companies(seen: Look, domains: set[str]) -> dict[str, Company]:
    """The companies of these domains, made where there are none, held until the transaction ends."""
    if not domains:
        return {}
    session = seen.session
    known = set(session.scalars(select(Company.domain).where(Company.domain.in_(domains))))
    new = [{"domain": domain, "at": seen.at, "name": "", "industry": "", "country": "", "source": ""}
           for domain in sorted(domains - known)]
    if new:
        session.execute(insert_or(Company, session.get_bind().dialect.name).on_conflict_do_nothing(), new)
    found = session.scalars(select(Company).where(Company.domain.in_(domains)).order_by(Company.id).with_for_update())
    return {company.domain: company for company in found}


def _learn(company: Company, captures: Iterable[Capture]) -> None:
    """Take over what was said of the company, and not only claimed, since anybody last said something."""
    for capture in captures:
        if capture.proven_at is None and capture.form not in {HAND, "import"}:
            continue
        said = {column: value for name, column in ANSWERS.items()
                if (value := fitting(column, capture.answers.get(name))) not in (None, "")}
        if not said or (company.source and capture.at < company.at):
            continue
        for column, value in said.items():
            if column != "name" or not company.name:  # people spell it in many ways; the first one will do
                setattr(company, column, value)
        if said.keys() - {"name"} or not company.source:
            company.at, company.source = capture.at, _source(capture)


def _source(capture: Capture) -> str:
    return (capture.source if capture.form in {HAND, "import"} else f"form:{capture.form}")[:120]


def fitting(column: str, value: Any) -> Any:
    """``value`` as the column of a company holds it; None when it does not fit."""
    if column in SIZES:
        return " ".join(str(value).split())[: SIZES[column]] if isinstance(value, str) else None
    try:
        number = int(value) if value is not None and not isinstance(value, bool | list) else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and 0 <= number <= LARGEST[column] else None


def edit(company: Company, said: dict[str, Any], who: str, at: datetime) -> list[str]:
    """Put down by hand what is known of the company; the names of the columns that are different now."""
    changed = [name for name, value in said.items() if getattr(company, name) != value]
    for name in changed:
        setattr(company, name, said[name])
    if changed:
        company.at, company.source = at, f"{AT_THE_DESK}{who}"[:120]
    return changed
