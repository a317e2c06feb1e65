"""Values that marketers write, read from their text: times, durations, names, addresses, colours."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, tzinfo
from email.utils import parseaddr
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

from handsel import merge

UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1),
         "week": timedelta(weeks=1)}
LONGEST_WAIT = timedelta(days=730)  # two years: as long as we keep a lead that stays silent
_DURATION = re.compile(r"(\d{1,5})\s+(minute|hour|day|week)s?")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?\s*(Z|[+-]\d{2}:?\d{2})?)?")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\u2028\u2029]")


def fault(kind: str, what: str, do: str) -> PydanticCustomError:
    """A fault of one value, to be raised by a validator; braces in the words are kept as they are."""
    return PydanticCustomError("given", "{what}", {"kind": kind, "what": what, "do": do})


def instant(text: str, zone: tzinfo) -> datetime:
    """The instant written in ISO 8601; one without an offset is in ``zone``. Raises ValueError."""
    if not _TIME.fullmatch(text.strip()):
        raise ValueError("not an ISO 8601 time")
    text = text.strip()
    if len(text) == 10:
        return datetime.combine(date.fromisoformat(text), time(), zone)
    found = datetime.fromisoformat(re.sub(r"\s+(?=[Z+-]|$)", "", text))
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _instant(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return value
    zone = (info.context or {}).get("zone") or ZoneInfo("UTC")
    try:
        return instant(value, zone)
    except (ValueError, OverflowError):
        raise fault("bad-date", f"'{_short(value)}' is no date that exists.",
                    "Write it as 2026-11-22 or 2026-11-22 09:00.") from None


def duration(text: str) -> timedelta:
    """``30 minutes``, ``2 days``, ``1 week`` as a timedelta. Raises ValueError."""
    match = _DURATION.fullmatch(text.strip())
    if not match:
        raise ValueError("not a duration")
    return int(match[1]) * UNITS[match[2]]


def _duration(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        found = duration(value)
    except ValueError:
        raise fault("bad-duration", f"'{_short(value)}' is no length of time.",
                    "Write it as `30 minutes`, `2 days` or `1 week`.") from None
    if found > LONGEST_WAIT:
        raise fault("bad-duration", f"'{_short(value)}' is longer than two years.",
                    "We keep no lead that long without a word; shorten it.")
    return found


def _one_line(value: str) -> str:
    if _CONTROL.search(value):
        raise fault("control-character", "The value holds a line break or a control character.",
                    "Keep it to one line of plain text.")
    return value.strip()


def _target(value: str) -> str:
    value = _one_line(value)
    if value.startswith(("/", "#", "https://", "http://", "mailto:", "tel:")) and not value.startswith("//"):
        return value
    if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?(#[\w-]*)?", value):
        return value
    raise fault("bad-address", f"'{_short(value)}' is no address that a page can link to.",
                "Begin with / for a page of this site, or with https://.")


def _site_url(value: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?/?", value):
        raise fault("bad-address", f"'{_short(value)}' is not the address of a site.",
                    "Write it as https://www.example.org, without a path.")
    return value.rstrip("/")


def _mailbox(value: str) -> str:
    if not re.fullmatch(r"[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\"]+", value):
        raise fault("bad-mailbox", f"'{_short(value)}' is no e-mail address.", "Write it as name@example.org.")
    return value


def _sender(value: str) -> str:
    value = _one_line(value)
    _, address = parseaddr(value)
    if not address or not re.fullmatch(r'[^<>"@,]*|"[^"]*"\s*', value.partition("<")[0] if "<" in value else ""):
        raise fault("bad-mailbox", f"'{_short(value)}' is no sender.", "Write it as Name <name@example.org>.")
    _mailbox(address)
    return value


def _short(value: str) -> str:
    return value if len(value) <= 60 else value[:57] + "…"


def _text(value: str) -> merge.Text:
    return merge.parse(value)


Instant = Annotated[datetime, BeforeValidator(_instant)]
"""An aware datetime."""
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(_one_line)]
"""Words on one line."""
Sentence = Annotated[str, StringConstraints(max_length=2000)]
"""Words on one or more lines."""
Target = Annotated[str, StringConstraints(min_length=1, max_length=400), AfterValidator(_target)]
"""Where a link leads or an image lies."""
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Hex = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
Mailbox = Annotated[str, StringConstraints(max_length=254), AfterValidator(_mailbox)]
Sender = Annotated[str, StringConstraints(max_length=300), AfterValidator(_sender)]
"""A mailbox with or without a name before it."""
SiteUrl = Annotated[str, StringConstraints(max_length=200), AfterValidator(_site_url)]
