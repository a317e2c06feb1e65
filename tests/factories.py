"""Valid things with few words: a test says only what is special about its own.

Every factory commits, because the application under test reads on connections of its own.
"""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select

from handsel import clock
from handsel.accounts.audit import Actor
from handsel.accounts.models import Account
from handsel.db import writing
from handsel.experiments import evaluate
from handsel.experiments.models import (
    Arm,
    Exclusion,
    Experiment,
    ExperimentEvent,
    ExperimentLook,
    ExperimentPeriod,
)
from handsel.experiments.trial import Cell, Period, Plan
from handsel.experiments.verdict import judge
from handsel.forms.library import wording_hash
from handsel.leads.handoff.models import Task
from handsel.leads.layouts.models import ExportLayout
from handsel.leads.listing import acts, words
from handsel.leads.listing.models import LeadAct, SavedView
from handsel.leads.models import Capture, Company, Consent, Grant, Lead, LeadImport, LeadOffer, LeadTag, Wording
from handsel.mail.models import Message
from handsel.traffic.models import Hit

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday: where the ``clock`` fixture stands at first."""

_number = count(1)


def _key() -> str:
    return secrets.token_urlsafe(16)


def make_lead(tags: tuple[str, ...] = (), offers: tuple[str, ...] = (), **fields: Any) -> Lead:
    """A lead with a proven mailbox. ``tags``, ``offers`` and its words also stand in their own tables."""
    at = fields.get("captured_at", clock.now())
    number = next(_number)
    lead = Lead(**{
        "key": _key(), "email": f"lead{number}@example.org", "address": f"lead{number}@example.org", "captured_at": at,
        "last_capture_at": at, "confirmed_at": at, "tags_text": ", ".join(sorted(tags)),
        "offers_text": ", ".join(sorted(offers)),
    } | ({"address": fields["email"]} if "email" in fields else {}) | fields)
    with writing() as session:
        session.add(lead)
        session.flush()
        session.add_all([LeadTag(lead_id=lead.id, tag=tag, at=at) for tag in tags])
        session.add_all([LeadOffer(lead_id=lead.id, offer=offer, at=at) for offer in offers])
        words.write(session, {lead.id: lead} if lead.merged_into_id is None else {})
    return lead


def make_words() -> None:
    """The words of all leads, for leads that were put into their table in bulk."""
    with writing() as session:
        words.write(session, {lead.id: lead for lead in session.scalars(
            select(Lead).where(Lead.merged_into_id.is_(None)))})


def make_company(**fields: Any) -> Company:
    """A company of which nothing but its mail domain is known."""
    company = Company(**{"domain": f"company{next(_number)}.example", "at": clock.now()} | fields)
    with writing() as session:
        session.add(company)
    return company


def make_act(lead: Lead | None = None, wish: acts.Wish | None = None) -> LeadAct:
    """Something done to a lead from a list by somebody: a tag, unless said otherwise."""
    lead = lead or make_lead()
    with writing() as session:
        act = acts.do(session, [lead.id], wish or acts.Wish("tag", "from-a-list"), actor=Actor("somebody"),
                      at=clock.now())
    assert act is not None
    return act


def make_view(**fields: Any) -> SavedView:
    """A view of the list of leads that a seller keeps."""
    account_id = fields.pop("account_id", None) or make_account("sales").id
    view = SavedView(**{"account_id": account_id, "name": "Hot", "query": "sort=score", "at": clock.now()} | fields)
    with writing() as session:
        session.add(view)
    return view


def make_capture(lead: Lead | None = None, **fields: Any) -> Capture:
    """A proven capture of the sample's e-book offer."""
    lead = lead or make_lead()
    at = fields.get("at", clock.now())
    capture = Capture(**{
        "key": _key(), "once": secrets.token_urlsafe(24), "lead_id": lead.id, "offer": "guide", "form": "short",
        "variant": "a", "page": "/offers/guide/", "answers": {"email": lead.email}, "email": lead.email, "at": at,
        "proven_at": at,
    } | fields)
    with writing() as session:
        session.add(capture)
    return capture


def make_task(lead: Lead | None = None, **fields: Any) -> Task:
    """Something that is to be done about a lead, due now."""
    lead = lead or make_lead()
    at = clock.now()
    task = Task(**{"once": _key(), "lead_id": lead.id, "title": "Call", "due_at": at, "made_at": at} | fields)
    with writing() as session:
        session.add(task)
    return task


def make_grant(lead: Lead | None = None, **fields: Any) -> Grant:
    """A right to fetch the sample's guide, good for seven days and five times."""
    lead = lead or make_lead()
    at = clock.now()
    grant = Grant(**{
        "key": _key(), "lead_id": lead.id, "offer": "guide", "created_at": at, "expires_at": at + timedelta(days=7),
        "uses_left": 5,
    } | fields)
    with writing() as session:
        session.add(grant)
    return grant


def make_consent(lead: Lead, purpose: str = "advice", **fields: Any) -> Consent:
    """A consent that was given on a form and confirmed."""
    words = f"Yes, write to me about {purpose}."
    hash_ = fields.pop("wording_hash", None) or wording_hash(purpose, "en", words)
    consent = Consent(**{
        "lead_id": lead.id, "purpose": purpose, "state": "confirmed", "wording_hash": hash_, "way": "form",
        "at": clock.now(),
    } | fields)
    with writing() as session:
        session.merge(Wording(hash=hash_, purpose=purpose, language="en", text=words))
        session.flush()
        session.add(consent)
    return consent


