"""What happened with a person, in sentences to themselves, made of the rows that they are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from handsel.forms.schema import RECOGNITION
from handsel.offers.project import Project
from handsel.public import doors

RECOGNISE = "Know me when I come back to the site"
STATES = {"given": "ticked", "confirmed": "confirmed", "withdrawn": "left"}
STAGES = {"iql": "somebody who looks for information", "mql": "somebody who may want to buy",
          "sql": "somebody to talk to about a purchase", "pql": "somebody who uses what we make",
          "service": "somebody whom we serve already", "customer": "a customer"}
ACTIVITIES = {"note": "We noted", "call": "We noted after a call", "meeting": "We noted after a meeting",
              "mail": "One of us wrote to you"}
Row = Mapping[str, Any]


def history(told: Mapping[str, Any], project: Project) -> list[str]:
    """The sentences, the oldest first."""
    lines = [line for name, words in _SENTENCES.items() for row in told.get(name, ())
             for line in _dated(row, words, project)]
    return [f"{words} on {doors.on_day(datetime.fromisoformat(at))}." for at, words in sorted(lines)]


def _dated(row: Row, words: Callable[[Row, Project], str], project: Project) -> Iterable[tuple[str, str]]:
    at = row["sent_at"] if "sent_at" in row else row["at"]
    said = words(row, project) if at else ""
    return [(at, said)] if said else []


def _title(slug: str, project: Project) -> str:
    offer = project.offer(slug)
    return f"“{offer.title if offer else slug}”"


def _capture(row: Row, project: Project) -> str:
    if row["form"] == "import":
        return "Your data came to us with a file"
    if row["form"] == "hand":
        return "We put down or put right what we hold about you"
    if not row["offer"]:
        return "You put your data right"
    came = "" if row["source"] in {"", "direct"} else f", coming from {row['source']}"
    return f"You filled in the form for {_title(row['offer'], project)}{came}"


def _consent(row: Row, project: Project) -> str:
    topics = {RECOGNITION: RECOGNISE, **project.site.topics}
    return f"You {STATES.get(row['state'], row['state'])} “{topics.get(row['purpose'], row['purpose'])}”"


def _activity(row: Row, project: Project) -> str:
    words = " ".join(part for part in (row["subject"], row["text"]) if part)
    return ACTIVITIES.get(row["kind"], "We noted") + (f" “{words}”" if words else "")


def _sale(row: Row, project: Project) -> str:
    return f"You bought something for {row['cents'] / 100:,.2f} {row['currency']}"


_SENTENCES: dict[str, Callable[[Row, Project], str]] = {
    "capture": _capture,
    "consent": _consent,
    "download": lambda row, project: f"You fetched {_title(row['offer'], project)}",
    "message": lambda row, project: "We wrote to you",
    "attendance": lambda row, project: f"You came to {_title(row['offer'], project)}",
    "letter_click": lambda row, project: f"You followed a link in a mail to {row['path']}",
    "product_event": lambda row, project: f"Our product told us “{row['name']}”",
    "stage_change": lambda row, project: f"We took you for {STAGES.get(row['stage'], row['stage'])}",
    "handoff": lambda row, project: "We asked one of us to get in touch with you",
    "activity": _activity,
    "sale": _sale,
}
