"""Letters: compiled once per offer, step and edition, then filled for each lead.

Compiling does all that is slow: layout, inlined styles, both parts, quoted-printable, headers. Filling puts encoded
values between soft line breaks, so that no value can change what stands around it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from html import escape
from urllib.parse import quote

from handsel.mail.encode import (
    base64_lines,
    clean,
    header,
    is_mostly_foreign,
    mailbox_header,
    quoted,
    quoted_value,
    token_header,
)
from handsel.mail.layout import House, Links, html_part, text_part
from handsel.merge import Merge, Text

SOFT = b"=\r\n"
LARGEST_HTML = 100_000  # octets; Gmail cuts a mail off a little above


@dataclass(frozen=True)
class Draft:
    """One letter before it is compiled: ``html`` is trusted HTML with merge fields, ``text`` says the same plainly.

    ``topic`` is what the person agreed to get, in words. ``sender`` and ``reply_to`` stand in for the site's own.
    """

    kind: str
    subject: Text
    html: Text
    text: Text
    preheader: Text = ()
    offer: str = ""
    offer_title: str = ""
    step: str = ""
    topic: str = ""
    sender: tuple[str, str] | None = None
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in an encoded part: the field, its encoded fallback, and how a value is encoded there."""

    field: str
    fallback: bytes
    encode: Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Block:
    """A part that is sent as base64, and so is encoded whole for each lead."""

    parts: Text
    escape: Callable[[str], str]

    def fill(self, values: Mapping[str, str]) -> bytes:
        """The encoded part."""
        words = (self.escape(clean(values.get(part.field) or part.fallback)) if isinstance(part, Merge) else part
                 for part in self.parts)
        return base64_lines("".join(words))


