"""The built-in inbox: mail caught as ``instance/inbox/*.eml`` while no mail server is set, and read from there."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from handsel import clock
from handsel.mail.transport import Answer, Handover, always

if TYPE_CHECKING:
    from email.message import EmailMessage

NAME = re.compile(r"^[0-9]{8}T[0-9]{9}-[0-9a-f]{8}$")


@dataclass(frozen=True)
class Caught:
    """One caught mail. ``name`` is its file's, newest last in order; ``html`` is "" for a mail of text alone."""

    name: str
    at: datetime
    sender: str
    to: str
    subject: str
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    raw: bytes


class Inbox:
    """The transport that writes each mail to a folder; and that folder's reader."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def hand_over(self, mail: Handover, last_word: Callable[[], bool] = always) -> Answer:
        """See ``Transport``. The file appears whole or not at all."""
        if not mail.fits:
            return Answer("failed", "The address cannot be written to.")
        if not last_word():
            return Answer("withheld", "")
        try:
            self._write(f"Return-Path: <{mail.sender}>\r\n".encode() + mail.data)
        except OSError as error:
            return Answer("retry", f"The inbox cannot be written: {error.strerror}.", "server")
        return Answer("sent", "Caught in the built-in inbox.")

    def _write(self, data: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{clock.now():%Y%m%dT%H%M%S%f}"[:18] + f"-{secrets.token_hex(4)}"
        half = self.folder / f".{name}.part"
        with half.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        half.rename(self.folder / f"{name}.eml")

    def close(self) -> None:
        """See ``Transport``."""

    def names(self) -> list[str]:
        """The names of all caught mails, the newest first."""
        try:
            found = [entry.name.removesuffix(".eml") for entry in os.scandir(self.folder)]
        except FileNotFoundError:
            return []
        return sorted((name for name in found if NAME.match(name)), reverse=True)

    def heads(self, names: list[str]) -> list[Caught]:
        """Those mails without their bodies, for a list."""
        return [mail for name in names if (mail := self._read(name, whole=False)) is not None]

    def read(self, name: str) -> Caught | None:
        """One mail, or None if there is none of that name."""
        return self._read(name, whole=True) if NAME.match(name) else None

    def _read(self, name: str, whole: bool) -> Caught | None:
        try:
            raw = (self.folder / f"{name}.eml").read_bytes()
        except FileNotFoundError:
            return None
        mail = _parsed(raw, whole)
        at = datetime.strptime(name[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        return Caught(name, at, str(mail["From"] or ""), str(mail["To"] or ""), str(mail["Subject"] or ""),
                      tuple((key, str(value)) for key, value in mail.items()),
                      _part(mail, "plain") if whole else "", _part(mail, "html") if whole else "", raw)

    def clear(self, before: datetime) -> int:
        """Throw away what was caught before that instant; how many."""
        limit = f"{before.astimezone(UTC):%Y%m%dT%H%M%S}"
        old = [name for name in self.names() if name < limit]
        for name in old:
            (self.folder / f"{name}.eml").unlink(missing_ok=True)
        return len(old)


def _parsed(raw: bytes, whole: bool) -> EmailMessage:
    # A library of some weight, for those who read here: few processes do.
    from email import policy
    from email.message import EmailMessage
    from email.parser import BytesHeaderParser, BytesParser

    readable = policy.default.clone(raise_on_defect=False)
    parser = BytesParser if whole else BytesHeaderParser
    return parser(EmailMessage, policy=readable).parsebytes(raw)


def _part(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body(preferencelist=(subtype,))
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")
