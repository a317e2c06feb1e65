"""The first page after signing in, and the two small ones that everybody has."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from handsel.accounts.models import ROLES
from handsel.desk import DeskBlueprint

bp = DeskBlueprint("home", __name__, roles=ROLES)


@bp.get("/")
def home() -> ResponseReturnValue:
    """Four figures, what needs a person, and the latest leads."""
    return render_template("desk/home.html")


@bp.get("/more")
def more() -> ResponseReturnValue:
    """The places that the bottom bar of phones has no room for."""
    return render_template("desk/more.html")


@bp.get("/keys")
def keys() -> ResponseReturnValue:
    """Which keys do what, and how to switch them off."""
    return render_template("desk/keys.html")