def make_message(lead: Lead | None = None, **fields: Any) -> Message:
    """A letter to a lead that is due now."""
    lead = lead or make_lead()
    at = fields.get("due_at", clock.now())
    message = Message(**{
        "key": _key(), "once": f"test-{next(_number)}", "kind": "letter", "lead_id": lead.id, "offer": "guide",
        "step": "01-first", "topic": "advice", "due_at": at, "first_due_at": at, "give_up_at": at + timedelta(days=3),
        "created_at": at,
    } | fields)
    with writing() as session:
        session.add(message)
    return message


def make_hit(**fields: Any) -> Hit:
    """A view of the sample's landing page."""
    hit = Hit(**{"at": clock.now(), "kind": "view", "path": "/offers/guide/", "offer": "guide", "variant": "a",
                 "visitor": _key()} | fields)
    with writing() as session:
        session.add(hit)
    return hit


def make_account(role: str = "owner", **fields: Any) -> Account:
    """A person of the desk, with no password yet."""
    account = Account(**{"email": f"{role}{next(_number)}@example.org", "name": role.title(), "role": role,
                         "created_at": clock.now()} | fields)
    with writing() as session:
        session.add(account)
    return account


def make_experiment(arms: dict[str, tuple[int, int]] | None = None, *, periods: tuple[dict[str, Any], ...] = (),
                    looks: tuple[dict[str, Any], ...] = (), events: tuple[dict[str, Any], ...] = (),
                    excluded: dict[str, int] | None = None, **fields: Any) -> Experiment:
    """A running experiment on the sample's e-book, with counts but without the facts behind them.

    ``arms`` maps variants to (visitors, conversions), or (visitors, conversions, total, squares), of the first period;
    a period of ``periods`` may bring ``arms`` of its own. The result is what the evaluator says of the counts on a
    daily look, unless ``result`` is given. A look of ``looks`` has a ``day`` and ``arms``.
    """
    arms = arms or {"a": (1000, 30), "b": (1000, 40)}
    variants = fields.pop("variants", list(arms))
    started = fields.pop("started_at", clock.now() - timedelta(days=10))
    even = [100 / len(variants)] * len(variants)
    first, *more = periods or ({},)
    stretches: list[dict[str, Any]] = [
        {"weights": even, "begins_at": started, "ends_at": None, "why": ""} | stretch
        for stretch in ({"arms": arms} | first, *({"arms": {}} | each for each in more))]
    cells = [[_cell(stretch["arms"].get(name, (0, 0))) for name in variants] for stretch in stretches]
    plan = fields.get("plan")
    judged = evaluate.answer(judge(
        None if plan is None else Plan(**plan | {"weights": tuple(plan["weights"])}),
        [Period(tuple(stretch["weights"]), stretch["begins_at"], stretch["ends_at"]) for stretch in stretches], cells,
        now=clock.now()))
    state = judged.pop("state")
    experiment = Experiment(**{
        "offer": "guide", "goal": "capture", "hypothesis": "A shorter headline brings more readers.",
        "variants": variants, "started_at": started, "versions": {name: f"{name}" * 64 for name in variants},
        "state": state, "result": judged, "looked_at": clock.now(), "daily_on": clock.now().date(),
    } | fields)
    with writing() as session:
        session.add(experiment)
        session.flush()
        for stretch, row in zip(stretches, cells, strict=True):
            period = ExperimentPeriod(experiment_id=experiment.id, **{
                name: value for name, value in stretch.items() if name != "arms"})
            session.add(period)
            session.flush()
            session.add_all(Arm(period_id=period.id, variant=name, visitors=cell.visitors, conversions=cell.conversions,
                                total=cell.total, squares=cell.squares)
                            for name, cell in zip(variants, row, strict=True))
        session.add_all(Exclusion(experiment_id=experiment.id, reason=reason, number=number)
                        for reason, number in (excluded or {}).items())
        session.add_all(ExperimentEvent(**{"experiment_id": experiment.id, "at": clock.now()} | event)
                        for event in ({"kind": "started", "at": started}, *events))
        session.add_all(_look(experiment, look) for look in looks)
    return experiment


def _cell(numbers: tuple[float, ...]) -> Cell:
    return Cell(*numbers) if len(numbers) == 4 else Cell(numbers[0], numbers[1])


def _look(experiment: Experiment, look: dict[str, Any]) -> ExperimentLook:
    """The daily look of a day, judged on its own counts alone."""
    day: date = look["day"]
    at = datetime.combine(day, time(), UTC)
    cells = [_cell(look["arms"].get(name, (0, 0))) for name in experiment.variants]
    even = (1.0,) * len(cells)
    plan = experiment.plan
    judged = evaluate.answer(judge(None if plan is None else Plan(**plan | {"weights": tuple(plan["weights"])}),
                                   [Period(even, experiment.started_at)], [cells], now=at))
    del judged["state"]
    return ExperimentLook(experiment_id=experiment.id, day=day, at=at, result=judged | {
        "counts": [list(cell) for cell in cells]} | look.get("result", {}))


def make_import(**fields: Any) -> LeadImport:
    """A file of leads that was brought in on the command line."""
    done = LeadImport(**{"at": clock.now(), "fingerprint": f"{next(_number):064}", "file": "fair.csv", "state": "done",
                         "finished_at": clock.now(), "options": {"columns": ["email"], "tags": [], "offer": "",
                                                                 "wordings": {}, "proven": False}} | fields)
    with writing() as session:
        session.add(done)
    return done


def make_layout(**fields: Any) -> ExportLayout:
    """A layout of exports that is shared."""
    layout = ExportLayout(**{"name": f"layout {next(_number)}", "shared": True, "columns": [["email", ""]],
                             "at": clock.now()} | fields)
    with writing() as session:
        session.add(layout)
    return layout
