"""Import: a file is uploaded, its columns are named, tried, brought in by the worker, and taken back if need be."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from handsel import clock
from handsel.accounts import audit
from handsel.db import db, writing
from handsel.desk import DeskBlueprint, person, takes_files
from handsel.desk.turning import Turn
from handsel.errors import HandselError
from handsel.forms.schema import STANDARD
from handsel.leads import questions
from handsel.leads.cells import guarded
from handsel.leads.importing import batch, choices, jobs, uploads
from handsel.leads.importing.mapping import SPECIAL, guessed, own_field, placed
from handsel.leads.importing.models import ImportRefusal
from handsel.leads.importing.table import Broken, Table, opened, printable
from handsel.leads.models import LeadImport
from handsel.offers.live import current

bp = DeskBlueprint("imports", __name__, roles=("sales", "owner"))

SAMPLES = 3  # rows shown below the head
SHOWN = 20  # refused rows on the page; the rest is in the file
FORM = 1 << 20  # bytes beside the file itself
OPEN = ("mapping", "tried", "failed")  # states in which somebody says how a file is to be brought in
WORDS = {"mapping": ("Waits for its columns", "warn"), "trying": ("Being tried", "warn"), "tried": ("Tried", "warn"),
         "running": ("Coming in", "warn"), "done": ("Done", "ok"), "failed": ("Broke off", "bad"),
         "undoing": ("Being taken back", "warn"), "undone": ("Taken back", "")}


@bp.get("/imports")
def index() -> ResponseReturnValue:
    """All imports, the latest first, and where a new one begins."""
    return _index()


def _index(problem: HandselError | None = None) -> ResponseReturnValue:
    page = Turn.asked(request.args).take(db.session(), select(LeadImport), LeadImport.id)
    answer = render_template("desk/imports.html", page=page, words=WORDS, now=clock.now(), problem=problem,
                             largest=uploads.LARGEST >> 20)
    return answer, 422 if problem else 200


@bp.post("/imports")
@takes_files(uploads.LARGEST + FORM)
def upload() -> ResponseReturnValue:
    """Take a file. Nothing of it is brought in yet."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _index(HandselError("file", "There is no file.", "Choose a CSV or XLSX file first."))
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    path = uploads.keep(app, file.stream)
    try:
        opened(path)
    except HandselError as error:
        path.unlink()
        return _index(error)
    name = printable(file.filename.replace("\\", "/").rpartition("/")[2])[:200]
    with writing() as write:
        row = LeadImport(at=clock.now(), fingerprint="", file=name, actor=person().actor.name, at_desk=True,
                         account_id=person().actor.account_id, state="mapping", upload=path.name)
        write.add(row)
        write.flush()
        audit.record(write, "uploaded a file of leads", person().actor, f"import:{row.id}", {"file": name})
        number = row.id
    return redirect(url_for("imports.one", import_id=number), 303)


@bp.get("/imports/<int:import_id>")
def one(import_id: int) -> ResponseReturnValue:
    """One import: its columns and what is agreed to, how far it is, or what came of it."""
    return _one(db.get_or_404(LeadImport, import_id))


def _one(row: LeadImport, given: Any = None, problem: HandselError | None = None) -> ResponseReturnValue:
    session, project = db.session(), current()
    table = _table(row) if row.state in OPEN and row.upload else None
    custom = questions.custom(project)
    given = _given(row, table, custom) if given is None else given
    wrong = session.scalars(select(ImportRefusal).where(ImportRefusal.import_id == row.id)
                            .order_by(ImportRefusal.number).limit(SHOWN)).all()
    refused = session.scalar(select(func.count()).where(ImportRefusal.import_id == row.id)) or 0
    answer = render_template(
        "desk/import.html", row=row, state=WORDS[row.state], table=table, given=given, problem=problem, wrong=wrong,
        refused=refused, samples=_samples(table), fields=_fields(custom),
        own=[own_field(name, custom) for name in table.head] if table else [], topics=project.site.topics,
        offers=sorted(project.offers), counts=row.counts, now=clock.now(), works=row.state in jobs.AT_WORK,
        done=jobs.done(row), pace=_pace(row), open=row.state in OPEN, most=choices.LONGEST)
    return answer, 422 if problem else 200


def _table(row: LeadImport) -> Table | None:
    try:
        return opened(uploads.path_of(current_app, row.upload))
    except (HandselError, ValueError):
        return None  # deleted meanwhile, or on another machine


def _samples(table: Table | None) -> list[list[str]]:
    """The cells of the first rows, column by column."""
    if table is None:
        return []
    rows = [cells for _, cells in islice(table.rows(), SAMPLES) if not isinstance(cells, Broken)]
    return [[row[place][:80] if place < len(row) else "" for row in rows] for place in range(len(table.head))]


