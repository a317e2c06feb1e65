"""A hand-over in words, alike in mails, on the page behind a link, and at the desk. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import quote

from handsel.leads.models import Lead
from handsel.offers.project import Project
from handsel.rules.catalogue import ACTS

STAGES = {"mql": "marketing-qualified", "pql": "qualified by using the product", "service": "asked for service",
          "sql": "asked for sales", "iql": "information-qualified", "customer": "a customer"}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")


def who(lead: Lead) -> str:
    """A lead by name and company, or by address."""
    name = lead.name or f"{lead.first_name} {lead.last_name}".strip() or lead.address
    return f"{name} ({lead.company})" if lead.company else name


def why(context: Mapping[str, Any], project: Project) -> str:
    """Why the lead was handed over, as a sentence."""
    told = dict.fromkeys(act(row, project).strip().rstrip(".") for row in context.get("why", []))
    words = "; ".join(part for part in told if part)
    return (words[:1].upper() + words[1:] + ".") if words else "They are ready for sales."


def facts_of(lead: Lead) -> list[tuple[str, str, str]]:
    """What is known of a lead that helps to speak with them: label, value, where it links to."""
    rows = [("Name", lead.name, ""), ("Job title", lead.job_title, ""), ("Company", lead.company, ""),
            ("Phone", lead.phone, f"tel:{dial(lead.phone)}" if dial(lead.phone) else ""),
            ("E-mail", lead.address, f"mailto:{quote(lead.address, safe='@')}"), ("Country", lead.country, ""),
            ("Source", lead.source, "")]
    return [row for row in rows if row[1]]


def dial(phone: str) -> str:
    """A telephone number as a telephone takes it; empty for what is none."""
    digits = "".join(sign for sign in phone if sign.isascii() and sign.isdigit())
    return ("+" if phone.strip().startswith("+") else "") + digits if 5 <= len(digits) <= 15 else ""


def points(context: Mapping[str, Any]) -> list[str]:
    """What the points were for, such as ``+20 Asked for a consultation``."""
    return [f"{int(many):+d} {words}" for words, many in context.get("reasons", [])]


def did(context: Mapping[str, Any], project: Project, zone: tzinfo) -> list[str]:
    """What the person did last, the newest first, with its time."""
    return [f"{moment(datetime.fromisoformat(row['at']), zone)}: {act(row, project)}" for row in context.get("did", [])]


def act(row: Mapping[str, Any], project: Project) -> str:
    """One act, with the title of the offer it was about."""
    known = ACTS.get(str(row.get("kind")))
    offer = project.offer(str(row.get("name", "")))
    if known is None or offer is None:
        return str(row.get("words", ""))
    return f"{known.words} “{offer.title}”"


def moment(at: datetime, zone: tzinfo) -> str:
    """A day and an hour: ``Monday 2 March, 14:05``."""
    local = at.astimezone(zone)
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}, {local:%H:%M}"


def length(work: timedelta) -> str:
    """A length of working time: ``45 minutes``, ``4 hours``, ``6 hours 30 minutes``."""
    hours, minutes = divmod(int(work.total_seconds()) // 60, 60)
    parts = [_many(hours, "hour")] if hours else []
    parts += [_many(minutes, "minute")] if minutes or not hours else []
    return " ".join(parts)


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