@dataclass(frozen=True, slots=True)
class Compiled:
    """A letter ready to be filled; thousands of times a second."""

    kind: str
    subject: Text | bytes
    first: bytes
    rest: bytes
    body: tuple[bytes | Slot | Block, ...]
    text: Text
    html: Text
    domain: str

    @property
    def is_listed(self) -> bool:
        """Whether the letter carries the headers of one-click unsubscribing."""
        return self.kind == "letter"

    def fill(self, values: Mapping[str, str], *, to: str, at: datetime, message_id: str) -> bytes:
        """The whole mail to one address, lines ended by CRLF.

        ``values`` are plain texts by field name; a letter needs ``unsubscribe_url``. Raises ValueError when ``to``
        cannot stand in a header.
        """
        out = [self.first, mailbox_header("To", "", to), self._subject(values), b"Date: ", _date(int(at.timestamp())),
               b"\r\nMessage-ID: ", message_id.encode("ascii"), b"\r\n"]
        if self.is_listed:
            out += [token_header("List-Unsubscribe", f"<{values['unsubscribe_url']}>"),
                    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"]
        out.append(self.rest)
        for piece in self.body:
            if isinstance(piece, bytes):
                out.append(piece)
            elif isinstance(piece, Slot):
                value = values.get(piece.field)
                out.append(piece.encode(value) if value else piece.fallback)
            else:
                out.append(piece.fill(values))
        return b"".join(out)

    def _subject(self, values: Mapping[str, str]) -> bytes:
        if isinstance(self.subject, bytes):
            return self.subject
        return header("Subject", look_up(self.subject, values))


def look_up(text: Text, values: Mapping[str, str]) -> str:
    """``text`` with each field's value or fallback; what a value holds is not looked at again."""
    return "".join((values.get(part.field) or part.fallback) if isinstance(part, Merge) else part for part in text)


def compile_letter(draft: Draft, house: House) -> Compiled:
    """``draft`` on the sheet of ``house``, encoded but for what differs from lead to lead."""
    footer = _footer(draft, house)
    text = text_part(draft.text, footer)
    title = look_up(draft.subject, {})
    html = html_part(house, title, draft.preheader, draft.html, footer) if draft.html else ()
    sender = draft.sender or (house.sender_name, house.sender)
    subject: Text | bytes = draft.subject
    if not any(isinstance(part, Merge) for part in draft.subject):
        subject = header("Subject", look_up(draft.subject, {}))
    first = mailbox_header("From", *sender)
    rest, body = _mime(draft, house, text, html)
    return Compiled(draft.kind, subject, first, rest, body, text, html, sender[1].rpartition("@")[2])


def _mime(draft: Draft, house: House, text: Text, html: Text) -> tuple[bytes, tuple[bytes | Slot | Block, ...]]:
    head = _common_headers(draft, house)
    text_encoding, text_pieces = _encode_part(text, _text_value, lambda value: value)
    if not html:
        return head + _part_head("plain", text_encoding) + b"\r\n", (*text_pieces, b"\r\n")
    html_encoding, html_pieces = _encode_part(html, _html_value, escape)
    # "=_" cannot stand in quoted-printable or base64, so no text can end a part.
    seed = repr((draft, house)).encode()
    boundary = b"=_handsel_" + hashlib.sha256(seed).hexdigest()[:24].encode()
    head += b'Content-Type: multipart/alternative;\r\n boundary="' + boundary + b'"\r\n\r\n'
    return head, (b"--" + boundary + b"\r\n" + _part_head("plain", text_encoding) + b"\r\n", *text_pieces,
                  b"\r\n--" + boundary + b"\r\n" + _part_head("html", html_encoding) + b"\r\n", *html_pieces,
                  b"\r\n--" + boundary + b"--\r\n")


def _part_head(subtype: str, encoding: str) -> bytes:
    return (f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n").encode()


def _encode_part(parts: Text, encode: Callable[[str], bytes],
                 escaped: Callable[[str], str]) -> tuple[str, list[bytes | Slot | Block]]:
    """How a part is sent, and its pieces. Each slot stands alone between two soft line breaks."""
    if is_mostly_foreign("".join(part for part in parts if isinstance(part, str))):
        return "base64", [Block(parts, escaped)]
    pieces: list[bytes | Slot | Block] = []
    fixed = b""
    before = ""
    for part in parts:
        if isinstance(part, str):
            before += part
            fixed += quoted(part)
            continue
        if fixed and not fixed.endswith(b"\r\n"):
            fixed += SOFT
        in_link = encode is _html_value and before.rfind("<") > before.rfind(">") and not is_address(part.field)
        encoder = _link_value if in_link else encode
        pieces += [fixed, Slot(part.field, encoder(part.fallback), encoder)]
        fixed = SOFT
    pieces.append(fixed)
    return "quoted-printable", pieces


def is_address(field: str) -> bool:
    """Whether the values of ``field`` are addresses that we made, and so may be the target of a link."""
    return field.endswith("_url") or field == "link"


def _text_value(value: str) -> bytes:
    return quoted_value(clean(value))


def _html_value(value: str) -> bytes:
    return quoted_value(escape(clean(value)))


def _link_value(value: str) -> bytes:
    return quoted_value(quote(clean(value), safe=""))


def _common_headers(draft: Draft, house: House) -> bytes:
    lines = []
    reply_to = draft.reply_to or house.reply_to
    if reply_to and draft.kind != "notice":
        lines.append(mailbox_header("Reply-To", "", reply_to))
    lines.append(b"MIME-Version: 1.0\r\n")
    if draft.kind != "personal":  # a person wrote that one, and may be told that somebody is on holiday
        lines += [b"Auto-Submitted: auto-generated\r\n", b"X-Auto-Response-Suppress: OOF, AutoReply\r\n"]
    if draft.kind == "letter":
        lines += [b"Precedence: bulk\r\n",
                  list_id_header(draft.offer_title or draft.offer, f"{draft.offer or 'letters'}.{house.domain}")]
    feedback = {"delivery": f"delivery:{draft.offer}:{house.domain}", "confirm": "confirm",
                "letter": f"{draft.offer}:{draft.step}:letter:{house.domain}"}.get(draft.kind)
    if feedback:
        lines.append(token_header("Feedback-ID", feedback))
    return b"".join(lines)


def list_id_header(title: str, identity: str) -> bytes:
    """A List-Id header (RFC 2919): words for people, then the list's own lasting name."""
    shown = re.sub(r'["\\<>]', "", clean(title))
    if shown.isascii() and len(shown) < 60:
        return token_header("List-Id", *f'"{shown}"'.split(), f"<{identity}>")
    return token_header("List-Id", f"<{identity}>")


def _footer(draft: Draft, house: House) -> tuple[str | Links, ...]:
    """Why this came, what can be done about it, and who we are."""
    about = f"“{draft.offer_title}”" if draft.offer_title else "something"
    unsubscribe, preferences = Merge("unsubscribe_url"), Merge("preferences_url")
    privacy = (("Privacy notice", house.privacy_url),) if house.privacy_url else ()
    lines: list[str | Links]
    if draft.kind == "letter":
        topic = f" and agreed to get this from us: {draft.topic.rstrip('.')}." if draft.topic else "."
        lines = [f"You get this because you asked {house.name} for {about}{topic}",
                 Links((("Unsubscribe", unsubscribe), ("Choose what you get", preferences), *privacy))]
    elif draft.kind == "delivery":
        lines = [f"You get this because this address was typed into our form for {about}.",
                 Links((("What we know about you, and your choices", preferences), *privacy))]
    elif draft.kind == "confirm":
        lines = [f"This address was typed into a form of {house.name}. If that was not you, ignore this mail: "
                 "without a confirmation you will not hear from us again.", *([Links(privacy)] if privacy else [])]
    elif draft.kind == "personal":
        lines = [f"You get this because you gave {house.name} your address. Answer it, and a person reads it.",
                 Links((("Rather not hear from us", unsubscribe), ("What we know about you", preferences), *privacy))]
    elif draft.kind == "account":
        lines = [f"You get this because you have an account at the desk of {house.name}."]
    else:
        lines = [f"A notice from {house.name} to its own people."]
    return (*lines, *([house.postal] if house.postal else []))


@lru_cache(maxsize=64)
def _date(second: int) -> bytes:
    return format_datetime(datetime.fromtimestamp(second, UTC)).encode("ascii")


def message_id(secret: bytes, key: str, domain: str) -> str:
    """The Message-ID of the message row ``key``: the same at every try, and telling nothing of anybody."""
    return f"<{hmac.digest(secret, b'message-id|' + key.encode(), 'sha256')[:20].hex()}@{domain}>"
