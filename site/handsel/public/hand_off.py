"""The page behind the links of an alert: a seller accepts or rejects a lead, on any phone, without signing in.

Looking at it decides nothing, whoever looks: mail scanners follow every link, and mails are passed on. What counts is
the press of the button on the page, once.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, request
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from handsel import clock
from handsel.accounts.audit import Actor
from handsel.accounts.models import Account
from handsel.db import db, writing
from handsel.errors import HandselError
from handsel.leads.handoff import ending, links, owners, telling
from handsel.leads.handoff.links import Answer, Link
from handsel.leads.handoff.models import Handoff
from handsel.leads.mailboxes import head_of
from handsel.leads.models import Lead
from handsel.public import bp, doors

TURNED: dict[Answer, Answer] = {"accept": "reject", "reject": "accept"}


@bp.get("/hand-off/<token>")
def hand_off(token: str) -> Response:
    """Who the lead is and why they were handed over, with one button; afterwards, who decided what."""
    link = links.read(_secret(), token)
    found = _find(db.session(), link) if link is not None else None
    if link is None or found is None:
        return doors.lost()
    return _page(token, link, *found)


@bp.post("/hand-off/<token>")
def answer(token: str) -> Response:
    """The button. A press that did not come from the page decides nothing, and neither does a second one."""
    link, at = links.read(_secret(), token), clock.now()
    found = _find(db.session(), link) if link is not None else None
    if link is None or found is None:
        return doors.lost()
    if doors.too_many("hand-off", "60 per hour"):
        return _page(token, link, *found, problem="That was too often. Try again in an hour.", status=429)
    if not links.is_pressed(_secret(), token, request.form.get("press", ""), at):
        return _page(token, link, *found, problem="The page stood open for too long. Press the button once more.",
                     status=422)
    handoff, account = found
    if _may(link, handoff, account):
        try:
            _decide(link, handoff.id, Actor(account.email, account.id))
        except ending.Decided:
            pass  # the page says who was faster
        except NoResultFound:  # erased a moment ago
            return doors.lost()
        except HandselError as error:
            return _page(token, link, *found, problem=f"{error.what} {error.do}", status=422)
    return doors.see(f"/hand-off/{token}")


def _decide(link: Link, handoff_id: int, actor: Actor) -> None:
    at = clock.now()
    with writing() as session:
        if link.answer == "accept":
            ending.accept(session, handoff_id, actor=actor, at=at, way="mail")
        else:
            ending.reject(session, handoff_id, doors.project(), reason=request.form.get("reason", ""),
                          note=request.form.get("note", ""), actor=actor, at=at, way="mail")


def _find(session: Session, link: Link) -> tuple[Handoff, Account] | None:
    """The hand-over of a link and whose link it is, while both are there."""
    handoff = session.scalar(select(Handoff).where(Handoff.key == link.key))
    account = session.get(Account, link.account_id)
    if handoff is None or account is None or not account.active or account.role not in owners.ROLES:
        return None
    return handoff, account


def _may(link: Link, handoff: Handoff, account: Account) -> bool:
    """Whether the link still decides something: in its time, by whoever has the lead, while it is open."""
    return handoff.state == "open" and handoff.owner_id == account.id and clock.now() < link.until


def _page(token: str, link: Link, handoff: Handoff, account: Account, *, problem: str = "",
          status: int = 200) -> Response:
    rules, secret, now = doors.project().rules.handoff, _secret(), clock.now()
    zone = ZoneInfo(doors.project().site.timezone)
    lead_id = head_of(db.session(), handoff.lead_id)
    values: dict[str, Any] = {"answer": link.answer, "handoff": handoff, "account": account, "problem": problem,
                              "desk": f"/desk/leads/{lead_id}", "state": _state(link, handoff, account)}
    if values["state"] in {"open", "yours"}:
        lead = db.session.get_one(Lead, lead_id)
        values |= {"lead": lead, "who": telling.who(lead), "facts": telling.facts_of(lead),
                   "why": telling.why(handoff.context, doors.project()), "points": telling.points(handoff.context),
                   "did": telling.did(handoff.context, doors.project(), zone), "tel": telling.dial(lead.phone)}
    if values["state"] == "open":
        turned = links.mint(secret, link._replace(answer=TURNED[link.answer]))
        values |= {"press": links.press_mark(secret, token, now), "turned": f"/hand-off/{turned}",
                   "reasons": rules.reject_reasons, "chosen": request.form.get("reason", ""),
                   "note": request.form.get("note", ""),
                   "due": telling.moment(handoff.due_at, rules.hours.zone) if handoff.due_at else ""}
    elif handoff.decided_at is not None:
        values |= {"who_decided": "You" if handoff.account_id == account.id else _name(handoff),
                   "when": doors.moment(handoff.decided_at, now), "reason": rules.reason(handoff.reason)}
    return doors.page("hand-off.html", status, **values)


def _state(link: Link, handoff: Handoff, account: Account) -> str:
    """What the page says: ``open``, ``yours`` (accepted by its reader), ``decided``, ``elsewhere``, or ``over``."""
    over = clock.now() >= link.until
    if handoff.state != "open":
        mine = handoff.state == "accepted" and handoff.account_id == account.id and handoff.ended_at is None
        return "yours" if mine and not over else "decided"
    if handoff.owner_id != account.id:
        return "elsewhere"
    return "over" if over else "open"


def _name(handoff: Handoff) -> str:
    decided = db.session.get(Account, handoff.account_id or 0)
    return (decided.name or decided.email) if decided is not None else handoff.actor or "Somebody"


def _secret() -> str:
    return str(doors.config()["SECRET_KEY"])
