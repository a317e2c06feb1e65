"""One lead as a vCard 4.0 (RFC 6350), for address books."""

from __future__ import annotations

import re
from uuid import NAMESPACE_URL, uuid5

from handsel.leads.models import Lead

LONGEST = 75  # bytes of a line, without its end
_UNSEEN = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def of(lead: Lead, site_url: str) -> bytes:
    """The card of ``lead``, UTF-8. ``site_url`` makes its identifier one of a kind, the same with every export."""
    name = lead.name or " ".join(filter(None, (lead.first_name, lead.last_name)))
    first, last = _parts(lead, name)
    lines = ["BEGIN:VCARD", "VERSION:4.0", "KIND:individual",
             f"UID:urn:uuid:{uuid5(NAMESPACE_URL, f'{site_url.rstrip(chr(47))}/leads/{lead.id}')}",
             f"FN:{escaped(name or lead.address)}"]
    if name:
        lines.append(f"N:{escaped(last)};{escaped(first)};;;")
    lines.append(f"EMAIL:{escaped(lead.address)}")
    for prefix, value in (("TEL:", lead.phone), ("TITLE:", lead.job_title), ("ORG:", lead.company),
                          ("ADR:;;;;;;", lead.country)):
        if value:
            lines.append(prefix + escaped(value))
    if lead.tags_text:
        lines.append("CATEGORIES:" + ",".join(escaped(tag) for tag in lead.tags_text.split(", ")))
    lines += [f"REV:{lead.last_capture_at:%Y%m%dT%H%M%SZ}", "END:VCARD"]
    return b"".join(folded(line) for line in lines)


def escaped(text: str) -> str:
    """``text`` as a value: what would end or part it is written with a backslash, and line ends as a word."""
    text = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    for sign in ("\\", ";", ","):
        text = text.replace(sign, "\\" + sign)
    return text.replace("\n", "\\n")


def folded(line: str) -> bytes:
    """``line`` with its end, cut into lines of 75 bytes at most, never within a letter."""
    parts, part = [], b""
    for sign in line:
        byte = sign.encode()
        if len(part) + len(byte) > LONGEST:
            parts.append(part)
            part = b" "
        part += byte
    parts.append(part)
    return b"\r\n".join(parts) + b"\r\n"


def _parts(lead: Lead, name: str) -> tuple[str, str]:
    """First and last name. Of a whole one the last word is the last name, unless the first name is known."""
    if lead.last_name or (lead.first_name and not name.startswith(f"{lead.first_name} ")):
        return lead.first_name, lead.last_name
    if lead.first_name:
        return lead.first_name, name[len(lead.first_name) + 1:]
    first, _, last = name.rpartition(" ")
    return first, last
