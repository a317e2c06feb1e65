"""What a capture sets going: which mails, when, and what is handed over at once. Pure functions of plain values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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

    A letter goes only to those who ticked the box of its topic. Where the offer itself sends no mail, a ticked box
    still asks for one that proves the mailbox, because nobody may sign up somebody else.
    """
    letters = tuple(letter for letter in offer.follow_ups if letter.topic in ticked)
    by_mail = offer.meta.delivery in {"email", "both"}
    if offer.meta.kind == "newsletter":
        by_mail = bool(ticked)
    mail = "delivery" if by_mail and offer.asset else "confirm" if by_mail or ticked else ""
    step = offer.delivery.step if by_mail and offer.delivery else ""
    return Plan(mail, step, letters, offer.asset is not None and offer.meta.delivery in {"instant", "both"})


@dataclass(frozen=True)
class Mailed:
    """A mail that a form triggered for one mailbox: its offer and when it went or goes out."""

    offer: str
    due_at: datetime


def slot(earlier: Iterable[Mailed], at: datetime) -> datetime | None:
    """When the next mail that a form triggers may go to a mailbox: now, a little later, or None for not today.

    ``earlier`` are the mails sent or waiting, in any order.
    """
    times = sorted(mailed.due_at for mailed in earlier if mailed.due_at > at - A_DAY)
    if len(times) >= MOST_A_DAY:
        return None
    return max(at, times[-1] + BETWEEN) if times else at


def standing(earlier: Sequence[Mailed], offer: str, at: datetime) -> Mailed | None:
    """The mail of the same offer that is yet to come or less than ten minutes old: another would say nothing new."""
    return next((mailed for mailed in earlier if mailed.offer == offer and mailed.due_at > at - BETWEEN), None)
