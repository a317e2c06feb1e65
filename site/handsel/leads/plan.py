"""What a capture sets going: which mails, when, and what is handed over at once. Pure functions of plain values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from handsel.offers.library import Letter, Offer

BETWEEN = timedelta(minutes=10)  # at most one mail that a form can trigger in ten minutes to one mailbox…
A_DAY = timedelta(days=1)
MOST_A_DAY = 3  # …and three a day, whoever asks for them and however often


@dataclass(frozen=True)
class Plan:
    """What follows from one capture.

    ``mail`` is the kind of the first message (``delivery``, ``confirm``, or empty for none) and ``step`` its letter;
    ``letters`` are the follow-ups that were agreed to; ``instant`` says that the thank-you page gives the file.
    """

    mail: str
    step: str
    letters: tuple[Letter, ...]
    instant: bool


def plan(offer: Offer, ticked: Collection[str]) -> Plan:
    """The plan of a capture of ``offer`` with the consents in ``ticked``.

    A letter goes only to those who ticked the box of its topic; a reminder of an event goes to all who signed up for
    it. Where the offer itself sends no mail, a ticked box still asks for one that proves the mailbox, because nobody
    may sign up somebody else.
    """
    letters = tuple(letter for letter in offer.follow_ups
                    if letter.topic in ticked or letter.meta.before is not None)
    by_mail = offer.meta.delivery in {"email", "both"}
    if offer.meta.kind == "newsletter":
        by_mail = bool(ticked)
    mail = "delivery" if by_mail and offer.asset else "confirm" if by_mail or ticked else ""
    step = offer.delivery.step if by_mail and offer.delivery else ""
    return Plan(mail, step, letters, offer.asset is not None and offer.meta.delivery in {"instant", "both"})


@dataclass(frozen=True)
class Mailed:
    """A mail that a form triggered for one mailbox: when it went or goes out, for which offer, and what was claimed."""

    offer: str
    due_at: datetime
    answers: Mapping[str, Any]
    consents: frozenset[str]


def slot(earlier: Iterable[Mailed], at: datetime) -> datetime | None:
    """When the next mail that a form triggers may go to a mailbox: now, a little later, or None for not today.

    ``earlier`` are the mails sent or waiting, in any order.
    """
    times = sorted(mailed.due_at for mailed in earlier if mailed.due_at > at - A_DAY)
    if len(times) >= MOST_A_DAY:
        return None
    return max(at, times[-1] + BETWEEN) if times else at


def says_all(mailed: Mailed, offer: str, answers: Mapping[str, Any], consents: Collection[str], at: datetime) -> bool:
    """Whether a mail that is yet to come, or less than ten minutes old, already proves what is claimed once more.

    Only then does a second one say nothing new. A different claim about the same mailbox needs a mail of its own, or
    the press of a button would prove what its owner never saw.
    """
    return (mailed.offer == offer and mailed.due_at > at - BETWEEN and same_answers(mailed.answers, answers)
            and mailed.consents >= set(consents))


def same_answers(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two captures say the same about their lead, however they spell its address."""
    return {**one, "email": ""} == {**other, "email": ""}
