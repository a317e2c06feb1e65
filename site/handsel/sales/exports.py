"""Export: which leads, which columns, in which kind of file; layouts that are kept; and one lead as a vCard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from handsel import clock
from handsel.accounts import audit
from handsel.db import db, writing
from handsel.desk import only, person
from handsel.desk.shell import site_zone
from handsel.errors import HandselError
from handsel.leads import export as leads_export
from handsel.leads import finding, questions, takeaway, vcard
from handsel.leads.layouts import memory, saved
from handsel.leads.layouts.columns import COLUMNS, CUSTOM, STANDARD, Column, custom
from handsel.leads.layouts.crm import OURS, SHIPPED
from handsel.leads.layouts.models import ExportLayout
from handsel.leads.models import Lead
from handsel.leads.takeaway import Takeaway
from handsel.offers.live import current
from handsel.sales.leads import bp

FORMATS = {"csv": "text/csv; charset=utf-8", "csv-excel": "text/csv; charset=utf-8",
           "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
OWN = {"csrf_token", "format", "layout", "column", "since_last", "act", "name", "shared"}
"""What the form says beside the filter; the headings of columns come as ``heading-<column>``."""
PREVIEW = 3  # leads that the page shows as they would stand in the file


@bp.get("/leads/export")
@only("sales", "owner")
def export_page() -> ResponseReturnValue:
    """Choose what goes into the file; the filter is that of the list."""
    return _page(request.args)


@bp.post("/leads/export")
@only("sales", "owner")
def export() -> ResponseReturnValue:
    """The leads of the filter as a file, logged; or the page once more with other columns, or a layout saved."""
    form, act = request.form, request.form.get("act", "")
    if act:
        return _page(form) if act == "look" or act.startswith(("up:", "off:")) else _save(form)
    kind = form.get("format", "")
    if kind not in FORMATS:
        abort(400, f"Choose a format: {', '.join(FORMATS)}.")
    session, project = db.session(), current()
    try:
        asked = _asked(form)
        names = _named(form)
        if names and form.get("layout", "") in ("", OURS) and _usual(names, asked):
            names = []
        chosen = takeaway.layout_of(session, project, asked, name="" if names else form.get("layout", ""),
                                    columns=names, account_id=person().account_id)
        if names:
            chosen = _keyed(chosen, form.get("layout", ""))
    except HandselError as error:
        return _page(form, error)
    taking = Takeaway(asked, chosen, kind, person().actor, form.get("since_last") == "yes", remember=True)
    taking.begin(session)
    answer = Response(_file(taking), content_type=FORMATS[kind])
    shown = [asked.shown[part] for part in ("segment", "offer", "tag", "stage") if part in asked.shown]
    layout = [chosen.key] if chosen.key in SHIPPED and chosen.key != saved.usual().key else []
    name = "-".join(["leads", *layout, *shown, f"{clock.now():%Y-%m-%d}"])
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind.partition("-")[0]}"'
    return answer


def _file(taking: Takeaway) -> Iterator[bytes]:
    engine, app = db.engine, current_app._get_current_object()  # type: ignore[attr-defined]
    # The answer is sent after the request's own session has gone.

    def parts() -> Iterator[bytes]:
        try:
            yield from taking.parts(engine)
            with app.app_context():
                taking.finish()
        finally:
            taking.close()

    return parts()


def _asked(given: Mapping[str, str]) -> finding.Wanted:
    """The filter. A part that there is not is an error: it never means everybody."""
    finding.only_known(name for name in given if name not in OWN and not name.startswith("heading-"))
    project = current()
    return finding.wanted(db.session(), given, project.offers, site_zone(), me=person().account_id,
                          segments=project.rules.segments)


def _named(form: Any) -> list[tuple[str, str]]:
    """The columns that the form names, in their order, with their headings."""
    names = form.getlist("column")
    return [(name, form.get(f"heading-{name}", "").strip()[:80]) for name in names]


def _keyed(chosen: saved.Layout, name: str) -> saved.Layout:
    """Columns as they stand in a layout that has a name are that layout: it remembers by its name."""
    if not name:
        return chosen
    known = takeaway.layout_of(db.session(), current(), finding.Wanted(), name=name, account_id=person().account_id)
    return known if _plain(known.names) == _plain(chosen.names) else chosen


def _usual(names: list[tuple[str, str]], asked: finding.Wanted) -> bool:
    """Whether these are the columns that a file has when nobody chooses any."""
    return _plain(names) == [(name, name) for name in (*STANDARD, *_found_fields(asked))]


def _found_fields(asked: finding.Wanted) -> list[str]:
    """The custom fields that any of the leads has."""
    with db.engine.connect() as connection:
        return [name for name in leads_export.custom_fields(connection, asked) if name not in STANDARD]


def _plain(names: Any) -> list[tuple[str, str]]:
    return [(name, heading or name) for name, heading in names]


def _page(given: Any, problem: HandselError | None = None) -> ResponseReturnValue:
    session, project = db.session(), current()
    layout = given.get("layout", "")
    try:
        asked = _asked(given)
        names = _moved(_named(given), given.get("act", ""))
        chosen = takeaway.layout_of(session, project, asked, name="" if names else layout, columns=names,
                                    account_id=person().account_id)
        known = takeaway.fields(session, project, asked, whole=True)
    except HandselError as error:
        asked, chosen, known, names = finding.Wanted(), saved.usual(), (), []
        problem = problem or error
    columns = [*(names or chosen.names)]
    if not names and chosen.columns is None:  # what stands for all fields is shown field by field
        columns = [pair for pair in columns if pair[0] != CUSTOM] + [(name, "") for name in _found_fields(asked)]
    first = finding.first_number(session, asked)
    count = 0 if problem else finding.count(session, asked, first)
    rows: list[list[str]] = []
    if count:
        with db.engine.connect() as connection:
            shape = saved.free(columns, known).columns if names or chosen.columns is None else chosen.columns
            rows = leads_export.first_rows(connection, asked, shape or (), PREVIEW)
    answer = render_template(
        "desk/export.html", problem=problem, asked=asked, count=count, columns=columns, labels=_labels(known),
        rest=_rest(columns, known), layout=layout, shipped=SHIPPED, rows=rows, now=clock.now(),
        own=saved.visible(session, person().account_id), me=person().account_id,
        last=memory.last(person().actor, chosen.key), note=SHIPPED[layout].note if layout in SHIPPED else "",
        fixed=bool(chosen.columns) and chosen.key in SHIPPED and not names)
    return answer, 400 if problem else 200


def _moved(names: list[tuple[str, str]], act: str) -> list[tuple[str, str]]:
    """The columns with one of them a place further up, or left out."""
    word, _, column = act.partition(":")
    places = [place for place, (name, _) in enumerate(names) if name == column]
    if word == "off":
        return [pair for pair in names if pair[0] != column]
    if word == "up" and places and places[0] > 0:
        place = places[0]
        names[place - 1], names[place] = names[place], names[place - 1]
    return names


def _labels(known: Any) -> dict[str, Column]:
    labels = {name: field.label for name, field in questions.custom(current()).items()}
    return {**COLUMNS, **{name: custom(name, labels.get(name, "")) for name in known}}


def _rest(columns: list[tuple[str, str]], known: Any) -> dict[str, list[Column]]:
    """The columns that are not in the file, by group."""
    taken = {name for name, _ in columns}
    groups: dict[str, list[Column]] = {}
    for name, column in _labels(known).items():
        if name not in taken:
            groups.setdefault(column.group, []).append(column)
    return groups


def _save(form: Any) -> ResponseReturnValue:
    """Keep the columns as a layout."""
    try:
        asked = _asked(form)
        known = takeaway.fields(db.session(), current(), asked, whole=True)
        with writing() as write:
            row = saved.save(write, form.get("name", ""), _named(form), known, shared="shared" in form,
                             account_id=person().account_id, at=clock.now())
            audit.record(write, "saved a layout", person().actor, saved.key_of(row),
                         {"name": row.name, "shared": row.shared, "columns": [name for name, _ in _named(form)]})
            name = row.name
    except HandselError as error:
        return _page(form, error)
    flash(f"The layout '{name}' is saved.", "good")
    return redirect(url_for("leads.export_page", **{"layout": name, **asked.shown}), 303)  # type: ignore[arg-type]


@bp.post("/leads/export/layouts/<int:layout_id>/removal")
@only("sales", "owner")
def remove_layout(layout_id: int) -> ResponseReturnValue:
    """Delete one of one's own layouts."""
    if db.session().scalar(select(ExportLayout.id).where(ExportLayout.id == layout_id)) is None:
        abort(404)
    with writing() as write:
        row = saved.remove(write, layout_id, person().account_id)
        if row is not None:
            audit.record(write, "deleted a layout", person().actor, f"layout:{layout_id}", {"name": row.name})
    if row is None:
        flash("Only who made a layout may delete it.", "bad")
    return redirect(url_for("leads.export_page"), 303)


@bp.post("/leads/<int:lead_id>/vcard")
@only("sales", "owner")
def card(lead_id: int) -> ResponseReturnValue:
    """One lead for an address book. A POST, because it is logged."""
    lead = db.get_or_404(Lead, lead_id)
    data = vcard.of(lead, str(current().site.url))
    with writing() as write:
        audit.record(write, "exported a lead", person().actor, audit.of_lead(write.get_one(Lead, lead_id).key),
                     {"format": "vcard"})
    answer = Response(data, content_type="text/vcard; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="lead-{lead_id}.vcf"'
    return answer
