"""Behind the links in our mails: the download page, its file, and the page that confirms an address.

Looking at any of them changes nothing, whoever looks: mail scanners follow every link and some run scripts. What counts
is the press of a button.
"""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Response, current_app, redirect, request, send_file, url_for
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel import clock
from handsel.db import db, writing
from handsel.leads import coupons, delivery, download
from handsel.leads.confirm import find_grant, prove
from handsel.leads.download import Life, life
from handsel.leads.models import Capture, Grant, Lead
from handsel.mail.models import Message
from handsel.offers.library import Asset, Offer
from handsel.public import bp, doors, pages, reader
from handsel.public.doors import moment
from handsel.public.event import happening
from handsel.public.press import Drawing
from handsel.public.sheets import Sheet

log = logging.getLogger("handsel.public")


def offer_of(grant: Grant) -> Offer | None:
    """The offer that a grant is for, while the project has it."""
    return doors.project().offer(grant.offer)


@bp.get("/get/<token>")
def get(token: str) -> Response:
    """What can be fetched here, and one button to fetch it."""
    grant = find_grant(db.session(), token)
    offer = offer_of(grant) if grant else None
    if grant is None or offer is None:
        return doors.lost()
    if offer.asset is None:
        return doors.private(redirect(url_for("public.confirm", token=token), 303))
    now = clock.now()
    return doors.page("get.html", offer=offer, asset=offer.asset, grant=grant, life=life(grant, now).value,
                      kind=kind(offer.asset), size=doors.size(offer.asset.size), until=doors.on_day(grant.expires_at),
                      renewed=renewed(grant), again=again(grant, offer), presses=offer.meta.downloads,
                      noun=doors.noun(offer), cover=cover(offer), editions=_editions(offer), **_code(grant, offer, now))


def _code(grant: Grant, offer: Offer, at: datetime) -> dict[str, Any]:
    """The lead's own code of a list while the link is worth anything, and whether there is none left to be given."""
    if offer.asset is None or not offer.asset.codes or life(grant, at) not in {Life.GOOD, Life.USED_UP}:
        return {"code": "", "none_left": False}
    code = coupons.given(db.session(), offer.slug, grant.lead_id)
    return {"code": code, "none_left": not code and next(coupons.free(db.session(), offer), None) is None}


def _editions(offer: Offer) -> list[tuple[str, str]]:
    """The editions of a guide that can be downloaded now: kind, and what it is in words."""
    if offer.asset is None or offer.asset.book is None:
        return []
    return [(kind, reader.told(edition)) for kind, edition in reader.editions_of(offer).files.items()]


def cover(offer: Offer) -> Markup:
    """The drawn cover of the offer, as on its landing page."""
    return Drawing(pages.table().state().press, Sheet("", "page"), None, "", lambda _: "", None).cover(offer, {})


def kind(asset: Asset) -> str:
    """What kind of file it is, in a word that people use."""
    if asset.book is not None:
        chapters = len(asset.book.chapters)
        return f"To read here or to take along · {chapters} chapter{'' if chapters == 1 else 's'}"
    known = {"application/pdf": "PDF", "application/epub+zip": "EPUB", "application/zip": "ZIP", "text/csv": "CSV"}
    return known.get(asset.media_type) or Path(asset.name).suffix.lstrip(".").upper() or "File"


def renewed(grant: Grant) -> str:
    """How the newest mail with a fresh link stands, in words; empty when none was asked for since this link."""
    if grant.capture_id is None:
        return ""
    newest = db.session.scalars(select(Message).where(
        Message.capture_id == grant.capture_id, Message.lead_id == grant.lead_id, Message.grant_id > grant.id,
        Message.kind.in_(("delivery", "confirm"))).order_by(Message.id.desc())).first()
    if newest is None:
        return ""
    if newest.state in {"queued", "claimed"}:
        late = newest.due_at > clock.now()
        return f"goes out {moment(newest.due_at)}" if late else "is on its way"
    return f"was sent {moment(newest.sent_at)}" if newest.sent_at else ""


def again(grant: Grant, offer: Offer) -> str:
    """When a fresh link can be asked for, in words; empty when it can be now."""
    capture = db.session.get(Capture, grant.capture_id) if grant.capture_id else None
    free_at = delivery.again_at(db.session(), offer, capture, clock.now()) if capture else None
    return moment(free_at) if free_at else ""


@bp.post("/get/<token>")
def press(token: str) -> Response:
    """The button: prove the mailbox, count the download, lead on to the file."""
    now = clock.now()
    way = doors.way("download")
    with writing() as session:
        grant = find_grant(session, token)
        offer = offer_of(grant) if grant else None
        if grant is None or offer is None or offer.asset is None:
            return doors.lost()
        pressed, is_new = download.press(session, grant, way, now)
        key = pressed.key if pressed else ""
        if pressed and offer.asset.codes and not _give_code(session, grant, offer, now):
            if is_new:
                download.take_back(session, grant, pressed)
            key = ""
    if not key:
        return doors.private(redirect(url_for("public.get", token=token), 303))
    if is_new:
        doors.record("download", offer.path, doors.visit(), offer.slug)
    if offer.asset.codes:
        return doors.private(redirect(url_for("public.get", token=token), 303))
    if offer.asset.book is None:
        name = doors.file_name(offer, offer.asset)
    elif (kind := request.form.get("as", "")) in reader.WORDS:
        name = reader.edition_name(offer, kind)
    else:
        return doors.private(redirect(url_for("public.contents", token=token, press=key), 303))
    return doors.private(redirect(url_for("public.file", token=token, press=key, name=name), 303))


