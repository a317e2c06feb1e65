"""Acts on many leads with one press, and taking them back while they are recent. Needs a write transaction."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.db import instant_text
from handsel.errors import HandselError, nearest
from handsel.leads import profile
from handsel.leads.believing import believed
from handsel.leads.handoff import owners, tasks
from handsel.leads.handoff.models import Task
from handsel.leads.listing.models import LeadAct, LeadActItem
from handsel.leads.mailboxes import mailboxes_of
from handsel.leads.models import Lead, LeadTag
from handsel.leads.stages import moving

MOST = 1000  # leads of one act: some seconds of one transaction, and as many as a person can answer for
KEPT = timedelta(days=30)  # how long an act can be taken back
KINDS = ("owner", "tag", "untag", "stage", "task")
TAG = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_Before = dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """What is to be done to each lead: its kind, one of KINDS, and the value.

    The value is the number of an account ("" for nobody), a tag, a stage, or the words of a task, which is then due
    at ``due_at``; a ``reason`` goes with a stage.
    """

    kind: str
    value: str
    reason: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True)
class Hand:
    """Whose hand does it, when, and under which act."""

    session: Session
    act: LeadAct
    actor: Actor
    at: datetime


def do(session: Session, lead_ids: Iterable[int], wish: Wish, *, actor: Actor, at: datetime) -> LeadAct | None:
    """Do it to these leads, at most MOST of them, and remember what was there before; None if nothing changed.

    Raises HandselError for a wish that means nothing, and then nothing is to be committed.
    """
    ids = sorted(set(lead_ids))
    if not ids:
        raise HandselError("leads", "No lead is ticked.", "Tick some, or choose all of the filter.")
    if len(ids) > MOST:
        raise HandselError("leads", f"That is more than {MOST:,} leads at once.", "Narrow the filter down.")
    if wish.kind not in KINDS:
        raise HandselError("act", f"There is no act '{wish.kind[:20]}'.", nearest(wish.kind, KINDS))
    act = LeadAct(at=at, account_id=actor.account_id, actor=actor.name, kind=wish.kind, value=wish.value[:200])
    session.add(act)
    session.flush()
    before = _DO[wish.kind](Hand(session, act, actor, at), _locked(session, ids), wish)
    if not before:
        session.delete(act)
        session.flush()
        return None
    act.number = len(before)
    session.add_all([LeadActItem(act_id=act.id, lead_id=lead_id, before=was) for lead_id, was in before.items()])
    audit.record(session, f"did to leads: {wish.kind}", actor, "leads",
                 {"act": act.id, "leads": act.number, "value": "" if wish.kind == "task" else wish.value})
    return act


def _locked(session: Session, ids: Sequence[int]) -> list[Lead]:
    return list(session.scalars(select(Lead).where(Lead.id.in_(ids), Lead.merged_into_id.is_(None)).order_by(Lead.id)
                                .with_for_update().execution_options(populate_existing=True)))


def _give(hand: Hand, leads: Sequence[Lead], wish: Wish) -> dict[int, _Before]:
    known = {str(account.id): account.id for account in owners.candidates(hand.session)} | {"": None}
    if wish.value not in known:
        raise HandselError("owner", "There is nobody of that name who can be given leads.", "Choose one of the list.")
    before = {lead.id: {"owner": lead.owner_id} for lead in leads}
    return {lead.id: before[lead.id] for lead in leads
            if owners.assign(hand.session, lead, known[wish.value], actor=hand.actor, at=hand.at)}


def _tag(hand: Hand, leads: Sequence[Lead], wish: Wish) -> dict[int, _Before]:
    if not TAG.fullmatch(wish.value):
        raise HandselError("tag", "A tag is made of letters a to z, digits and dashes.", "Such as 'site-visit'.")
    have = set(hand.session.scalars(_of(LeadTag.lead_id, leads, wish.value).where(believed(LeadTag))))
    new = [lead for lead in leads if lead.id not in have]
    source = f"by hand: {hand.actor.name}"[:120]
    for lead in new:
        hand.session.merge(LeadTag(lead_id=lead.id, tag=wish.value, at=hand.at, source=source))
    return _retold(hand, new)


def _untag(hand: Hand, leads: Sequence[Lead], wish: Wish) -> dict[int, _Before]:
    boxes = mailboxes_of(hand.session, [lead.id for lead in leads])
    heads = {id_: head for head, ids in boxes.items() for id_ in ids}
    rows: dict[int, list[list[Any]]] = {}
    for row in hand.session.scalars(select(LeadTag).where(LeadTag.tag == wish.value, LeadTag.lead_id.in_(list(heads)))):
        rows.setdefault(heads[row.lead_id], []).append([row.lead_id, instant_text(row.at), row.source])
    had = [lead for lead in leads if lead.id in rows]
    _take_off(hand.session, had, wish.value)
    _retold(hand, had)
    return {lead.id: {"rows": rows[lead.id]} for lead in had}


def _of(what: Any, leads: Sequence[Lead], tag: str) -> Any:
    return select(what).where(LeadTag.tag == tag, LeadTag.lead_id.in_([lead.id for lead in leads]))


def _take_off(session: Session, leads: Sequence[Lead], tag: str) -> None:
    boxes = mailboxes_of(session, [lead.id for lead in leads])  # else a merged mailbox would lend it again
    ids = [id_ for some in boxes.values() for id_ in some]
    session.execute(delete(LeadTag).where(LeadTag.tag == tag, LeadTag.lead_id.in_(ids)))


def _retold(hand: Hand, leads: Sequence[Lead]) -> dict[int, _Before]:
    """The texts of leads whose tags changed are made anew, and the rules look at them again."""
    profile.refresh_all_texts(hand.session, leads)
    for lead in leads:
        lead.look_at = hand.at
    return {lead.id: {} for lead in leads}


def _move(hand: Hand, leads: Sequence[Lead], wish: Wish) -> dict[int, _Before]:
    before = {lead.id: {"stage": lead.stage} for lead in leads}
    return {lead.id: before[lead.id] for lead in leads
            if _moved(hand, lead, wish.value, wish.reason)}


def _moved(hand: Hand, lead: Lead, stage: str, reason: str) -> bool:
    change = moving.move(hand.session, lead, stage, way="person", reason=reason, actor=hand.actor, at=hand.at)
    return change is not None


def _plan(hand: Hand, leads: Sequence[Lead], wish: Wish) -> dict[int, _Before]:
    if wish.due_at is None:
        raise HandselError("due", "A task needs a day.", "Say by when it is to be done.")
    made = {lead.id: tasks.add(hand.session, lead, wish.value, wish.due_at, once=f"act:{hand.act.id}:{lead.id}",
                               actor=hand.actor, at=hand.at, told=False) for lead in leads}
    return {lead_id: {"task": task.id} for lead_id, task in made.items() if task is not None}


_DO: dict[str, Callable[..., dict[int, _Before]]] = {
    "owner": _give, "tag": _tag, "untag": _untag, "stage": _move, "task": _plan}


def undo(session: Session, act_id: int, *, actor: Actor, at: datetime) -> int | None:
    """Take an act back where what it did still stands; how many leads. None if it is too old or taken back already."""
    act = session.scalars(select(LeadAct).where(LeadAct.id == act_id, LeadAct.undone_at.is_(None),
                                                LeadAct.at > at - KEPT).with_for_update()).one_or_none()
    if act is None:
        return None
    act.undone_at, act.undone_by = at, actor.name
    before = {item.lead_id: item.before for item in session.scalars(
        select(LeadActItem).where(LeadActItem.act_id == act_id))}
    back = _UNDO[act.kind](Hand(session, act, actor, at), _locked(session, sorted(before)), before)
    audit.record(session, "took back an act on leads", actor, "leads", {"act": act_id, "leads": back})
    return back


def _give_back(hand: Hand, leads: Sequence[Lead], before: dict[int, _Before]) -> int:
    given = int(hand.act.value) if hand.act.value else None
    there = {account.id for account in owners.candidates(hand.session)}
    back = 0
    for lead in leads:
        was = before[lead.id]["owner"]
        if lead.owner_id == given and (was is None or was in there):
            back += owners.assign(hand.session, lead, was, actor=hand.actor, at=hand.at)
    return back


def _untag_back(hand: Hand, leads: Sequence[Lead], _before: dict[int, _Before]) -> int:
    have = set(hand.session.scalars(_of(LeadTag.lead_id, leads, hand.act.value)))
    back = [lead for lead in leads if lead.id in have]
    _take_off(hand.session, back, hand.act.value)
    return len(_retold(hand, back))


def _tag_back(hand: Hand, leads: Sequence[Lead], before: dict[int, _Before]) -> int:
    have = set(hand.session.scalars(_of(LeadTag.lead_id, leads, hand.act.value)))
    back = [lead for lead in leads if lead.id not in have]
    rows = [row for lead in back for row in before[lead.id]["rows"]]
    there = set(hand.session.scalars(select(Lead.id).where(Lead.id.in_([row[0] for row in rows]))))
    for lead_id, at, source in rows:
        if lead_id in there:  # a mailbox may have been erased since
            hand.session.merge(LeadTag(lead_id=lead_id, tag=hand.act.value, source=source,
                                       at=datetime.fromisoformat(at)))
    return len(_retold(hand, back))


def _move_back(hand: Hand, leads: Sequence[Lead], before: dict[int, _Before]) -> int:
    reason = "Taken back: the move was a mistake."
    return sum(_moved(hand, lead, before[lead.id]["stage"], reason) for lead in leads if lead.stage == hand.act.value)


def _drop_tasks(hand: Hand, _leads: Sequence[Lead], before: dict[int, _Before]) -> int:
    made = [was["task"] for was in before.values()]
    gone = hand.session.execute(delete(Task).where(Task.id.in_(made), Task.done_at.is_(None)).returning(Task.id))
    return len(gone.all())


_UNDO: dict[str, Callable[..., int]] = {
    "owner": _give_back, "tag": _untag_back, "untag": _tag_back, "stage": _move_back, "task": _drop_tasks}


def recent(session: Session, at: datetime, account_id: int | None = None) -> list[LeadAct]:
    """The acts that can still be looked up, the latest first: of one account, or of all."""
    query = select(LeadAct).where(LeadAct.at > at - KEPT).order_by(LeadAct.id.desc()).limit(200)
    return list(session.scalars(query if account_id is None else query.where(LeadAct.account_id == account_id)))
