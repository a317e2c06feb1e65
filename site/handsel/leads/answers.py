"""Reading what a visitor typed: one reader for each field type, and the words for what could not be read.

A reader takes the typed text and the field, and gives the answer as it is stored. It raises ValueError with a sentence
that tells the visitor how to mend it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from handsel.forms.library import Field
from handsel.leads import address

LONGEST_NAME = 60  # a name is repeated in mails to mailboxes not yet proven, so it may not carry a message
LINE = 200
TEXT = 2000
_ADDRESS_IN_NAME = re.compile(r"https?:|www\.|//|\b[\w-]+\.(?:com|net|org|info|biz|ru|cn|io|co|xyz|top|site)\b", re.I)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:[,\s\u00a0\u202f']\d{3})+(?:\.\d+)?")
_DAY_FIRST = re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{4})")
COMMON_DOMAINS = (
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "hotmail.co.uk", "yahoo.com", "yahoo.co.uk",
    "icloud.com", "live.com", "msn.com", "aol.com", "btinternet.com", "gmx.de", "gmx.net", "web.de", "t-online.de",
    "proton.me", "protonmail.com", "orange.fr", "free.fr", "libero.it",
)
COMMON_ENDINGS = {"con": "com", "cmo": "com", "ocm": "com", "vom": "com", "comm": "com", "nte": "net", "ogr": "org"}


def tidy(text: str) -> str:
    """``text`` in composed form, trimmed, with plain line ends and without control characters."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.encode("utf-8", "ignore").decode()
    if not text.isprintable():
        text = "".join(char for char in text if char == "\n" or unicodedata.category(char) not in {"Cc", "Cs", "Cn"})
    return text.strip()


def missing(spec: Field) -> str:
    """The words for a required field left empty."""
    if spec.type == "email":
        return "Enter your e-mail address, so that we know where to send it."
    if spec.type in {"select", "radio", "checkboxes"}:
        return f"Choose an answer for “{spec.label.rstrip(':')}”."
    if spec.type == "checkbox":
        return f"Tick the box “{spec.label}” to go on."
    return f"Fill in “{spec.label.rstrip(':')}”."


def _line(typed: str, spec: Field) -> str:
    text = " ".join(typed.split())
    return _short_enough(text, spec.max_length or LINE)


def _text(typed: str, spec: Field) -> str:
    return _short_enough(typed, spec.max_length or TEXT)


def _short_enough(text: str, longest: int) -> str:
    if len(text) > longest:
        raise ValueError(f"Shorten this to {longest:,} characters. It has {len(text):,}.")
    return text


def _name(typed: str, spec: Field) -> str:
    text = " ".join(typed.split())
    if len(text) > LONGEST_NAME:
        raise ValueError(f"Shorten the name to {LONGEST_NAME} characters.")
    if _ADDRESS_IN_NAME.search(text) or "@" in text:
        raise ValueError("Write only the name here, without an address.")
    return text


def _email(typed: str, spec: Field) -> str:
    text = "".join(typed.split())
    if "@" not in text:
        raise ValueError("An e-mail address has an @ in it, as in name@example.org. Check it for typing slips.")
    found = address.read(text)
    if found is None:
        raise ValueError("That is not an e-mail address. Check it for typing slips.")
    return text if len(found.normalized) <= 254 else _short_enough(text, 254)


def _phone(typed: str, spec: Field) -> str:
    text = " ".join(typed.split())
    digits = sum(char.isdecimal() for char in text)
    if not re.fullmatch(r"\+?[\d\s().\-/]+(?:\s*(?:x|ext\.?)\s*\d+)?", text, re.I) or not 6 <= digits <= 20:
        raise ValueError("Write the phone number in digits, as in +44 113 496 0000, or leave it empty."
                         if not spec.required else "Write the phone number in digits, as in +44 113 496 0000.")
    return _short_enough(text, min(spec.max_length or 60, 60))


def _url(typed: str, spec: Field) -> str:
    text = typed if "://" in typed else f"https://{typed}"
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in {"http", "https"} or "." not in host or re.search(r"[\s<>\"]", text):
        raise ValueError("That is not a web address. Write it as in www.example.org.")
    return _short_enough(text, spec.max_length or 500)


def _number(typed: str, spec: Field) -> int | float:
    text = typed.strip()
    text = re.sub(r"[,\s\u00a0\u202f']", "", text) if _THOUSANDS.fullmatch(text) else text.replace(",", ".")
    if not re.fullmatch(r"[+-]?\d{1,15}(?:\.\d{1,6})?", text, re.ASCII):
        raise ValueError("Write a number in digits, such as 120.")
    number = float(text) if "." in text else int(text)
    if spec.min is not None and number < spec.min:
        raise ValueError(f"Enter a number of {spec.min:g} or more.")
    if spec.max is not None and number > spec.max:
        raise ValueError(f"Enter a number of {spec.max:.15g} or less.")
    return number


def _choice(typed: str, spec: Field) -> str:
    if typed not in dict(spec.choices):
        raise ValueError(f"Choose one of the answers offered for “{spec.label.rstrip(':')}”.")
    return typed


def _choices(typed: list[str], spec: Field) -> list[str]:
    known = [value for value, _ in spec.choices if value in typed]
    if set(typed) - set(known):
        raise ValueError(f"Choose from the answers offered for “{spec.label.rstrip(':')}”.")
    return known


def _date(typed: str, spec: Field) -> str:
    day_first = _DAY_FIRST.fullmatch(typed)
    try:
        if day_first:
            day, month, year = map(int, day_first.groups())
            return date(year, month, day).isoformat()
        return date.fromisoformat(typed).isoformat()
    except ValueError:
        raise ValueError("Write the date as year-month-day, as in 2026-11-30.") from None


def _yes(typed: bool, spec: Field) -> bool:
    return bool(typed)


Reader = Callable[[Any, Field], Any]
READERS: MappingProxyType[str, Reader] = MappingProxyType({
    "email": _email, "given-name": _name, "family-name": _name, "name": _name, "company": _line, "job-title": _line,
    "phone": _phone, "country": _line, "postal-code": _line, "url": _url, "text": _line, "textarea": _text,
    "number": _number, "select": _choice, "radio": _choice, "checkboxes": _choices, "checkbox": _yes, "date": _date,
    "hidden": _line,
})
"""The closed list of field types and how each is read."""


def likely(email: str) -> str:
    """What ``email`` may have been meant to be, such as ``ann@gmail.com`` for ``ann@gmial.com``; else empty."""
    local, at, domain = email.strip().lower().rpartition("@")
    meant = _meant(domain) if at and local else ""
    return f"{local}@{meant}" if meant else ""


@lru_cache(maxsize=1024)
def _meant(domain: str) -> str:
    if domain in COMMON_DOMAINS:
        return ""
    close = get_close_matches(domain, COMMON_DOMAINS, n=1, cutoff=0.84)
    if close:
        return close[0]
    name, _, ending = domain.rpartition(".")
    return f"{name}.{COMMON_ENDINGS[ending]}" if name and ending in COMMON_ENDINGS else ""


def read_as(kind: str, typed: str) -> Any:
    """What was typed into a field of ``kind`` that no form file describes."""
    return READERS[kind](typed, Field(kind, kind, kind))  # type: ignore[arg-type]  # a name of the closed list
