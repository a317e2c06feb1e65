"""What was said of a lead, correcting it by hand, and putting down a new lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from handsel import clock
from handsel.db import db, writing
from handsel.desk import only, person
from handsel.errors import HandselError
from handsel.forms.library import Field
from handsel.leads import answers, by_hand
from handsel.leads.address import normalised
from handsel.leads.models import Lead
from handsel.leads.qualify.looking import look
from handsel.leads.questions import COMPANY, PROFILE, custom, in_words
from handsel.leads.told import questions_of
from handsel.offers.live import current
from handsel.sales.leads import bp

UNSAID = "unsaid"
"""What stands for no answer where yes and no are two others."""


def panel(lead: Lead) -> Mapping[str, Any]:
    """For _answers and _facts: where somebody said something else than what stands, and the custom fields."""
    questions = questions_of(db.session(), current(), lead)
    own = [(question.field.label, question.answer) for question in questions
           if question.field.name in lead.custom and question.answer and question.field.name not in COMPANY]
    return {"differing": [question for question in questions if question.differs], "own_answers": own}


@bp.get("/leads/<int:lead_id>/answers")
def told(lead_id: int) -> ResponseReturnValue:
    """Every question with what stands and what else was said; those who may can correct it."""
    lead = db.get_or_404(Lead, lead_id)
    return _page(lead, {name: _typed_as(field, _value(lead, field)) for name, field in _fields(lead).items()}, {}, 200)


@bp.post("/leads/<int:lead_id>/answers")
@only("sales", "owner")
def correct(lead_id: int) -> ResponseReturnValue:
    """Put down what is different from what stands."""
    lead = db.get_or_404(Lead, lead_id)
    fields = _fields(lead)
    typed = {name: _typed(field) for name, field in fields.items()}
    changed = {name: text for name, text in typed.items()
               if f"f-{name}" in request.form and text != _typed_as(fields[name], _value(lead, fields[name]))}
    said, wrong = _read(fields, changed)
    if wrong:
        return _page(lead, typed, wrong, 422)
    if said:
        with writing() as write:
            by_hand.correct(write, write.get_one(Lead, lead_id), said, person().actor, clock.now())
            look(write, current(), [lead_id], clock.now())
        flash("Put down. What was said before stays in the history.", "good")
    return redirect(url_for("leads.lead", lead_id=lead_id), 303)


@bp.get("/leads/new")
@only("sales", "owner")
def new() -> ResponseReturnValue:
    """An empty form for somebody who asked by telephone or at a fair."""
    return _new({}, {}, 200)


@bp.post("/leads/new")
@only("sales", "owner")
def create() -> ResponseReturnValue:
    """Put down a new lead."""
    fields = _fields(None)
    typed = {name: _typed(field) for name, field in fields.items()} | {"email": request.form.get("f-email", "").strip()}
    said, wrong = _read(fields, {name: text for name, text in typed.items() if text and name != "email"})
    if not typed["email"]:
        wrong = {"email": "Write down the address: it tells one lead from another."} | wrong
    if wrong:
        return _new(typed, wrong, 422)
    try:
        with writing() as write:
            lead = by_hand.create(write, str(typed["email"]), said, person().actor, clock.now())
            look(write, current(), [lead.id], clock.now())
            lead_id = lead.id
    except HandselError as error:
        return _new(typed, {"email": f"{error.what} {error.do}"}, 422)
    return redirect(url_for("leads.lead", lead_id=lead_id), 303)


def _page(lead: Lead, typed: Mapping[str, Any], wrong: Mapping[str, str], status: int) -> ResponseReturnValue:
    questions = questions_of(db.session(), current(), lead)
    return render_template("desk/answers.html", lead=lead, questions=questions, fields=_fields(lead), typed=typed,
                           wrong=wrong, UNSAID=UNSAID), status


def _new(typed: Mapping[str, Any], wrong: Mapping[str, str], status: int) -> ResponseReturnValue:
    found = None
    if "email" in wrong and typed.get("email"):
        found = db.session.scalars(select(Lead).where(Lead.email == normalised(str(typed["email"])))).first()
    return render_template("desk/lead-new.html", fields=_fields(None), typed=typed, wrong=wrong, found=found,
                           UNSAID=UNSAID), status


def _fields(lead: Lead | None) -> dict[str, Field]:
    """The questions that can be answered by hand: those of the company have a page of their own."""
    given = lead.custom if lead is not None else {}
    fields = PROFILE | {name: field for name, field in custom(current()).items() if name not in COMPANY}
    return fields | {name: Field(name, "text", in_words(name)) for name in sorted(given)
                     if name not in fields and name not in COMPANY}


def _value(lead: Lead, field: Field) -> Any:
    return getattr(lead, field.name) if field.name in PROFILE else lead.custom.get(field.name)


def _typed(field: Field) -> Any:
    """What came of a field: a list of choices, or a text."""
    if field.type == "checkboxes":
        return request.form.getlist(f"f-{field.name}")[1:]  # the first is empty, so that none can be chosen
    return answers.tidy(request.form.get(f"f-{field.name}", ""))


def _typed_as(field: Field, value: Any) -> Any:
    """An answer as the form shows it."""
    if field.type == "checkboxes":
        return list(value) if isinstance(value, list | tuple) else [str(value)] if value else []
    if field.type == "checkbox":
        return UNSAID if value is None else "yes" if value else "no"
    return "" if value is None else str(value)


def _read(fields: Mapping[str, Field], typed: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The answers, None for one taken away, and what could not be read."""
    said: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, given in typed.items():
        field = fields[name]
        if given in ("", [], UNSAID):
            said[name] = None
            continue
        try:
            kind = "text" if field.type == "hidden" else field.type
            said[name] = answers.READERS[kind](given == "yes" if kind == "checkbox" else given, field)
        except ValueError as mistake:
            wrong[name] = str(mistake)
    return said, wrong