def _give_code(session: Session, grant: Grant, offer: Offer, at: datetime) -> str:
    """The lead's code, new or known; the log says when the list comes to its end."""
    known = coupons.given(session, offer.slug, grant.lead_id)
    code = known or coupons.give(session, offer, grant.lead_id, at)
    if not known and next(coupons.free(session, offer), None) is None:
        asset = offer.asset.path if offer.asset else ""
        log.warning("%s: %s Add more codes to the list.", asset, "the last code is given." if code else
                    "somebody waits for a code, and none is left.", extra={"offer": offer.slug})
    return code


@bp.get("/get/<token>/<press>/<path:name>")
def file(token: str, press: str, name: str) -> Response:
    """The file itself, whole or in ranges, for a day after the press; fetching it again or further counts nothing."""
    grant = download.going_on(db.session(), token, press, clock.now())
    offer = offer_of(grant) if grant else None
    if grant is None or offer is None or offer.asset is None:
        return doors.lost()
    asset = offer.asset
    if asset.codes:  # the list itself is for nobody
        return doors.private(redirect(url_for("public.get", token=token), 303))
    if asset.book is not None:
        edition = reader.send(offer, name)
        if edition is None:  # it is being made, or cannot be made here: the web reader says so
            return doors.private(redirect(url_for("public.contents", token=token, press=press), 303))
        return _sealed(edition)
    path = Path(current_app.config["PROJECT_ROOT"]) / asset.path
    if not path.is_file():
        return doors.lost()
    return _sealed(send_file(path, asset.media_type, as_attachment=True, download_name=doors.file_name(offer, asset),
                             conditional=True, etag=asset.digest, max_age=0))


def _sealed(answer: Response) -> Response:
    """A file on its way to one person: nothing in it runs here, nobody else keeps it."""
    response = doors.private(answer)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@bp.post("/get/<token>/renew")
@bp.post("/confirm/<token>/renew")
def renew(token: str) -> Response:
    """Send a fresh link to the mailbox that the old one went to."""
    now = clock.now()
    grant = find_grant(db.session(), token)
    offer = offer_of(grant) if grant else None
    if grant is None or offer is None:
        return doors.lost()
    worn = life(grant, now) in {Life.EXPIRED, Life.USED_UP}
    if worn and grant.capture_id is not None and not renewed(grant) and not doors.too_many("renew a link"):
        with writing() as session:
            capture = session.get_one(Capture, grant.capture_id)
            delivery.send_again(session, offer, capture, now)
    page = "public.get" if offer.asset else "public.confirm"
    return doors.private(redirect(url_for(page, token=token), 303))


@bp.get("/get/<token>/renew")
@bp.get("/confirm/<token>/renew")
def reopened(token: str) -> Response:
    """The button's address opened as a page: back to the page with the button."""
    return doors.private(redirect(url_for("public.get", token=token), 303))


@bp.get("/confirm/<token>")
def confirm(token: str) -> Response:
    """One button that proves the mailbox; afterwards, the page that says so."""
    grant = find_grant(db.session(), token)
    offer = offer_of(grant) if grant else None
    capture = db.session.get(Capture, grant.capture_id) if grant and grant.capture_id else None
    if grant is None or offer is None or capture is None or not grant.proves:
        return doors.lost()
    if offer.meta.event is not None and capture.proven_at is not None:
        key = db.session.get_one(Lead, capture.lead_id).key
        return doors.private(redirect(url_for("public.event_page", key=key, slug=offer.slug), 303))
    topics = {box.purpose: Markup(box.html) for box in offer.form.consents}  # noqa: S704  sanitised as pages are
    ticked = delivery.ticked(db.session(), capture)
    return doors.page("confirm.html", offer=offer, grant=grant, proven=capture.proven_at is not None,
                      life=life(grant, clock.now()).value, renewed=renewed(grant), again=again(grant, offer),
                      agreed=[topics[purpose] for purpose in topics if purpose in ticked],
                      event=happening(offer))


@bp.post("/confirm/<token>")
def confirmed(token: str) -> Response:
    """The button: prove the mailbox."""
    now = clock.now()
    way = doors.way("confirmation")
    with writing() as session:
        grant = find_grant(session, token)
        offer = offer_of(grant) if grant else None
        capture = session.get(Capture, grant.capture_id) if grant and grant.capture_id and grant.proves else None
        if grant is None or offer is None or capture is None:
            return doors.lost()
        if life(grant, now) in {Life.GOOD, Life.USED_UP}:
            prove(session, capture, way, now)
    return doors.private(redirect(url_for("public.confirm", token=token), 303))
