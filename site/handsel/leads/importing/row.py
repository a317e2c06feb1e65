"""One row of a file as what it says about a lead, or why it cannot be taken. Pure functions of plain values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from handsel.errors import HandselError
from handsel.forms.library import Field
from handsel.forms.schema import STANDARD
from handsel.leads import questions
from handsel.leads.address import read
from handsel.leads.cells import guarded
from handsel.leads.importing.mapping import SPECIAL, Columns
from handsel.leads.models import Lead

YES, NO = questions.YES, questions.NO | {""}
# How other programs say that a person gets no mail there, and by which word our list of blocks knows it.
STATUSES = (
    ("unsubscribe", {"unsubscribed", "unsubscribe", "opted_out", "opted_in_no", "optout", "blocklisted", "blacklisted",
                     "disabled", "cancelled", "canceled", "do_not_contact", "left"}),
    ("bounce", {"bounced", "hard_bounced", "cleaned", "invalid"}),
    ("complaint", {"complained", "complaint", "spam", "reported_as_spam"}),
)
AGREES = {"", "active", "enabled", "subscribed", "confirmed", "ok"}
LONGEST = 2000  # characters of a custom field
_TAG = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LENGTHS = {name: getattr(Lead.__table__.columns[name].type, "length", None) or LONGEST for name in STANDARD}


class Refused(Exception):
    """The row cannot be taken; says why, to whoever mends the file."""


@dataclass(frozen=True)
class Said:
    """What a row says: the mailbox, the answers, the tags, the purposes agreed to and the block it asks for."""

    number: int
    email: str
    address: str
    answers: Mapping[str, Any]
    tags: tuple[str, ...]
    purposes: tuple[str, ...]
    cells: tuple[str, ...]
    """The row as it stands in the file."""
    marks: str
    """What else an import with the same row would have to say to be another one."""
    block: str
    """``unsubscribe``, ``bounce`` or ``complaint`` if the person gets no mail where they come from; else empty."""

    @property
    def once(self) -> str:
        """What makes the fact one of a kind: who it is about, and all that it says."""
        told = json.dumps([self.email, self.answers, self.tags, self.purposes, self.block, self.marks], sort_keys=True)
        return "import:" + blake2b(told.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Rules:
    """How rows are to be read: the columns, the project's own fields, and the purposes that may be agreed to."""

    columns: Columns
    custom: Mapping[str, Field]
    purposes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    marks: str = ""
    """What is said of all rows together beside their consents and tags."""

    def said(self, number: int, cells: Sequence[str]) -> Said:
        """What the row says. Raises Refused."""
        if any(cell.strip() for cell in cells[len(self.columns.fields):]):
            raise Refused(f"The row has {len(cells)} cells, the head {len(self.columns.fields)}: "
                          "a cell with the separator in it needs quotation marks.")
        given = {field: _clean(cell) for field, cell in zip(self.columns.fields, cells, strict=False) if field}
        address = read(given.get("email", ""))
        if address is None:
            raise Refused(f"'{given['email'][:80]}' is not an e-mail address." if given.get("email")
                          else "There is no e-mail address.")
        email = f"{address.local_part.casefold()}@{address.ascii_domain or address.domain}"
        answers = {name: answer for name, cell in given.items() if name not in SPECIAL
                   if name != "email" and cell and (answer := self._answer(name, cell)) not in ("", [])}
        if "name" not in answers and (parts := [answers[part] for part in ("first_name", "last_name")
                                                if part in answers]):
            answers["name"] = " ".join(parts)[:_LENGTHS["name"]]
        block, pending = _standing(given.get("status", ""), given.get("unsubscribed", ""))
        purposes = () if block or pending else self._agreed(given)
        tags = {*self.tags, *_tags(given.get("tags", ""))}
        return Said(number, email, address.normalized, answers, tuple(sorted(tags)), purposes, tuple(cells),
                    self.marks, block)

    def _answer(self, name: str, cell: str) -> Any:
        if name in STANDARD:
            text = " ".join(cell.split())
            if len(text) > _LENGTHS[name]:
                raise Refused(f"'{name}' has {len(text)} characters; at most {_LENGTHS[name]} fit.")
            return text
        if len(cell) > LONGEST:
            raise Refused(f"'{name}' has {len(cell)} characters; at most {LONGEST} fit.")
        field = self.custom.get(name)
        if field is None:
            return cell
        try:
            return questions.read(field, cell)
        except ValueError as error:
            raise Refused(f"'{name}': {error}") from error

    def _agreed(self, given: Mapping[str, str]) -> tuple[str, ...]:
        if "consent" not in self.columns.fields:
            return self.purposes
        said = given.get("consent", "").casefold()
        if said in NO:
            return ()
        if said in YES:
            return self.purposes
        named = {word.strip() for word in re.split(r"[,;|]", said)}
        return tuple(purpose for purpose in self.purposes if purpose in named)


def _clean(cell: str) -> str:
    """A cell as it was meant: without signs that no text holds, and without the apostrophe of our own exports."""
    text = _CONTROLS.sub("", cell).replace("\r\n", "\n").replace("\r", "\n").strip()
    return text[1:] if text.startswith("'") and guarded(text[1:]) == text else text


def _tags(cell: str) -> list[str]:
    tags = ["-".join(part.strip().lower().split()) for part in re.split(r"[,;|]", cell) if part.strip()]
    for tag in tags:
        if not _TAG.fullmatch(tag):
            raise Refused(f"'{tag[:60]}' cannot be a tag: letters a to z, digits and dashes, at most 60.")
    return tags


def _standing(status: str, unsubscribed: str) -> tuple[str, bool]:
    """The block that the row asks for, and whether the person has not agreed yet."""
    if unsubscribed.casefold() not in NO:
        return "unsubscribe", False
    word = re.sub(r"[^a-z]+", "_", status.casefold()).strip("_")
    block = next((reason for reason, words in STATUSES if word in words), "")
    return block, word not in AGREES


def tag_list(typed: Sequence[str]) -> tuple[str, ...]:
    """The tags that somebody typed as an option. Raises HandselError."""
    try:
        return tuple(sorted({tag for text in typed for tag in _tags(text)}))
    except Refused as error:
        raise HandselError("--tag", str(error), "Write something like 'spring-fair'.") from error
