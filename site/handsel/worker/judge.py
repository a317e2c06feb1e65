"""Whether a claimed message may go out now: a pure function of facts, the project and the time."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Flask

from handsel.mail import suppress
from handsel.mail.queue import HELD, RELEASED, Claimed, Result
from handsel.mail.schedule import LATE
from handsel.offers import events
from handsel.offers.library import Letter
from handsel.offers.project import Project
from handsel.worker.facts import Facts, Row

PROOF_AGAIN = timedelta(hours=6)  # how often we look whether a mailbox was proven; a proof also wakes its letters
ORDER_AGAIN = timedelta(minutes=5)
UNPROVEN = "It waits until the person proves the mailbox."
MOVED = "The event was put off."
_WITH = {"tag": "with the tag", "segment": "in the segment"}
TURN = "It waits for an earlier letter of the series."
LATE_WORDS = "Held: it was due more than 48 hours ago. `handsel mail release` lets it go."


def judge(message: Claimed, facts: Facts, project: Project, app: Flask, at: datetime) -> Result | None:
    """None when ``message`` may go out; otherwise what becomes of it instead."""
    address = facts.address(message)
    if not address:
        return Result("cancelled", "There is nobody to write to any more.")
    if at >= message.give_up_at and not _untouched(message):
        return _given_up(message)
    if message.kind == "letter":
        verdict = _letter(message, facts, project, at)
        if verdict is not None:
            return verdict
    lead = facts.leads.get(message.lead_id or 0)
    if message.kind == "personal" and (lead is None or lead["unsubscribed_at"] is not None):
        return Result("suppressed", suppress.WORDS["unsubscribe"])
    blocked = facts.blocks.get(suppress.address_hash(address, app), [])
    if blocked and message.kind != "account":
        why = suppress.why_not(message.kind, blocked, facts.captured_at.get(message.capture_id or 0))
        if why:
            return Result("suppressed", why)
    return None


def _untouched(message: Claimed) -> bool:
    """Whether this is a letter that nobody has tried to hand over: its time went by while we stood still."""
    return message.kind == "letter" and message.attempts == 0 and message.reason in ("", TURN, RELEASED, MOVED)


def _given_up(message: Claimed) -> Result:
    if message.reason == UNPROVEN:
        return Result("cancelled", "The mailbox was not proven in time.")
    said = f" {message.reason}" if message.reason else ""
    return Result("failed", f"Given up: it could not be handed over in its time.{said}")


def _letter(message: Claimed, facts: Facts, project: Project, at: datetime) -> Result | None:
    lead_id = message.lead_id or 0
    lead = facts.leads.get(lead_id)
    if lead is None or lead["unsubscribed_at"] is not None:
        return Result("cancelled", "The person left all marketing mail.")
    blind = _blind(message, project, at)
    if blind is not None:
        return blind
    letter = _of(message, project)
    reminds = letter.meta.before is not None if letter else not message.topic
    verdict = _reminder(message, facts, lead, project, at) if reminds else _agreed(message, facts, project)
    verdict = verdict or _moved(message, project, at)
    if verdict is not None or reminds:
        return verdict
    if lead["paused_until"] is not None and lead["paused_until"] > at:
        return Result("queued", "", lead["paused_until"], afresh=True)
    if facts.consents[lead_id, message.topic] == "given":
        return Result("queued", UNPROVEN, min(at + PROOF_AGAIN, message.give_up_at))
    offer = project.offer(message.offer)
    in_turn = offer is None or offer.meta.event is None  # letters around an event go by its clock, not by their numbers
    return _not_yet(message, facts.earlier.get(message.id) if in_turn else None, at)


def _agreed(message: Claimed, facts: Facts, project: Project) -> Result | None:
    """None when the person agreed to the letter and the project still sends it to them."""
    lead_id = message.lead_id or 0
    if facts.consents.get((lead_id, message.topic)) not in ("given", "confirmed"):
        return Result("cancelled", f"The person does not agree to get '{message.topic}'.")
    unfit = _unfit(message, project, facts)
    return Result("cancelled", unfit) if unfit else None


def _of(message: Claimed, project: Project) -> Letter | None:
    offer = project.offer(message.offer)
    return offer.letter(message.step) if offer else None


def _reminder(message: Claimed, facts: Facts, lead: Row, project: Project, at: datetime) -> Result | None:
    """A reminder is part of what was asked for: it needs a proven mailbox and an event that is still to come."""
    unfit = _unfit(message, project, facts)
    if unfit:
        return Result("cancelled", unfit)
    offer = project.offer(message.offer)
    event = offer.meta.event if offer else None
    if event is None or event.starts_at <= at:
        return Result("cancelled", "The event has begun." if event else "The offer has no event any more.")
    if lead["confirmed_at"] is None:
        return Result("queued", UNPROVEN, min(at + PROOF_AGAIN, event.starts_at))
    return None


def _moved(message: Claimed, project: Project, at: datetime) -> Result | None:
    """A letter that goes by an event waits if the event was put off."""
    offer, letter = project.offer(message.offer), _of(message, project)
    due_at = events.due_at(letter.meta, offer.meta.event) if offer and letter else None
    return Result("queued", MOVED, due_at) if due_at is not None and due_at > at else None


def _unfit(message: Claimed, project: Project, facts: Facts) -> str:
    """Why the project as it stands does not send this step to this lead; empty when it does."""
    letter = _of(message, project)
    if letter is None:
        return f"The letter {message.offer}/{message.step} is no longer in the project."
    lead_id = message.lead_id or 0
    held = {"tag": facts.tags.get(lead_id, set()), "segment": facts.segments.get(lead_id, set())}
    for what, wanted in (letter.meta.only_if or {}).items():
        if wanted not in held[what]:
            return f"The letter is only for leads {_WITH[what]} '{wanted}'."
    for what, unwanted in (letter.meta.unless or {}).items():
        if unwanted in held[what]:
            return f"The letter is not for leads {_WITH[what]} '{unwanted}'."
    return ""


def _blind(message: Claimed, project: Project, at: datetime) -> Result | None:
    """A letter whose segment cannot be read waits for somebody to mend the rule: it goes neither to all nor to none."""
    letter = _of(message, project)
    missing = sorted(letter.meta.segments - project.rules.segments.by_name.keys()) if letter else []
    if not missing:
        return None
    return Result("queued", f"It waits: the segment '{missing[0]}' cannot be read.",
                  min(at + PROOF_AGAIN, message.give_up_at))


def _not_yet(message: Claimed, earlier: tuple[str, datetime] | None, at: datetime) -> Result | None:
    """Why it has to wait: for its turn in the series, or for a person to look at how late it is."""
    outlived = at >= message.give_up_at
    if earlier is not None and not outlived:
        state, due_at = earlier
        soon = at + timedelta(seconds=2) if state == "claimed" else at + ORDER_AGAIN
        return Result("queued", TURN, min(max(due_at, soon), at + ORDER_AGAIN))
    if outlived or (not message.reason and at - message.first_due_at > LATE):
        return Result("queued", LATE_WORDS, HELD)
    return None
