"""A lead's own page of an event: when and where, the calendar's entry, and the button that leads in.

Whoever opens the page is not there yet: going in is a press, which is noted, and only then leads on.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from flask import Response, g, redirect, url_for

from handsel import clock
from handsel.db import db, writing
from handsel.headers import policy
from handsel.leads.attending import attend, signed_up
from handsel.offers import editions, events
from handsel.offers.library import Offer
from handsel.offers.schema import Event
from handsel.public import bp, doors

DOORS_OPEN = timedelta(minutes=30)  # before the beginning; earlier there is nothing to be seen


class Happening(NamedTuple):
    """An event in words for people near the site."""

    day: str
    hour: str
    where: str
    opens: str
    is_open: bool
    is_over: bool
    joins: bool
    """Whether there is an address to join it at."""


def happening(offer: Offer) -> Happening | None:
    """The event of ``offer`` in words; None for an offer without one."""
    event, now = offer.meta.event, clock.now()
    if event is None:
        return None
    zone, opens_at = doors.project().site.timezone, event.starts_at - DOORS_OPEN
    return Happening(events.day(event, zone), events.hour(event, zone), events.where(event), doors.moment(opens_at),
                     opens_at <= now < event.ends_at, event.ends_at <= now, bool(event.url))


def _offer(slug: str) -> tuple[Offer, Event] | None:
    offer = doors.project().offer(slug)
    return (offer, offer.meta.event) if offer is not None and offer.meta.event is not None else None


@bp.get("/event/<key>/<slug>")
def event_page(key: str, slug: str) -> Response:
    """When, where, and what to press."""
    found = _offer(slug)
    if found is None or signed_up(db.session(), key, found[0].slug) is None:
        return doors.lost()
    offer, event = found
    page = doors.page("event.html", offer=offer, event=happening(offer), base=f"/event/{key}/{offer.slug}")
    if event.url:  # the browser is led on to another host by the answer to the form, which the policy must know of
        host = urlsplit(event.url)
        page.headers["Content-Security-Policy"] = policy("public", g.get("style_hashes", ())).replace(
            "form-action 'self'", f"form-action 'self' {host.scheme}://{host.netloc}")
    return page


@bp.post("/event/<key>/<slug>")
def join(key: str, slug: str) -> Response:
    """The button: note that the lead came, and lead on."""
    found, now = _offer(slug), clock.now()
    if found is None:
        return doors.lost()
    offer, event = found
    told = happening(offer)
    if not event.url or told is None or not told.is_open:
        return doors.private(redirect(url_for("public.event_page", key=key, slug=slug), 303))
    with writing() as session:
        lead = signed_up(session, key, offer.slug)
        if lead is None:
            return doors.lost()
        attend(session, lead, offer, now)
    return doors.private(redirect(event.url, 303))


@bp.get("/event/<key>/<slug>/event.ics")
def calendar(key: str, slug: str) -> Response:
    """The event as a file for a calendar."""
    found = _offer(slug)
    if found is None or signed_up(db.session(), key, found[0].slug) is None:
        return doors.lost()
    offer, event = found
    base = editions.site_url(doors.config(), doors.project().site)
    own = f"{base}/event/{key}/{offer.slug}"
    words = events.calendar(event, uid=f"{offer.slug}@{urlsplit(base).hostname}", title=offer.title,
                            description=f"{offer.meta.summary}\n\n{own}".strip(), url=own, at=clock.now())
    response = doors.private(words)
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{offer.slug}.ics"'
    return response
