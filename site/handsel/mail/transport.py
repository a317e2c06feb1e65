"""Handing one finished mail over: what goes in, and what the mail server said.

A transport never raises for what a server does: every end of the conversation is an ``Answer``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from flask import Flask

Outcome = Literal["sent", "retry", "failed", "unknown", "withheld"]
Scope = Literal["message", "domain", "server", "access"]

HARD_BOUNCES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.4"})
"""Enhanced status codes that say: there is no such mailbox, and there will be none."""
_STATUS = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})\b")
_UNFIT = re.compile(r"[\x00-\x20\x7f<>]")


@dataclass(frozen=True, slots=True)
class Handover:
    """One mail as it goes to the server: envelope addresses and the bytes, lines ended by CRLF."""

    sender: str
    recipient: str
    data: bytes

    @property
    def fits(self) -> bool:
        """Whether the envelope can be written on one line of a conversation."""
        return "@" in self.recipient and not (_UNFIT.search(self.recipient) or _UNFIT.search(self.sender))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a mail.

    ``sent``: accepted. ``retry``: not accepted now. ``failed``: never will be. ``unknown``: its text went out and no
    answer came. ``withheld``: the last word was no. ``scope`` tells whom a refusal concerns: this message, the
    recipient's domain, the whole server, or our access to it. ``text`` is the server's answer, or says what happened.
    """

    outcome: Outcome
    text: str
    scope: Scope = "message"
    code: int = 0

    @property
    def status(self) -> str:
        """The enhanced status code such as ``5.1.1``, or nothing."""
        found = _STATUS.match(self.text.partition(" ")[2]) if self.code else None
        return found[1] if found else ""

    @property
    def hard_bounce(self) -> bool:
        """Whether the server says that the mailbox does not exist."""
        return self.outcome == "failed" and self.status in HARD_BOUNCES


def always() -> bool:
    """The last word of a mail that nothing can stop."""
    return True


class Transport(Protocol):
    """A way out for mail. One thread uses it at a time."""

    def hand_over(self, mail: Handover, last_word: Callable[[], bool] = always) -> Answer:
        """Hand ``mail`` over. ``last_word`` is asked once the recipient is accepted, directly before the text goes out;
        on False nothing goes out."""

    def close(self) -> None:
        """Say good-bye; the next mail opens a new connection."""


def open_transport(app: Flask, helo: str = "localhost") -> Transport:
    """The application's way out: its mail server, or the built-in inbox while no ``MAIL_URL`` is set.

    ``helo`` is the name we give ourselves to the server; never the machine's own.
    """
    if app.config["MAIL_URL"]:
        from handsel.mail.smtp import MailServer

        return MailServer(app, helo)
    from handsel.mail.inbox import Inbox

    return Inbox(Path(app.instance_path) / "inbox")
