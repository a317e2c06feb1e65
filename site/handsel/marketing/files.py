"""The project's files: what is wrong with them, where, and what to do next."""

from __future__ import annotations

from itertools import groupby

from flask import render_template
from flask.typing import ResponseReturnValue

from handsel.db import db
from handsel.desk import DeskBlueprint
from handsel.offers import running
from handsel.offers.live import current

bp = DeskBlueprint("files", __name__, roles=("marketer", "owner"))


@bp.get("/files")
def index() -> ResponseReturnValue:
    """Every fault and every notice of every file, by file, as `handsel check` names them."""
    project = running.told(current(), running.running(db.session.connection()))
    faults = sorted(project.faults)
    by_file = [(where, list(group)) for where, group in groupby(faults, lambda fault: fault.where)]
    return render_template("desk/files.html", by_file=by_file, count=len(faults), project=project)
