"""Leads: the list and the export."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

from flask import Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from handsel import clock
from handsel.accounts import audit
from handsel.db import db, writing
from handsel.desk import DeskBlueprint, only, person
from handsel.desk.shell import site_zone
from handsel.desk.turning import Turn
from handsel.leads import export as leads_export
from handsel.leads import finding
from handsel.leads.models import STAGES, Lead
from handsel.offers.live import current

bp = DeskBlueprint("leads", __name__, roles=("sales", "marketer", "owner"))

FORMATS = {"csv": "text/csv; charset=utf-8", "csv-excel": "text/csv; charset=utf-8",
           "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@bp.get("/leads")
def index() -> ResponseReturnValue:
    """The list: searched, filtered, 50 a page, the latest first."""
    try:
        asked = _asked(request.args)
    except finding.FilterError as error:
        return render_template("desk/leads.html", page=None, problem=error, **_choices(request.args)), 400
    session = db.session()
    first = finding.first_number(session, asked)
    found = finding.find([Lead], asked, first)
    turn = Turn.asked(request.args)
    page = turn.take(session, found.query, found.number)
    whole = page.older is None and page.newer is None
    count = len(page.rows) if whole else finding.count(session, asked, first, most=finding.COUNTED)
    return render_template("desk/leads.html", page=page, count=count, most=finding.COUNTED, asked=asked,
                           now=clock.now(), **_choices(asked.shown))


def _asked(given: Any) -> finding.Wanted:
    project = current()
    return finding.wanted(db.session(), given, project.offers, site_zone(), segments=project.rules.segments)


def _choices(shown: Any) -> dict[str, Any]:
    session = db.session()
    offers = sorted({*current().offers, *finding.offers_asked_for(session)})
    return {"shown": shown, "offers": offers, "tags": finding.tags_in_use(session), "stages": STAGES}


@bp.post("/leads/export")
@only("sales", "owner")
def export() -> ResponseReturnValue:
    """The leads of the filter as a file. A POST, because it is logged who took which leads."""
    kind = request.form.get("format", "")
    if kind not in FORMATS:
        abort(400, f"Choose a format: {', '.join(FORMATS)}.")
    try:
        asked = _asked(request.form)
    except finding.FilterError as error:
        return render_template("desk/leads.html", page=None, problem=error, **_choices(request.form)), 400
    first = finding.first_number(db.session(), asked)
    rows = finding.count(db.session(), asked, first)
    with writing() as write:
        audit.record(write, "exported leads", person().actor, "leads",
                     {"rows": rows, "format": kind, **asked.shown})
    answer = Response(_file(kind, asked, first), content_type=FORMATS[kind])
    name = "-".join(["leads", *(asked.shown[part] for part in ("offer", "tag", "stage") if part in asked.shown),
                     f"{clock.now():%Y-%m-%d}"])
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind.partition("-")[0]}"'
    return answer


def _file(kind: str, asked: finding.Wanted, first: int) -> Iterator[bytes]:
    engine = db.engine  # the answer is sent after the request's own session has gone

    def parts() -> Iterator[bytes]:
        with engine.connect() as connection:
            if kind != "xlsx":
                yield from leads_export.csv_parts(connection, asked, first=first, bom=kind == "csv-excel")
                return
            with tempfile.TemporaryFile() as file:
                leads_export.xlsx(connection, asked, file, first=first)
                file.seek(0)
                while part := file.read(65536):
                    yield part

    return parts()
