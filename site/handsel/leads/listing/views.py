"""Saved views: a filter and an order of the list under a name, for oneself or for all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from handsel.errors import HandselError
from handsel.leads.finding import FILTERS
from handsel.leads.listing.models import SavedView

MOST = 30  # views of one person: more would not be found again
LONGEST = 60
KEPT = (*FILTERS, "sort")


def query_of(given: Mapping[str, str]) -> str:
    """The filter and the order of an address, always written alike: what a view keeps, and what tells two apart."""
    return urlencode([(name, given[name].strip()) for name in KEPT if given.get(name, "").strip()])


def views(session: Session, account_id: int) -> list[SavedView]:
    """The views of an account and those that others share, by name."""
    found = session.scalars(select(SavedView).where(or_(SavedView.account_id == account_id, SavedView.shared)))
    return sorted(found, key=lambda view: (view.name.casefold(), view.id))


def save(session: Session, account_id: int, name: str, query: str, at: datetime, *, shared: bool) -> SavedView:
    """Keep a view; one's own of the same name becomes this. Raises HandselError for a name that is none."""
    words = " ".join(name.split())
    if not words or len(words) > LONGEST or not words.isprintable():
        raise HandselError("name", f"A view needs a name of 1 to {LONGEST} letters.", "Such as 'Hot in London'.")
    own = list(session.scalars(select(SavedView).where(SavedView.account_id == account_id)))
    view = next((view for view in own if view.name.casefold() == words.casefold()), None)
    if view is None:
        if len(own) >= MOST:
            raise HandselError("views", f"You have {MOST} views already.", "Remove one that you no longer use.")
        view = SavedView(account_id=account_id, name=words, query=query, shared=shared, at=at)
        session.add(view)
    view.name, view.query, view.shared, view.at = words, query, shared, at
    session.flush()
    return view
