"""Codes of a list, each to one lead: the file says which there are, the database which are given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select, update
from sqlalchemy.orm import Session

from handsel.db import insert_or
from handsel.leads.confirm import locked
from handsel.leads.models import Coupon
from handsel.offers.library import Offer

AT_ONCE = 200  # codes looked up together


def given(session: Session | Connection, slug: str, lead_id: int) -> str:
    """The code that a lead has of the offer ``slug``; empty while it has none."""
    return session.scalar(select(Coupon.code).where(Coupon.offer == slug, Coupon.lead_id == lead_id)) or ""


def give(session: Session, offer: Offer, lead_id: int, at: datetime) -> str:
    """The lead's own code, taken from the list now if it has none yet; empty when none is left.

    Two leads never get the same, and one lead never two, however many ask at once: the database refuses the second row.
    Needs a write transaction.
    """
    locked(session, lead_id)
    own = given(session, offer.slug, lead_id)
    if own:
        return own
    for code in free(session, offer):
        row = insert_or(Coupon, session.get_bind().dialect.name).values(
            offer=offer.slug, code=code, lead_id=lead_id, at=at).on_conflict_do_nothing().returning(Coupon.code)
        if session.scalar(row):
            return code
    return ""


def free(session: Session, offer: Offer) -> Iterator[str]:
    """The codes that nobody has, mostly in the order of the list."""
    codes: Sequence[str] = offer.asset.codes if offer.asset else ()
    taken = session.scalar(select(func.count()).select_from(Coupon).where(Coupon.offer == offer.slug)) or 0
    begin = min(taken, len(codes))  # as long as the list only grows, the first free one stands there
    for start, end in ((begin, len(codes)), (0, begin)):
        for place in range(start, end, AT_ONCE):
            some = codes[place:min(place + AT_ONCE, end)]
            used = set(session.scalars(select(Coupon.code).where(Coupon.offer == offer.slug, Coupon.code.in_(some))))
            yield from (code for code in some if code not in used)


def left(session: Session, offer: Offer) -> int:
    """How many codes of the list nobody has yet."""
    return sum(1 for _ in free(session, offer))


def hand_over(session: Session, slug: str, old_id: int, new_id: int) -> None:
    """Let the code of a lead whose address was corrected go with it, unless the right lead has one already."""
    if not given(session, slug, new_id):
        session.execute(update(Coupon).where(Coupon.offer == slug, Coupon.lead_id == old_id).values(lead_id=new_id))
