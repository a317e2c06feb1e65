"""Events of webinars: when and where, in words and as a calendar's entry, and what can be wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from handsel.content.library import Read
from handsel.errors import Fault
from handsel.offers.schema import Event, LetterMeta, OfferMeta

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")
LONGEST = timedelta(days=14)


def day(event: Event, zone: str) -> str:
    """The day near the site: ``Tuesday 1 December 2026``."""
    at = event.starts_at.astimezone(ZoneInfo(zone))
    return f"{DAYS[at.weekday()]} {at.day} {MONTHS[at.month - 1]} {at.year}"


def hour(event: Event, zone: str) -> str:
    """From when to when, with the name of the time: ``18:00 to 19:00 GMT``."""
    place = ZoneInfo(zone)
    begin, end = event.starts_at.astimezone(place), event.ends_at.astimezone(place)
    until = f"{end:%H:%M}" if end.date() == begin.date() else f"{end.day} {MONTHS[end.month - 1]}, {end:%H:%M}"
    name = begin.tzname() or ""
    return f"{begin:%H:%M} to {until} {name if name.isalpha() else 'UTC' + name if name else ''}".strip()


def where(event: Event) -> str:
    """The place in words."""
    if event.place and event.url:
        return f"{event.place}, and online"
    return event.place or "online"


def due_at(letter: LetterMeta, event: Event | None) -> datetime | None:
    """When a letter goes that is timed by the event; None for one that is not."""
    if event is None:
        return None
    if letter.before is not None:
        return event.starts_at - letter.before
    return event.ends_at + letter.after_event if letter.after_event is not None else None


def calendar(event: Event, *, uid: str, title: str, description: str, url: str, at: datetime) -> str:
    """An iCalendar file (RFC 5545) with one entry; ``uid`` names it for good, so that a moved event moves there too."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Handsel//Events//EN", "BEGIN:VEVENT", f"UID:{_text(uid)}",
             f"DTSTAMP:{_utc(at)}", f"SEQUENCE:{max(0, int(at.timestamp()) - 1_700_000_000)}",
             f"DTSTART:{_utc(event.starts_at)}", f"DTEND:{_utc(event.ends_at)}", f"SUMMARY:{_text(title)}",
             f"LOCATION:{_text(event.place or url)}", f"DESCRIPTION:{_text(description)}", f"URL:{url}"]
    if event.reminder is not None:
        minutes = int(event.reminder.total_seconds() // 60)
        lines += ["BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{_text(title)}", f"TRIGGER:-PT{minutes}M",
                  "END:VALARM"]
    return "".join(_folded(line) for line in [*lines, "END:VEVENT", "END:VCALENDAR"])


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(words: str) -> str:
    return re.sub(r"([\\;,])", r"\\\1", words).replace("\n", r"\n")


def _folded(line: str) -> str:
    """The line in pieces of at most 75 octets, each after the first begun with a space; no letter is cut."""
    pieces, piece = [], ""
    for letter in line:
        if len((piece + letter).encode()) > 75:
            pieces.append(piece)
            piece = " "
        piece += letter
    return "\r\n".join([*pieces, piece]) + "\r\n"


def faults(read: Read[OfferMeta], meta: OfferMeta) -> Iterator[Fault]:
    """What is wrong with the event of an offer, or with an offer that should have one."""
    event = meta.event
    if event is None:
        if meta.kind == "webinar" and meta.asset is None:
            yield read.fault(("kind",), "webinar-without-event", "The webinar has no date and no recording.",
                             "Add `event: {starts_at: …, url: https://…}`, or a recording as `asset`.")
        return
    if meta.kind != "webinar":
        yield read.fault(("event",), "event-without-webinar", f"An offer of kind '{meta.kind}' holds no event.",
                         "Write `kind: webinar`, or delete `event`.")
    if meta.asset is not None:
        yield read.fault(("asset",), "event-with-asset", "An event brings a place, not a file.",
                         "Delete `asset`; once it is over, delete `event` and give the recording.")
    if meta.delivery != "email":
        yield read.fault(("delivery",), "event-not-by-mail", "A place is confirmed by e-mail.",
                         "Write `delivery: email`, or delete the line.")
    if not event.place and not event.url:
        yield read.fault(("event",), "event-without-place", "The event does not say where it is.",
                         "Add `url: https://…` for people to join, or `place: …`.")
    if event.url and not re.fullmatch(r"https://[^\s\"'<>]+", event.url):
        yield read.fault(("event", "url"), "bad-address", "People cannot join the event at this address.",
                         "Write it whole, beginning with https://.")
    if not timedelta() < event.duration <= LONGEST:
        yield read.fault(("event", "duration"), "out-of-range", "An event lasts between a minute and two weeks.",
                         "Write how long it lasts, such as `1 hour`.")
    if meta.closes_at and meta.closes_at > event.ends_at:
        yield read.fault(("closes_at",), "closes-after-event", "The offer would be open when the event is over.",
                         "Delete `closes_at`: the offer closes by itself when the event ends.")


def letter_faults(read: Read[Any], letter: LetterMeta, event: Event | None, *, is_delivery: bool) -> Iterator[Fault]:
    """What is wrong with a letter's time by the event."""
    for key in ("before", "after_event"):
        if getattr(letter, key) is None:
            continue
        if event is None:
            yield read.fault((key,), "letter-without-event", "The offer has no event that the letter could go by.",
                             "Write `wait: 2 days`, or add `event` to offer.md.")
        elif is_delivery:
            yield read.fault((key,), "wait-on-delivery", "The delivery is sent at once and cannot wait.",
                             f"Delete `{key}`.")
        elif letter.wait is not None or letter.after is not None or (key == "before" and letter.after_event):
            yield read.fault((key,), "two-waits", "The letter goes by two clocks.",
                             "Keep one of wait (with after), before and after_event.")
