"""The register of processing (GDPR article 30), from the settings, files and tables of this very installation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Table

from handsel.db import Base
from handsel.forms.schema import RECOGNITION
from handsel.leads.privacy import schema, traces
from handsel.leads.privacy.keeping import of_table, rules
from handsel.leads.privacy.parcel import STAFF
from handsel.offers.project import Project

WITH_THE_LEAD = "As long as the lead."
PURPOSES = {
    "lead": "Who asked for something, as lists show them", "capture": "What somebody sent with a form",
    "consent": "What somebody agreed to or took back", "download_grant": "The right to fetch a file",
    "download": "That a file was fetched", "message": "Mail to a person", "attempt": "What the mail server answered",
    "coupon": "Codes that were given", "attendance": "Who came to an event", "lead_tag": "What a lead is sorted under",
    "lead_offer": "What a lead asked for", "lead_fact": "What a lead did, as rules read it",
    "lead_word": "Words by which a search finds a lead", "lead_bant": "Budget, authority, need and timeline, as known",
    "bant_answer": "What sales learned about budget, authority, need and timeline",
    "stage_change": "How far a lead is, and why", "sale": "What a lead bought", "handoff": "That sales got a lead",
    "assignment": "Who looks after a lead", "activity": "Notes, calls, meetings and mails of sales",
    "task": "What sales means to do", "page_visit": "Visits of who agreed to be recognised",
    "letter_click": "Links that were followed in mails", "product_event": "What was done in the product",
    "known_visitor": "Browsers of who agreed to be recognised", "imported": "Which file a lead came with",
    "export_seen": "Whether a lead changed since the last export", "lead_act_item": "What an act on a list changed",
    "conversion": "That a form counted for a test", "suppression": "Addresses that get no mail, as hashes",
    "gone_mail": "Mails to an address that was corrected, as hashes", "visitor": "How a visit of today began",
    "hit": "Pages that were looked at, without a name", "exposure": "Which variant a visitor saw, without a name",
    "enrolment": "Which variant a visitor counts for, without a name", "audit_entry": "What was done at the desk",
    "company": "Who is behind a mail domain", "import_refusal": "Rows of a file that could not be taken",
    "wording": "The words that were agreed to",
}
"""What each table that tells of people is for; a test says that none is missing."""
GROUNDS = {
    "The delivery of what was asked for, and answers to questions": "6 (1) (b), steps at the person's request",
    "Letters, and being recognised": "6 (1) (a), consent",
    "Knowing which offers work, keeping robots out, the record of what was done": "6 (1) (f), legitimate interest",
    "Proof of consents, and addresses that get no mail": "6 (1) (c), legal duty",
}

Register = dict[str, Any]


def register(project: Project, settings: Mapping[str, Any]) -> Register:
    """The register, ready for JSON. ``settings`` are the application's."""
    site = project.site
    controller = site.controller
    return {
        "controller": {"name": controller.name, "address": controller.address, "email": str(controller.email)}
        if controller else None,
        "site": site.name, "privacy notice": site.privacy,
        "grounds": GROUNDS,
        "purposes": dict(site.topics) | ({RECOGNITION: "Being recognised by a cookie"} if _recognises(project) else {}),
        "forms": {name: {"asks": {field.name: field.label for field in form.fields},
                         "consents": {box.purpose: box.text for box in form.consents}}
                  for name, form in sorted(project.forms.items())},
        "receivers": list(_receivers(settings)),
        "keeping": [rule.words for rule in rules(site)],
        "tables": {table.name: _table(project, table) for table in _about_people()},
        "not about visitors": dict(sorted(traces.NOBODY.items())),
    }


def _recognises(project: Project) -> bool:
    return any(box.purpose == RECOGNITION for form in project.forms.values() for box in form.consents)


def _about_people() -> Iterator[Table]:
    for name in sorted({*schema.hanging(), *traces.TRACES}):
        yield Base.metadata.tables[name]


def _table(project: Project, table: Table) -> dict[str, Any]:
    hanging = table.name in schema.hanging()
    return {"for": PURPOSES.get(table.name, "?"), "columns": [column.name for column in table.columns],
            "kept": of_table(project.site, table.name) or ([WITH_THE_LEAD] if hanging else ["Until it is erased."]),
            "names staff": sorted(column.name for column in table.columns if column.name in STAFF)}


def _receivers(settings: Mapping[str, Any]) -> Iterator[str]:
    """Who else gets personal data, by the settings."""
    kinds = {"MAIL_URL": "the mail server", "DATABASE_URL": "the database server",
             "REDIS_URL": "the server of the limits",
             "STORAGE_URL": "the store of printed guides, which hold no personal data"}
    for name, what in kinds.items():
        host = urlsplit(str(settings.get(name) or "")).hostname
        if host:
            yield f"{what} at {host}"
    if not settings.get("MAIL_URL"):
        yield "nobody for mail: it is caught in the built-in inbox"
    yield "whoever has an account at the desk, by their role; each export and each look by command is in the log"


def lines(told: Register) -> Iterator[str]:
    """The register as people read it."""
    who = told["controller"]
    yield f"Register of processing of {told['site']}"
    yield f"Controller: {who['name']}, {who['address']}, {who['email']}" if who else (
        "Controller: not named; add `controller:` to content/_site.yml.")
    yield f"Privacy notice: {told['privacy notice']}"
    yield from _part("Grounds (GDPR, article)", (f"{what}: {ground}" for what, ground in told["grounds"].items()))
    yield from _part("What people can agree to", (f"{key}: {words}" for key, words in told["purposes"].items()))
    yield from _part("What forms ask", (
        f"{name}: {', '.join(form['asks'].values())}" + (
            f"; consents: {', '.join(form['consents'])}" if form["consents"] else "")
        for name, form in told["forms"].items()))
    yield from _part("Who else gets data", told["receivers"])
    yield from _part("How long it is kept", told["keeping"])
    yield from _part("Tables that tell of people", (
        f"{name}: {table['for']}. {' '.join(table['kept'])}\n      {', '.join(table['columns'])}"
        for name, table in told["tables"].items()))
    yield from _part("Tables that tell of nobody who visits", (
        f"{name}: {what}" for name, what in told["not about visitors"].items()))


def _part(heading: str, rows: Any) -> Iterator[str]:
    yield ""
    yield heading
    yield from (f"  {row}" for row in rows)
