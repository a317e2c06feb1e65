"""The log of what was done at the desk and on the command line."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from handsel.accounts import audit
from handsel.accounts.models import Account, AuditEntry
from handsel.db import db
from handsel.desk import DeskBlueprint
from handsel.desk.turning import Turn

bp = DeskBlueprint("log", __name__, roles=("owner",))


@bp.get("/log")
def index() -> ResponseReturnValue:
    """Who did what and when, the latest first."""
    turn = Turn.asked(request.args)
    page = turn.take(db.session(), select(AuditEntry), AuditEntry.id)
    verdict = audit.verify(db.session())
    accounts = db.session.execute(select(Account.id, Account.email)).all()
    names = {f"account:{number}": email for number, email in accounts}
    return render_template("desk/log.html", page=page, verdict=verdict, names=names)