def _fields(custom: Any) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a column can hold, in groups."""
    own = [(name, field.label or name) for name, field in sorted(custom.items())]
    person_ = sorted(STANDARD)
    return [("The person", [(name, name.replace("_", " ").capitalize()) for name in person_]),
            ("Mail and tags", [(name, f"{name.capitalize()}: {words}") for name, words in SPECIAL.items()]),
            ("Your own fields", own)]


def _given(row: LeadImport, table: Table | None, custom: Any) -> dict[str, Any]:
    """What the form says at first: what was said before, or what the names of the columns suggest."""
    kept = row.options
    if "columns" in kept:
        return {"fields": kept["columns"], "offer": kept["offer"], "tags": ", ".join(kept["tags"]),
                "agreed": "yes" if kept["wordings"] else "no", "words": kept["wordings"], "proven": kept["proven"]}
    return {"fields": guessed(table.head, custom) if table else [], "offer": "", "tags": "", "agreed": "", "words": {},
            "proven": False}


def _pace(row: LeadImport) -> str:
    """How fast it goes and how long it takes on, in words; empty while nobody can tell."""
    began, with_ = row.options.get("began", ["", 0])
    seconds = (clock.now() - datetime.fromisoformat(began)).total_seconds() if began else 0
    rows = jobs.done(row) - with_
    if seconds < 1 or rows < 1 or row.state == "undoing":
        return ""
    left = round((row.total - jobs.done(row)) * seconds / rows)
    rest = f"{left} second{'s' if left != 1 else ''}" if left < 120 else f"{round(left / 60)} minutes"
    return f"{round(rows / seconds):,} a second, about {rest} left"


@bp.post("/imports/<int:import_id>")
def start(import_id: int) -> ResponseReturnValue:
    """Have the file tried, or brought in."""
    row = db.get_or_404(LeadImport, import_id)
    table = _table(row) if row.state in OPEN and row.upload else None
    if table is None:
        flash("The file is no longer here. Upload it again.", "bad")
        return redirect(url_for("imports.index"), 303)
    form, project = request.form, current()
    topics = [topic for topic in project.site.topics if f"agree-{topic}" in form]
    given = {"fields": [form.get(f"field-{place}", "") for place in range(len(table.head))],
             "offer": form.get("offer", ""), "tags": form.get("tags", ""), "agreed": form.get("agreed", ""),
             "words": {topic: form.get(f"words-{topic}", "") for topic in topics}, "proven": "proven" in form}
    try:
        options = _options(given, table)
    except HandselError as error:
        return _one(row, given, error)
    state = "running" if form.get("act") == "start" else "trying"
    with writing() as write:
        row = write.get_one(LeadImport, import_id, with_for_update=True)
        if row.state not in OPEN:
            return redirect(url_for("imports.one", import_id=import_id), 303)
        kept = {**row.options, **options.written()}
        mark = batch.fingerprint(table, options)
        if state == "running":
            if row.fingerprint != mark:
                row.row = 0
            row.fingerprint = mark
        row.options = kept
        jobs.ask(write, row, state, person().actor)
        audit.record(write, "began an import" if state == "running" else "tried an import", person().actor,
                     f"import:{import_id}", {"file": row.file, **options.written()})
    return redirect(url_for("imports.one", import_id=import_id), 303)


def _options(given: dict[str, Any], table: Table) -> Any:
    project = current()
    columns = placed(table.head, given["fields"], questions.custom(project))
    if given["agreed"] not in ("yes", "no"):
        raise HandselError("agreed", "Say whether these people agreed to mail from you.", "Choose one of the two.")
    if given["agreed"] == "yes" and not given["words"]:
        raise HandselError("agreed", "Say what they agreed to.", "Tick a topic, and write the words that they saw.")
    words = given["words"] if given["agreed"] == "yes" else {}
    return choices.options(project, columns, offer=given["offer"], tags=[given["tags"]], words=words,
                           proven=given["proven"] and bool(words))


@bp.post("/imports/<int:import_id>/undo")
def undo(import_id: int) -> ResponseReturnValue:
    """Have an import taken back."""
    db.get_or_404(LeadImport, import_id)
    with writing() as write:
        row = write.get_one(LeadImport, import_id, with_for_update=True)
        if row.fingerprint and row.state in ("done", "failed", "running"):
            row.at_desk = True
            jobs.ask(write, row, "undoing", person().actor)
            jobs.say(row, "Taking it back.", clock.now())
            audit.record(write, "began to undo an import", person().actor, f"import:{import_id}", {"file": row.file})
    return redirect(url_for("imports.one", import_id=import_id), 303)


@bp.post("/imports/<int:import_id>/removal")
def discard(import_id: int) -> ResponseReturnValue:
    """Throw away a file that was not brought in."""
    db.get_or_404(LeadImport, import_id)
    with writing() as write:
        row = write.get_one(LeadImport, import_id, with_for_update=True)
        name = row.upload
        if row.state not in OPEN or row.fingerprint:
            return redirect(url_for("imports.one", import_id=import_id), 303)
        audit.record(write, "threw away a file of leads", person().actor, f"import:{import_id}", {"file": row.file})
        write.delete(row)
    uploads.drop(current_app, name)
    flash("The file is deleted.", "good")
    return redirect(url_for("imports.index"), 303)


@bp.post("/imports/<int:import_id>/refused")
def refused(import_id: int) -> ResponseReturnValue:
    """The rows that could not be taken, as CSV with the reason of each; mended, it can be imported itself."""
    row = db.get_or_404(LeadImport, import_id)
    table = _table(row) if row.upload else None
    head = list(table.head) if table else [field or f"column {place + 1}" for place, field in enumerate(
        row.options.get("columns", []))]
    with writing() as write:
        audit.record(write, "took the refused rows of an import", person().actor, f"import:{import_id}")
    lines = [_line(["row", "reason", *head])]
    lines += [_line([str(each.number), each.reason, *each.cells]) for each in batch.refused(import_id)]
    answer = Response(_joined(lines), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="import-{import_id}-refused.csv"'
    return answer


def _joined(lines: list[str]) -> Iterator[bytes]:
    for line in lines:
        yield line.encode("utf-8", "replace")


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([guarded(cell) for cell in cells])
    return text.getvalue()
