"""Companies at the desk: the list, one company with its leads, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, or_, select

from handsel import clock
from handsel.accounts import audit
from handsel.db import db, writing
from handsel.desk import only, person
from handsel.desk.turning import Turn
from handsel.leads import answers
from handsel.leads.companies.looking import ANSWERS, LARGEST, edit
from handsel.leads.models import Company, Lead
from handsel.leads.questions import COMPANY
from handsel.leads.similar import similar
from handsel.offers.live import current
from handsel.sales.leads import bp

FIELDS = {"name": "Name"} | {ANSWERS[name]: field.label for name, field in COMPANY.items()}
"""What can be said of a company, in words."""
QUESTIONS = {ANSWERS[name]: field for name, field in COMPANY.items()}


def panel(lead: Lead) -> Mapping[str, Any]:
    """For _company and _similar: the company, and who is like this lead."""
    session = db.session()
    company = session.get(Company, lead.company_id) if lead.company_id is not None else None
    return {"company": company, "similar": similar(session, lead), "company_rows": _rows(company)}


def _rows(company: Company | None) -> list[tuple[str, Any]]:
    """What is known of a company, in words."""
    if company is None:
        return []
    found = [(label, getattr(company, name)) for name, label in FIELDS.items() if name != "name"]
    return [(label, value) for label, value in found if value not in ("", None)]


@bp.get("/companies")
def companies() -> ResponseReturnValue:
    """The list: searched by name and domain, 50 a page, the latest first."""
    words = request.args.get("search", "").replace("\0", "").strip()[:200]
    query = select(Company)
    for word in words.split()[:8]:
        query = query.where(or_(Company.name.icontains(word, autoescape=True),
                                Company.domain.contains(word.lower(), autoescape=True)))
    page = Turn.asked(request.args).take(db.session(), query, Company.id)
    ids = [company.id for company in page.rows]
    counted = db.session.execute(select(Lead.company_id, func.count()).where(
        Lead.company_id.in_(ids), Lead.merged_into_id.is_(None)).group_by(Lead.company_id))
    number: dict[int | None, int] = {id_: leads for id_, leads in counted}
    return render_template("desk/companies.html", page=page, number_of=number, search=words)


@bp.get("/companies/<int:company_id>")
def company(company_id: int) -> ResponseReturnValue:
    """One company: what is known of it, and its leads."""
    found = db.get_or_404(Company, company_id)
    return _page(found, {name: _typed_as(getattr(found, name)) for name in FIELDS}, {}, 200)


@bp.post("/companies/<int:company_id>")
@only("sales", "owner")
def describe(company_id: int) -> ResponseReturnValue:
    """Put down what is known of it."""
    found = db.get_or_404(Company, company_id)
    typed = {name: answers.tidy(request.form.get(name, "")) for name in FIELDS}
    said, wrong = _read(typed)
    if wrong:
        return _page(found, typed, wrong, 422)
    with writing() as write:
        held = write.get_one(Company, company_id, with_for_update=True)
        changed = edit(held, said, person().actor.name, clock.now())
        if changed:
            audit.record(write, "described a company", person().actor, f"company:{held.id}",
                         {"fields": changed})
    if changed:
        flash("Put down.", "good")
    return redirect(url_for("leads.company", company_id=company_id), 303)


def _page(found: Company, typed: Mapping[str, str], wrong: Mapping[str, str], status: int) -> ResponseReturnValue:
    query = select(Lead).where(Lead.company_id == found.id, Lead.merged_into_id.is_(None))
    page = Turn.asked(request.args).take(db.session(), query, Lead.id)
    return render_template("desk/company.html", company=found, page=page, typed=typed, wrong=wrong, fields=FIELDS,
                           now=clock.now(), rows=_rows(found), currency=current().site.currency), status


def _typed_as(value: Any) -> str:
    return "" if value is None else str(value)


def _read(typed: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """What was typed as the columns hold it, and what could not be read."""
    said: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, text in typed.items():
        column = Company.__table__.columns[name]
        longest = getattr(column.type, "length", None)
        if longest is not None:
            said[name] = " ".join(text.split())
            if len(said[name]) > longest:
                wrong[name] = f"Shorten this to {longest} characters."
        elif not text:
            said[name] = None
        else:
            try:
                number = answers.READERS["number"](text, QUESTIONS[name])
                said[name] = int(number)
            except ValueError as mistake:
                wrong[name] = str(mistake)
    wrong |= {name: f"Enter a number of {most:,} or less." for name, most in LARGEST.items()
              if (said.get(name) or 0) > most}
    return said, wrong
